"""What models write otherwise than CommonMark: what Streamlit is told, also while it grows."""

from collections.abc import Iterable, Iterator

import pytest
from hypothesis import HealthCheck, given, settings, strategies
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML

from core.markdown.block_parser import parser
from core.markdown.live_tail import _JUST_BEGUN
from core.markdown.provisional_cuts import CODE_CHARS
from core.markdown.rendering import for_streamlit
from core.markdown.splitter import BlockSplitter
from tests.browser.corpus import documents

DOCUMENTS = {document.name: document.source for document in documents()}
# A note, or an address, that comes in a later block is known only in the whole.
DEFINED_LATER = {"脚注", "footnotes", "reference link"}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("10~20 元", r"10\~20 元"),
        ("~~去~~ 与 ~x~", r"~~去~~ 与 \~x\~"),
        ("| ~ |\n|---|\n| 1~2 |", "| \\~ |\n|---|\n| 1\\~2 |"),
        ("[a](http://x/~b) https://x/~c <http://x/~d>", None),
        (r"\~ `~` $~$", None),
        ("- a<br>b", "- a\\\n  b"),
        ("> 1. a<BR />b", "> 1. a\\\n>    b"),
        ("a<br>- b", "a\\\n&#8203;- b"),
        ("a<br>\nb", "a\\\nb"),
        ("<br>a<br>", "a"),
        ("# a<br>b", "# a&#10;b"),
        ("| a<br>b |\n|---|\n| c<br/> |", "| a&#10;b |\n|---|\n| c |"),
        ("`<br>` <b>x</b>", None),
        ("| `a|b` | c |\n|---|---|", "| `a\\|b` | c |\n|---|---|"),
        ("| a |\n|---|\n| $|x|$ |", "| a |\n|---|\n| $\\vert x\\vert$ |"),
        ("| a |\n|---|\n| $P(A\\|B)$ |", "| a |\n|---|\n| $P(A\\vert B)$ |"),
        ("| a |\n|---|\n| $\\|x\\|$ |", None),
        ("| a | b |\n|---|---|\n| ` | ` |", None),
        ("| a | b |\n|---|---|\n| `x|y` |", "| a | b |\n|---|---|\n| `x\\|y` |"),
        ("| a | b |\n|---|---|\n|$HOME|$PATH|", "| a | b |\n|---|---|\n|\\$HOME|\\$PATH|"),
        ("| `a|b` | c |\n|---|---|---|", None),
        ("שלום", ":shimmer[]שלום"),
        ("- [ ] שלום", "- [ ] :shimmer[]שלום"),
        ("`x` שלום", ":shimmer[]`x` שלום"),
        ("API שלום", None),
    ],
)
def test_signs_are_told_as_they_were_meant(text: str, shown: str | None) -> None:
    assert for_streamlit(text) == (text if shown is None else shown)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            "\\begin{align}\na &= b \\\\\nc\n\\end{align}\nd",
            "$$\n\\begin{align}\na &= b \\\\\nc\n\\end{align}\n$$\nd",
        ),
        (
            "> - \\begin{cases}\n>   a\n>   \\end{cases}",
            "> - $$\n>   \\begin{cases}\n>   a\n>   \\end{cases}\n>   $$",
        ),
        ("\\begin{align}\na", "```latex\n\\begin{align}\na\n```"),
        (
            "x \\begin{align*} a \\end{align*} y",
            "x $\\begin{aligned} a \\end{aligned}$ y",
        ),
        ("\\begin{multline}\na\n\\end{multline}", "$$\n\\begin{gather}\na\n\\end{gather}\n$$"),
        ("$$\nx \\label{a}\n$$", "$$\nx\n$$"),
        ("\\begin{itemize}\n\\end{itemize}", None),
    ],
)
def test_a_bare_environment_is_a_formula(text: str, shown: str | None) -> None:
    assert for_streamlit(text) == (text if shown is None else shown)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("```md\n```js\nx\n```\n```\ny", "````md\n```js\nx\n```\n````\ny"),
        ("> ~~~md\n> ~~~js\n> ~~~\n> ~~~", "> ~~~~md\n> ~~~js\n> ~~~\n> ~~~~"),
        ("- ```md\n  ```js\n  ```\n  ```", "- ````md\n  ```js\n  ```\n  ````"),
        ("```md\n```js\nx", "````md\n```js\nx"),
        ("```py\n```js\n```", None),
        ("````md\n```js\n```\n````", None),
    ],
)
def test_the_outer_fence_is_longer_than_the_inner(text: str, shown: str | None) -> None:
    assert for_streamlit(text) == (text if shown is None else shown)


def test_a_diagram_has_its_source_beside_it() -> None:
    diagram = "- ```mermaid\n  graph TD\n  ```\n"

    shown = for_streamlit(diagram)

    assert shown == diagram + "  ```diagramsource\n  graph TD\n  ```\n"
    assert for_streamlit("```mermaid\ngraph TD") == "```text\ngraph TD"


@pytest.fixture
def markdown() -> Iterator[MarkdownIt]:
    md = parser()
    assert isinstance(md.renderer, RendererHTML)
    rules = dict(md.renderer.rules)
    md.add_render_rule("definition", lambda *_: "")
    md.add_render_rule("math_block", lambda _, tokens, i, *__: f"<math>{tokens[i].content}</math>")
    yield md
    md.renderer.rules = rules


def expect_prefixes_drawn_as_wholes(markdown: MarkdownIt, text: str, ends: Iterable[int]) -> None:
    splitter = BlockSplitter()
    pieces: list[str] = []
    fed = 0
    for end in ends:
        splitter.feed(text[fed:end])
        fed = end
        frozen, live = splitter.tail_parts()
        pieces += frozen

        whole = for_streamlit(_JUST_BEGUN.sub("", text[:end]))
        drawn = "".join(markdown.render(for_streamlit(piece)) for piece in (*pieces, live))

        assert drawn == markdown.render(whole), text[:end]


@pytest.mark.parametrize("name", [name for name in DOCUMENTS if name not in DEFINED_LATER])
def test_every_prefix_is_drawn_as_its_whole(markdown: MarkdownIt, name: str) -> None:
    text = DOCUMENTS[name]
    ends = {at + 1 for at, sign in enumerate(text) if sign == "\n"} | {*range(1, len(text), 5)}

    expect_prefixes_drawn_as_wholes(markdown, text, sorted(ends))


@pytest.mark.parametrize(
    "text",
    [
        *("- \n\n- a", "-\n\n- a\n- b", "1. \n\n2. a\n\nb", "- x\n\n-\n\n- y\n\n      z"),
        *("- \n\n  - a", "-\n\n    a\n- b", "- \n\na", "> - \n>\n> - a\n\nb", "-\n\n+ a"),
    ],
)
def test_a_list_goes_on_behind_an_empty_item(markdown: MarkdownIt, text: str) -> None:
    expect_prefixes_drawn_as_wholes(markdown, text, range(1, len(text) + 1))


FRAGMENTS = [
    *("a", " b ", "价格", "。", "$5", "$x$", "$|x|$", "`c`", "`a|b`", "~", "~~", "**", "\u05d0"),
    *("\n", "\n", "\n\n", "\r\n", "- ", "1. ", "  ", "    ", "> ", "# ", "|", "|-|-|", "<br>"),
    *("```", "```md", "```sh", "~~~", "~~~md", "```mermaid", "$$", "\\[", "\\]", "&"),
    *("\\begin{align}", "\\end{align}", "\\begin{cases}", "\\end{cases}", "\\\\"),
]
markdownish = strategies.lists(strategies.sampled_from(FRAGMENTS), max_size=25).map("".join)


@settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(text=markdownish, step=strategies.integers(1, 9))
def test_every_prefix_of_random_text_is_drawn_as_its_whole(
    markdown: MarkdownIt, text: str, step: int
) -> None:
    expect_prefixes_drawn_as_wholes(markdown, text, range(step, len(text) + step, step))


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_second_time_changes_nothing(name: str) -> None:
    once = for_streamlit(DOCUMENTS[name])

    assert for_streamlit(once) == once


@pytest.mark.parametrize("run", ["```python\n", "```markdown\n", "1. a\n\n   ```python\n", "    "])
def test_code_is_one_box_while_it_grows(run: str) -> None:
    splitter = BlockSplitter(display_limit=400)
    indent = {"1. a": "   ", "    ": "    "}.get(run[:4], "")
    code = "".join(f"{indent}print({line})\n" for line in range(400))
    pieces: list[str] = []
    for line in (run + code)[:CODE_CHARS].splitlines(keepends=True):
        splitter.feed(line)
        frozen, _ = splitter.tail_parts()
        pieces += frozen

    assert "print(" not in "".join(pieces)
