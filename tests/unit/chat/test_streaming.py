"""What the page feeds to write_stream: settled blocks once, the tail again and again."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import partial
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.markdown.rendering import for_streamlit
from core.markdown.splitter import BlockSplitter
from core.models.chat import AnswerStatus, Message
from core.models.deltas import Delta
from core.ui.chat import streaming
from core.ui.chat.answer import growing_text
from core.ui.chat.answer.growing_text import Chunk, Replacement
from core.ui.live.waiting import Waiting
from core.work.chat.buffers.cursors import Cursor, Growth
from core.work.chat.live_answer import LiveAnswer

TEXT = (
    "# 标题\n\n第一段，**粗体**，价格 $5 到 $9。\n\n1. 一\n2. 二\n\n   二的第二段\n3. 三\n\n"
    "```python\nprint('行')\n\nprint('空行之后')\n```\n\n| 甲 | 乙 |\n|---|---|\n| 1 | 2 |\n\n"
    "> 引用\n\n$$\nE = mc^2\n$$\n\n[1]: https://example.com\n\n见 [链接][1]。\n\n结尾"
)
Pieces = Iterable[Chunk]


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody looks at these pages: the tail need not rest. What they wait for is there."""
    monkeypatch.setattr(streaming, "pause_s", lambda _tail: 0.0)
    monkeypatch.setattr(Waiting, "wait", lambda _: None)


def live_answer() -> LiveAnswer:
    now = datetime(2026, 11, 22, tzinfo=UTC)
    message = Message("a1", "c1", "q1", "assistant", "", now, status=AnswerStatus.RUNNING)
    return LiveAnswer(message, "local")


def written(pieces: Pieces) -> tuple[list[str], list[str]]:
    """Do with the pieces what write_stream does; return its elements, and all texts it sent."""
    closed, sent = [], []
    running = ""
    for piece in pieces:
        if isinstance(piece, str):
            running += piece
            sent.append(running)
            continue
        if running:
            closed.append(running)
        running = ""
        if isinstance(piece, partial) and piece.func is growing_text._draw:
            closed += piece.args
            sent += piece.args
        else:
            piece()
    return closed + [running] * bool(running), sent


def blocks_of(text: str) -> list[str]:
    splitter = BlockSplitter(streaming.DISPLAY_LIMIT)
    splitter.feed(text)
    splitter.finish()
    frozen, _ = splitter.tail_parts()
    return [for_streamlit(piece).rstrip() for piece in frozen]


def grown(live: LiveAnswer, cuts: Iterable[str]) -> Iterator[str]:
    """Let the answer grow by a cut each time the page looks."""
    for cut in cuts:
        live.add(Delta("content", [cut]))
        yield cut
    live.finish(AnswerStatus.COMPLETE)


class Stepped(LiveAnswer):
    """Grows by one piece each time the page has seen everything, and waits for more."""

    def __init__(self, cuts: Iterable[str]) -> None:
        now = datetime(2026, 11, 22, tzinfo=UTC)
        message = Message("a1", "c1", "q1", "assistant", "", now, status=AnswerStatus.RUNNING)
        super().__init__(message, "local")
        self._growing = grown(self, cuts)

    def read(self, cursor: Cursor) -> Growth:
        growth = super().read(cursor)
        if growth.cursor.version == cursor.version:
            next(self._growing, None)
        return growth


def cut_at_random(text: str, dice: Random) -> list[str]:
    cuts, position = [], 0
    while position < len(text):
        size = dice.randint(1, 12)
        cuts.append(text[position : position + size])
        position += size
    return cuts


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("seed", range(20))
def test_the_elements_in_the_end_are_the_blocks_however_the_text_was_cut(seed: int) -> None:
    watcher = streaming._Watcher(Stepped(cut_at_random(TEXT, Random(seed))))
    elements, _ = written(watcher.pieces("content"))
    assert elements == blocks_of(TEXT)


@pytest.mark.usefixtures("quick")
def test_a_finished_answer_is_sent_once() -> None:
    live = live_answer()
    live.add(Delta("content", [TEXT]))
    live.finish(AnswerStatus.COMPLETE)
    elements, sent = written(streaming._Watcher(live).pieces("content"))
    assert elements == sent == ["\n\n".join(blocks_of(TEXT))]


@pytest.mark.usefixtures("quick")
def test_a_thousand_blocks_at_once_do_not_become_a_thousand_messages() -> None:
    live = live_answer()
    live.add(Delta("content", ["".join(f"第 {number} 段。\n\n" for number in range(1_000))]))
    live.finish(AnswerStatus.COMPLETE)
    elements, sent = written(streaming._Watcher(live).pieces("content"))
    assert len(sent) == 1
    assert elements[0].split("\n\n") == [f"第 {number} 段。" for number in range(1_000)]


@pytest.mark.usefixtures("quick")
def test_what_is_shown_already_is_not_sent_again() -> None:
    live = Stepped(["一句话。", "\n", "\n", "\n", "另一句。"])
    _, sent = written(streaming._Watcher(live).pieces("content"))
    assert sent == ["一句话。", "另一句。"]


@pytest.mark.usefixtures("quick")
def test_reasoning_ends_where_the_answer_begins() -> None:
    live = live_answer()
    live.add(Delta("reasoning_content", ["先想一想。"]))
    live.add(Delta("content", ["再回答。"]))
    watcher = streaming._Watcher(live)
    watcher.wait_for_text()
    assert written(watcher.pieces("reasoning"))[0] == ["先想一想。"]
    live.finish(AnswerStatus.COMPLETE)
    assert written(watcher.pieces("content"))[0] == ["再回答。"]


@pytest.mark.usefixtures("quick")
def test_a_stopped_answer_shows_what_came() -> None:
    live = live_answer()
    live.add(Delta("content", ["半句**没有"]))
    live.finish(AnswerStatus.STOPPED)
    assert written(streaming._Watcher(live).pieces("content"))[0] == ["半句**没有"]


@pytest.mark.usefixtures("quick")
def test_one_endless_paragraph_is_not_sent_whole_again_and_again() -> None:
    text = "流式输出的每一段都要尽快显示，重绘的代价不能随着全文增长。" * 200
    live = Stepped([text[at : at + 14] for at in range(0, len(text), 14)])
    _, sent = written(streaming._Watcher(live).pieces("content"))
    assert max(map(len, sent)) <= 2 * streaming.DISPLAY_LIMIT
    assert sum(map(len, sent)) < 25 * len(text)  # each of 400 steps sent it: on average 17 times


@given(st.integers(min_value=0, max_value=100_000))
def test_a_longer_tail_rests_longer_but_never_long(chars: int) -> None:
    pause_s = streaming.pause_s("墨" * chars)
    assert 1 / streaming.TAIL_PER_S <= pause_s <= streaming.LONGEST_REST_S
    if 3 * chars <= 2_400:  # all but long code
        assert pause_s <= 1 / streaming.LONG_TAIL_PER_S
    assert pause_s >= streaming.pause_s("墨" * (chars // 2))


def test_a_replacement_takes_the_place_of_what_was_shown() -> None:
    shown = "" + Replacement("一")
    assert shown + Replacement("二") == "二"
    assert type(shown + Replacement("二")) is str


class _RerunError(Exception):
    """What `st.rerun` does here."""


@pytest.mark.usefixtures("quick")
def test_a_page_that_showed_thinking_as_the_answer_begins_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def rerun() -> None:
        raise _RerunError

    monkeypatch.setattr("streamlit.rerun", rerun)
    live = Stepped(["First weigh.\n\n", "</think>", "It is 42."])
    with pytest.raises(_RerunError):
        written(streaming._Watcher(live).pieces("content"))
    again = streaming._Watcher(live)
    again.wait_for_text()
    assert again._unread == {"reasoning": "First weigh.", "content": ""}
    assert written(again.pieces("content"))[0] == ["It is 42."]


@pytest.mark.usefixtures("quick")
def test_a_page_that_has_read_everything_waits_though_thought_is_left_unshown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An answer with tools thinks again while its text is shown."""
    live, waits = live_answer(), 0
    live.add(Delta("content", ["第一段"]))
    looks = iter(range(50))
    read = live.read
    monkeypatch.setattr(live, "read", lambda cursor: (next(looks), read(cursor))[1])

    def wait(_: Waiting) -> None:
        nonlocal waits
        waits += 1
        if waits == 1:
            live.add(Delta("reasoning_content", ["再想"]))
        else:
            live.finish(AnswerStatus.COMPLETE)

    monkeypatch.setattr(Waiting, "wait", wait)
    assert list(streaming._Watcher(live).pieces("content"))
    assert waits == 2
