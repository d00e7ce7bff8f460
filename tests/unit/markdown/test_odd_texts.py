"""Texts that nobody means and models write all the same: nothing breaks, nothing takes for ever."""

import re
import sys
from collections.abc import Callable
from typing import Any

import pytest

from core.markdown.marks import runs
from core.markdown.marks.direction import is_right_to_left
from core.markdown.rendering import for_streamlit


@pytest.mark.parametrize(
    "text",
    [
        "\u3000\n价格 ~5",
        "\xa0\n~x",
        "> \u3000\n> ~x",
        "- \u3000\n  ~5 $6",
        "\u2028\n**a** `b`",
        "\f\n\u3000\n~x\n\u3000",
        "\\(\\label{x}\\)",
        "见 \\[\\label{eq:1}\\] 。",
        "|a|\n|-|\n|\\(\\label{x}\\)|",
    ],
)
def test_blank_lines_and_bare_labels_break_nothing(text: str) -> None:
    assert for_streamlit(text).strip()


@pytest.mark.parametrize("text", ["$\\label{x}$", "a $$\\label{x}$$ b", "$$\\label{x}$$"])
def test_a_formula_of_a_label_alone_opens_no_fence(text: str) -> None:
    assert "$$$" not in for_streamlit(text)
    assert for_streamlit(text).strip("a b\n") != "$$"


def test_a_break_at_the_head_of_a_row_begins_no_block() -> None:
    shown = for_streamlit("|a|b|\n|-|-|\n</br>```mermaid\n")
    assert "\n```" not in shown


@pytest.mark.parametrize(
    "unit",
    [
        "\\begin{align} a\n",
        "x \\begin{align} ",
        "\\begin{align} a \\end{align} foo\n",
        "<br> ",
        "<br>\n",
    ],
)
def test_a_model_that_goes_in_circles_takes_no_square_of_the_time(unit: str) -> None:
    # Looked at again for each of its parts, this would take minutes (pytest-timeout).
    assert "墨" in for_streamlit(unit * 2_000 + "墨")


def test_the_direction_of_a_long_text_is_told_by_its_beginning() -> None:
    text = "א " + " ".join("`" * (n % 300 + 1) for n in range(600))
    assert is_right_to_left(text)
    assert not is_right_to_left("a " + "\\( " * 8_000 + "א")


CIRCLES: dict[str, Callable[[int], str]] = {
    "backticks of many widths": lambda n: " ".join("`" * (k + 1) + "x" for k in range(n // 4)),
    "a row of them": lambda n: (
        "|a|b|\n|-|-|\n|" + " | ".join("`" * (k + 1) + "x" for k in range(n // 4)) + "|\n"
    ),
    "dollars of many widths": lambda n: " ".join("$" * (k + 2) + "x" for k in range(n // 4)),
    "bars in code": lambda n: "|a|b|\n|-|-|\n|" + "`a|b`|" * n + "\n",
    "openers of formulas": lambda n: "\\[ a\n" * n,
    "openers in a quote": lambda n: "> \\[ a\n" * n,
    "openers in items": lambda n: "- \\[ a\n" * n,
    "openers and words": lambda n: "\\[ a b\nmore words\n" * n,
    "openers in a text": lambda n: "x " + "\\[ a " * n,
    "dollar openers": lambda n: "$$ a\n" * n,
    "escaped labels": lambda n: "\\[a]: " * n,
    "escaped brackets": lambda n: "\\[" * n + "]: " * n,
    "ends of labels": lambda n: "a " * n + "[" + "]: b " * n,
    "labels": lambda n: "[a]: b\n" * n,
}


def work_for(text: str) -> int:
    """Return how many functions are called for a text, Python's own and the library's."""
    calls = 0

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        for_streamlit(text)
    finally:
        sys.setprofile(before)
    return calls


@pytest.mark.parametrize("name", CIRCLES)
def test_the_work_grows_with_the_text(name: str) -> None:
    short, long = CIRCLES[name](150), CIRCLES[name](600)
    assert work_for(long) / work_for(short) < 1.3 * len(long) / len(short)


def test_runs_of_all_widths_are_looked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = 0
    find = re.finditer

    def counted(*arguments: Any) -> Any:
        nonlocal looks
        looks += 1
        return find(*arguments)

    monkeypatch.setattr("core.markdown.marks.runs.re.finditer", counted)
    for_streamlit(CIRCLES["backticks of many widths"](400) + " 墨")
    assert looks == 1
    for_streamlit(CIRCLES["a row of them"](400))
    assert looks <= 1 + 2 + 100  # once for the row, and once for each of its cells


@pytest.mark.parametrize(
    ("text", "end", "is_label"),
    [
        ("[a]: b", 3, True),
        ("  [a]: b", 5, True),
        ("x [a]: b", 5, False),
        ("x\n[a]: b", 5, True),
        ("\\[a]: b", 4, False),
        ("[b \\[a]: b", 7, True),
        ("a]: b", 2, False),
    ],
)
def test_a_label_at_the_head_of_a_line_is_known(text: str, end: int, is_label: bool) -> None:
    assert runs.begins_line_with_label(text, end) is is_label


@pytest.mark.parametrize(
    "text",
    ["$$א$", "x $א$ 5", "\\$א$", "\\[<br>", "a\n\\[<br/> ", "$$<br>", "[a]::\\]", "- [a]: `\\]`"],
)
def test_done_twice_it_changes_nothing_more(text: str) -> None:
    once = for_streamlit(text)
    assert for_streamlit(once) == once


def test_prices_hide_no_letters_from_the_direction() -> None:
    assert is_right_to_left("$$א$")
    assert is_right_to_left("$5 א $6")
    assert not is_right_to_left("$א$ is")
