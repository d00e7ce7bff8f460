"""A growing fence in parts: joined they are its code, at every moment and in any cuts."""

import random
import re
from collections.abc import Iterator

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from core.markdown.growing_fence import FencePart, as_block
from core.markdown.rendering import shielded
from core.markdown.splitter import BlockSplitter

LIMIT = 40


def code_shown(markdown: str) -> str:
    """Return what Streamlit shows of the one fence of a Markdown text."""
    tokens = MarkdownIt("commonmark").parse(markdown.removeprefix("[\ue000]: #\n\n"))
    assert [token.type for token in tokens] == ["fence"], markdown
    # StreamlitMarkdown: String(children).replace(/^\n/, "").replace(/\n$/, "")
    return re.sub(r"\n\Z", "", re.sub(r"\A\n", "", tokens[0].content))


def cuts(text: str, dice: random.Random) -> Iterator[str]:
    position = 0
    while position < len(text):
        size = dice.choice([1, 1, 2, 3, 7, 40, 200])
        yield text[position : position + size]
        position += size


class Eye:
    """Sees what a page shows that draws the parts of a fence in one box."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._splitter = BlockSplitter(limit, joins_code=True)
        self.before: list[str] = []  # pieces that stand alone
        self.box = ""  # what the settled parts of the fence show
        self.parts = 0
        self.whole = ""  # Markdown of the fence once it has ended
        self.live = ""
        self.seen = ""  # all that is seen of the code

    def feed(self, text: str) -> None:
        self._splitter.feed(text)
        self._look()

    def finish(self) -> None:
        self._splitter.finish()
        self._look()

    def _look(self) -> None:
        frozen, live = self._splitter.tail_parts()
        for piece in frozen:
            if isinstance(piece, FencePart):
                assert not self.whole
                if piece.code:
                    self.box += code_shown(piece)
                    self.parts += 1
                    # Nothing that was seen is taken back, not even until the live rest comes.
                    assert self.box.startswith(self.seen)
                    self.seen = self.box
                self.whole = piece.whole or ""
            else:
                self.before.append(piece)
        self.live = live
        if isinstance(live, FencePart):
            now = self.box + (code_shown(live) if live else "")
            assert now.startswith(self.seen)
            self.seen = now


LINES = [
    *(
        "x = 1",
        "    indented",
        "\tby a tab",
        "  \t both",
        "",
        "",
        "   ",
        "# heading",
        "> quote",
        "- a",
    ),
    *(
        "$x$ costs $5",
        "<div>&amp;",
        "</div>",
        "[a]: /u",
        "[a][a]",
        "| a | b |",
        "---",
        "~~~",
        "~~~~",
    ),
    *(
        "``",
        "``x``",
        "` ` `",
        "````py",
        "   print('墨')",
        "a" * 90,
        "\\",
        "\\begin{align}",
        "$$",
        ":red[a]",
    ),
    *("trailing  ", "\ufeffx", "\u00a0", "墨水" * 30, "====", "```js", "``` x"),
]
lines = st.lists(st.sampled_from(LINES), max_size=30)
openings = st.sampled_from(["```python", "```", "````", "~~~", "  ```sh", "``` js x=1", "```C++"])
ends = st.sampled_from(["\n", "\r\n"])


def fence_of(opening: str, code: list[str], end: str) -> tuple[str, str]:
    run = re.match(r" *([`~]+)", opening)
    assert run
    if run[1][0] == "~":
        code = [line for line in code if not line.startswith("~~~")]
    code = [line for line in code if len(run[1]) > 3 or line.strip() != "```"]
    return "".join(f"{line}{end}" for line in (opening, *code)), run[1]


@settings(max_examples=500, deadline=None)
@given(opening=openings, code=lines, end=ends, seed=st.integers(0, 1_000), closes=st.booleans())
@example("```python", ["", "", "a"] * 20, "\n", 1, True)
@example("```", ["```js", "a" * 50, "b"], "\n", 0, True)
def test_the_parts_joined_are_the_code_in_any_cuts(
    opening: str, code: list[str], end: str, seed: int, closes: bool
) -> None:
    text, run = fence_of(opening, code, end)
    text += run + end if closes else ""
    eye = Eye()
    for cut in cuts(text, random.Random(seed)):
        eye.feed(cut)
        assert code_shown(text).startswith(eye.seen.removesuffix("\n"))
    eye.finish()

    if eye.parts:
        # Blank lines at the end of all that came show nothing.
        text_end = "" if closes else "\n"
        assert eye.box.removesuffix("\n").rstrip(text_end) == code_shown(text).rstrip(text_end)
        assert eye.whole.rstrip() == text.rstrip()
        assert eye.before == []


FRAGMENTS = [
    *("a", "b c", "价格。", "$", "$$", "\\[", "\\]", "\\begin{align}\n", "\\end{align}"),
    *("\n", "\n", "\n\n", "\r\n", "\r", "  ", "    ", "\t", "code\n", "---", "===", "||"),
    *("- ", "1. ", "> ", "# ", "| a | b |\n|---|---|\n", "[a]: /u\n", "[^1]: "),
    *("```", "```\n", "~~~", "```py\n", "```md\n", "```sh\n", "`"),
]


@settings(max_examples=500, deadline=None)
@given(
    text=st.lists(st.sampled_from(FRAGMENTS), max_size=60).map("".join),
    seed=st.integers(0, 1_000),
    limit=st.integers(1, 60),
)
@example("$$ x\n```py\n" + "a\n" * 30 + "```\n+ y\n$$\nend\n", 0, 20)
@example("[a]: /u\n```py\n" + "a\n" * 30 + "```\nend\n", 0, 20)
@example("\n \n```py\n" + "a\n" * 30 + "```\n\n\nend", 0, 20)
def test_whatever_comes_each_fence_is_told_in_parts_and_then_whole(
    text: str, seed: int, limit: int
) -> None:
    splitter = BlockSplitter(limit, joins_code=True)
    pieces: list[str] = []
    for cut in cuts(text, random.Random(seed)):
        splitter.feed(cut)
        pieces += splitter.tail_parts()[0]
    splitter.finish()
    rest, live = splitter.tail_parts()

    assert live == ""
    code, position = "", 0
    for piece in pieces + rest:
        if not isinstance(piece, FencePart):
            assert code == ""  # nothing stands among the parts of a fence
            continue
        code += piece.code
        if piece.whole is not None:
            assert code in piece.whole
            position = text.index(piece.whole, position) + len(piece.whole)
            code = ""
    assert code == ""


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("```markdown\n# T\n```sh\nls\n```\n\nAfter.\n```\n", "# T\n```sh\nls\n```\n\nAfter."),
        ("````md\n```\nx\n```\n````\n", "```\nx\n```"),
        ("~~~ py\n```\nx\n```\n~~~~  \n", "```\nx\n```"),
        ("```\n    ```\n```x\n``\n```\n", "    ```\n```x\n``"),
        ("~~~\n~~~ x\n~~\n~~~\n", "~~~ x\n~~"),
    ],
)
@pytest.mark.parametrize("size", [1, 2, 3])
def test_a_fence_ends_where_it_ends(text: str, whole: str, size: int) -> None:
    document = f"{text}\n后文。\n"
    eye = Eye(limit=12)
    for at in range(0, len(document), size):
        eye.feed(document[at : at + size])
    eye.finish()

    assert [piece.strip() for piece in eye.before] == ["后文。"]
    assert eye.box.removesuffix("\n") == whole
    assert eye.whole.rstrip() == text.rstrip()


@pytest.mark.parametrize(
    "text",
    [
        "1. a\n\n   ```py\n" + "   x = 1\n" * 60,
        "> ```py\n" + "> x = 1\n" * 60,
        "```a`b\n" + "x = 1\n" * 60,
        "    x = 1\n" * 60,
        "```mermaid\n" + "a --> b\n" * 60,
        "```math\n" + "a + b\n" * 60,
        "```mermaid流程图\n" + "a --> b\n" * 60,
        "```&#109;ermaid\n" + "a --> b\n" * 60,
    ],
)
def test_what_is_no_code_of_the_document_itself_is_told_as_before(text: str) -> None:
    joined = BlockSplitter(LIMIT, joins_code=True)
    alone = BlockSplitter(LIMIT)
    for cut in cuts(text, random.Random(3)):
        joined.feed(cut)
        alone.feed(cut)
        assert joined.tail_parts() == alone.tail_parts()


@pytest.mark.parametrize("space", ["\u3000", "\u00a0", "\f"])
def test_a_run_with_what_is_no_space_to_markdown_behind_it_ends_no_fence(space: str) -> None:
    text = "```py\n" + "x = 1\n" * 60 + f"```{space}\n" + "y = 2\n" * 60
    eye = Eye()
    for cut in cuts(text, random.Random(7)):
        eye.feed(cut)
    assert eye.before == []
    assert not eye.whole


def test_the_whole_fence_is_indented_as_any_block() -> None:
    """`st.markdown` takes the indentation of the first line away, and only that."""
    fence = "\n  ```py\n" + "    x = 1\n" * 60 + "  ```\n"
    assert as_block(fence) == shielded(fence[1:])


def test_a_line_without_an_end_is_one_part() -> None:
    eye = Eye()
    text = "```json\n" + '{"a": 1},' * 300
    for cut in cuts(text, random.Random(5)):
        eye.feed(cut)
    assert eye.parts == 0
    assert eye.seen == "" or text.endswith(eye.seen)

    eye.feed("\n]\n")
    assert eye.parts == 1
