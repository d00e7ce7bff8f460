"""Fragments that watch: none ends the run of the page around it."""

import ast
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from streamlit.testing.v1 import AppTest

from core.ui.live import watching

ROOT = Path(__file__).parents[3]
FILES = [*(ROOT / "core" / "ui").rglob("*.py"), *(ROOT / "pages").glob("*.py")]


def is_of_streamlit(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Attribute) and ast.unparse(node) == f"st.{name}"


def fragments(tree: ast.Module) -> Iterator[ast.FunctionDef]:
    """Yield the functions of a module that are drawn as fragments, decorated or handed over."""
    handed_over = {
        ast.unparse(node.args[0])
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and is_of_streamlit(node.func, "fragment") and node.args
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            marks = [part for mark in node.decorator_list for part in ast.walk(mark)]
            if node.name in handed_over or any(is_of_streamlit(one, "fragment") for one in marks):
                yield node


def test_no_fragment_ends_the_run_by_itself() -> None:
    found = {
        (str(file.relative_to(ROOT)), one.lineno): any(
            is_of_streamlit(part, "rerun") for part in ast.walk(one)
        )
        for file in FILES
        for one in fragments(ast.parse(file.read_text(encoding="utf-8")))
    }
    assert len(found) >= 8
    assert [name for name, reruns in found.items() if reruns] == []


PAGE = """
import streamlit as st
from core.ui.live.watching import redraw_page

@st.fragment
def watch():
    st.session_state["looks"] = st.session_state.get("looks", 0) + 1
    redraw_page()

watch()
st.session_state["draws"] = st.session_state.get("draws", 0) + 1
if st.button("buy", key="buy"):
    st.success("bought")
"""


@pytest.fixture
def shown() -> AppTest:
    return AppTest.from_string(PAGE).run()


def test_a_press_counts_though_a_fragment_above_has_news(shown: AppTest) -> None:
    shown.button(key="buy").click().run()
    assert [one.value for one in shown.success] == ["bought"]
    assert (shown.session_state["looks"], shown.session_state["draws"]) == (2, 2)


class AskedError(Exception):
    """The page is to be drawn anew."""


@pytest.mark.parametrize(
    ("runs", "asked"),
    [
        ([None], [False]),
        ([["watch"]], [True]),
        # A press in another fragment, and the beat behind it.
        ([["watch", "dialog"], ["watch"]], [False, True]),
        # Two watches at one pace.
        ([["watch", "other"], ["watch", "other"]], [False, True]),
    ],
)
def test_what_a_fragments_run_asks_for(
    monkeypatch: pytest.MonkeyPatch, runs: list[list[str] | None], asked: list[bool]
) -> None:
    def rerun() -> None:
        raise AskedError

    monkeypatch.setattr("streamlit.rerun", rerun)
    monkeypatch.setattr("streamlit.session_state", {})
    told = []
    for ids in runs:
        run = SimpleNamespace(fragment_ids_this_run=ids)
        monkeypatch.setattr(watching, "get_script_run_ctx", lambda run=run: run)
        try:
            watching.redraw_page()
            told.append(False)
        except AskedError:
            told.append(True)
    assert told == asked
