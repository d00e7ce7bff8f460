"""What is pressed is done in a callback: a run's body may be ended for the next press before it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SOURCES = sorted([*ROOT.glob("pages/*.py"), *ROOT.glob("core/ui/**/*.py")])
PRESSED = {"button", "menu_button", "form_submit_button", "chat_input"}


def _name(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _handled_in_the_body(tree: ast.AST) -> Iterator[int]:
    """Yield the lines of presses whose outcome the body of a run looks at."""
    above = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call) or _name(call) not in PRESSED:
            continue
        if not isinstance(above[call], ast.Expr):
            yield call.lineno


@pytest.mark.parametrize("path", SOURCES, ids=[str(path.relative_to(ROOT)) for path in SOURCES])
def test_what_is_pressed_is_done_in_a_callback(path: Path) -> None:
    assert list(_handled_in_the_body(ast.parse(path.read_text()))) == []


@pytest.mark.parametrize(
    "written",
    [
        "if st.button('x'):\n    buy()",
        "if st.button('x', on_click=note):\n    buy()",
        "if st.button('x', on_click=buy):\n    st.rerun()",
        "is_sent = st.form_submit_button('x', on_click=note)\nif a and is_sent:\n    buy()",
        "words = st.chat_input('x', on_submit=note)\nask(words)",
    ],
)
def test_what_the_body_handles_is_found(written: str) -> None:
    assert list(_handled_in_the_body(ast.parse(written)))
