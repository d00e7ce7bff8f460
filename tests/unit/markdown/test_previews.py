"""Which code blocks can be shown as what they describe."""

import pytest

from core.markdown.previews import BLOCKS_MOST, preview_blocks

SVG = "<svg viewBox='0 0 9 9'><circle r='3'/></svg>\n"
PAGE = "<!DOCTYPE html>\n<p>hi\n"


def fence(language: str, source: str, run: str = "```") -> str:
    return f"{run}{language}\n{source}{run}\n"


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("no code at all", []),
        ("a ``` in a line", []),
        (fence("html", "<p>hi</p>\n"), ["html"]),
        (fence("HTML title=a.html", "<p>hi</p>\n"), ["html"]),
        (fence("html", SVG), ["svg"]),
        (fence("svg", SVG), ["svg"]),
        (fence("xml", SVG), ["svg"]),
        (fence("xml", f'<?xml version="1.0"?>\n<!-- a --><!-- b -->\n{SVG}'), ["svg"]),
        (fence("xml", "<note><svgs/></note>\n"), []),
        (fence("", PAGE), ["html"]),
        (fence("", SVG), ["svg"]),
        (fence("", "plain words\n"), []),
        (fence("json", "{}\n"), ["json"]),
        (fence("json", "{\n", "~~~~"), ["json"]),
        (fence("json", " \n"), []),
        (fence("python", "'<svg>'\n"), []),
        (fence("mermaid", "graph TD\n"), []),
        (fence("markdown", fence("json", "{}\n"), "````"), []),
        (f"- a list\n\n  ```json\n  [1]\n  ```\n\n> {fence('svg', SVG)[:-1]}", ["json"]),
        ("```json\n[1,", ["json"]),  # an answer that was cut off
        (fence("json", "1\n") + fence("html", PAGE), ["json", "html"]),
        (fence("json", "1\n") * 99, ["json"] * BLOCKS_MOST),
    ],
)
def test_what_can_be_shown(text: str, kinds: list[str]) -> None:
    assert [block.kind for block in preview_blocks(text)] == kinds


def test_a_block_is_given_without_its_indentation() -> None:
    (block,) = preview_blocks("1. a\n\n   ~~~json\n   {\n     1\n   }\n   ~~~\n")
    assert block.source == "{\n  1\n}\n"


@pytest.mark.parametrize("unit", ["<!-- ", "<?xml ", "<!-- --> ", "```\n", "~~~json\n", "> "])
def test_no_text_takes_long(unit: str) -> None:
    """Each within what a test may take (pytest's timeout): nothing grows as a square."""
    preview_blocks("```\n" + unit * 60_000)
