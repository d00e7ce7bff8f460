"""Texts that nobody means and models write all the same: nothing breaks, nothing takes for ever."""

import pytest

from core.markdown.direction import is_right_to_left
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
