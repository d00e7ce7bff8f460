"""What is drawn of a text that grows: a long fence in one box, and all of it once it has ended."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from core.markdown.splitter import BlockSplitter
from core.ui.chat.answer import growing_text
from core.ui.chat.answer.growing_text import Chunk, Shown, as_drawn, chunks, settled

CODE = "".join(f"print({number})  # 第 {number} 行\n\n" * (number % 3) for number in range(90))
FENCE = f"```python\n{CODE}```"
TEXT = f"前言。\n\n{FENCE}\n\n后文。\n\n```sh\nls\n```\n\n{FENCE}\n\n结尾。"


class Page:
    """Stands for Streamlit: elements and boxes in the order of the page, as lists in lists."""

    def __init__(self) -> None:
        self.drawn: list[object] = []
        self.sent: list[str] = []
        self.boxes = 0

    def empty(self) -> "_Place":
        return _Place(self)

    @contextmanager
    def container(self, *, key: str, gap: str | None) -> Iterator[None]:
        yield

    def markdown(self, text: str) -> None:
        self.drawn.append(text)
        self.sent.append(text)

    def write_stream(self, stream: Iterable[Chunk]) -> None:
        running: str | None = None
        for chunk in stream:
            if not isinstance(chunk, str):
                running = None
                chunk()
                continue
            self.sent.append(str(chunk))
            if running is not None:
                self.drawn.pop()
            running = (running or "") + chunk
            self.drawn.append(running)


class _Place:
    def __init__(self, page: Page) -> None:
        self._page = page
        self._at = len(page.drawn)
        page.drawn.append([])

    @contextmanager
    def container(self, *, key: str, gap: str | None) -> Iterator[None]:
        self._page.boxes += 1
        outside = self._page.drawn
        inside: list[Any] = []
        self._page.drawn = inside
        yield
        self._page.drawn = outside
        outside[self._at] = inside

    def markdown(self, text: str) -> None:
        self._page.drawn[self._at] = text
        self._page.sent.append(text)


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Page:
    one = Page()
    monkeypatch.setattr(growing_text, "st", one)
    return one


def looks(text: str, cuts: Iterable[str], *, is_answer: bool = True) -> Iterator[Shown]:
    splitter = BlockSplitter(400, joins_code=True)
    for cut in cuts:
        splitter.feed(cut)
        frozen, live = splitter.tail_parts()
        yield from settled(frozen, is_end=False)
        yield Shown(as_drawn(live), is_settled=False)
    splitter.finish()
    frozen, _ = splitter.tail_parts()
    yield from settled(frozen, is_end=is_answer)


def pieces_of(text: str, dice: Random, most: int) -> Iterator[str]:
    position = 0
    while position < len(text):
        size = dice.randint(1, most)
        yield text[position : position + size]
        position += size


def code_in(parts: object) -> str:
    assert isinstance(parts, list)
    tokens = [MarkdownIt("commonmark").parse(part) for part in parts]
    # Streamlit takes away one line end at each end.
    return "".join(token.content.removeprefix("\n").removesuffix("\n") for (token,) in tokens)


@pytest.mark.parametrize("most", [5, 60, 900])
@pytest.mark.parametrize("seed", range(10))
def test_what_has_ended_is_drawn_whole_where_its_box_was(page: Page, seed: int, most: int) -> None:
    page.write_stream(chunks(looks(TEXT, pieces_of(TEXT, Random(seed), most)), "content"))

    drawn = [text for text in page.drawn if text not in ([], "")]
    expected = ["前言。", FENCE, "后文。", "```sh\nls\n```", FENCE, "结尾。"]
    # Before the first part its beginning was drawn, which the page's style hides.
    assert [text for text in drawn if text in expected] == expected
    assert all(FENCE.startswith(str(t)[:30]) for t in drawn if t not in expected)
    assert page.boxes <= 2


@pytest.mark.parametrize("seed", range(10))
def test_what_is_open_at_the_end_stays_in_its_box(page: Page, seed: int) -> None:
    text = TEXT[: TEXT.index("```\n\n后文")]
    page.write_stream(chunks(looks(text, pieces_of(text, Random(seed), 30)), "content"))

    assert code_in(page.drawn[-1]).rstrip() == CODE.rstrip()
    assert all("```python" not in str(one) or len(str(one)) < 700 for one in page.sent)


def test_open_thoughts_are_drawn_whole_since_they_are_not_drawn_anew(page: Page) -> None:
    text = TEXT[: TEXT.index("```\n\n后文")]
    cuts = pieces_of(text, Random(0), 30)
    page.write_stream(chunks(looks(text, cuts, is_answer=False), "reasoning"))

    assert page.drawn[-1] == f"```python\n{CODE}".rstrip()


def test_a_short_fence_has_no_box(page: Page) -> None:
    text = "```sh\nls\n```\n\n后文。"
    page.write_stream(chunks(looks(text, text), "content"))

    assert page.drawn == ["```sh\nls\n```", "后文。"]
    assert page.boxes == 0


@pytest.mark.parametrize("language", ["mermaid", "math"])
def test_what_is_not_drawn_as_code_has_no_box(page: Page, language: str) -> None:
    text = f"```{language}\n" + "a --> b\n" * 200
    page.write_stream(chunks(looks(text, pieces_of(text, Random(1), 90)), "content"))

    assert page.boxes == 0


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_one_endless_fence_costs_what_it_adds(seed: int) -> None:
    page = Page()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(growing_text, "st", page)
        text = "```python\n" + "print('流式输出的每一段都要尽快显示')\n" * 300
        page.write_stream(chunks(looks(text, pieces_of(text, Random(seed), 80)), "content"))

    assert sum(map(len, page.sent)) < 6 * len(text)
    assert max(map(len, page.sent[:-1])) < 700


def test_what_is_settled_when_it_comes_takes_its_place_in_one_message() -> None:
    """A text would have it emptied first, and what an earlier run drew there would blink."""
    fed = list(
        chunks(iter([Shown("一。"), Shown("二。"), Shown("三", is_settled=False)]), "content")
    )
    assert [isinstance(chunk, str) for chunk in fed] == [False, False, True]
