"""Shows a running answer: attaches to the job, and costs the wire little more than the text.

Settled Markdown blocks are sent once, and only the live tail again, at most TAIL_PER_S times a
second (`answer/growing_text`, docs/decisions/0004-settled-blocks.md).
"""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.markdown.rendering import for_streamlit, shielded
from core.markdown.splitter import BlockSplitter
from core.models.chat import Conversation, Message
from core.models.parts import ToolStep, steps_in
from core.ui import session
from core.ui.chat import message as message_view
from core.ui.chat.answer import steps
from core.ui.chat.answer.growing_text import Chunk, Shown, as_drawn, chunks, settled
from core.ui.chat.answer.places import AnswerPlaces
from core.ui.formats import duration
from core.ui.live.chunks import Chunks
from core.ui.live.waiting import Waiting
from core.ui.live.watching import redraw_page
from core.ui.session import text
from core.work.chat.buffers.cursors import Cursor
from core.work.chat.live_answer import LiveAnswer

# How often the live tail is sent again: a long one less often, for the sake of the wire.
TAIL_PER_S = 12
LONG_TAIL_PER_S = 5
TAIL_BYTES_PER_S = 3_600
# A long formula, a diagram or code in a list is not shown in pieces: it is sent again less often.
CODE_BYTES_PER_S = 20_000
LONGEST_REST_S = 1.5
CLOCK_S = 1.0
TITLE_BEAT_S = 0.5
# A longer open block is shown in pieces while it grows: its live rest is what is sent again.
DISPLAY_LIMIT = 400
# After its end an answer is drawn from the store: so long the store has to take it.
SAVED_TIMEOUT_S = 2.0


def attach(live: LiveAnswer, has_news: Callable[[], bool] = lambda: False) -> None:
    """Draw the answer as it grows until it ends; everything so far comes at once.

    The page is drawn anew where it `has_news` of something else meanwhile.
    """
    with st.container():
        watcher = _Watcher(live, has_news)
        with watcher.listening():
            watcher.wait_for_text()
            watcher.stream_reasoning()
            st.write_stream(Chunks(watcher.pieces("content")))
    live.saved.wait(SAVED_TIMEOUT_S)


def follow(message: Message, place: DeltaGenerator) -> None:
    """Draw an answer that another process writes, from the store, again and again until it ends."""

    @st.fragment(run_every=CLOCK_S)
    def draw() -> None:
        stored = session.studio().store.messages.get(session.owner(), message.id)
        if stored is None or stored.status.is_final:
            redraw_page()
        if stored is None:
            return
        steps.draw_steps(steps_in(stored.parts))
        st.markdown(shielded(for_streamlit(stored.content)))
        st.caption(text("chat.elsewhere"))

    with place:
        draw()


def await_title(conversation: Conversation) -> None:
    """Draw the page anew once the title is there that the model writes after the first answer."""
    studio = session.studio()

    @st.fragment(run_every=TITLE_BEAT_S)
    def look() -> None:
        if not studio.answers.is_title_awaited(conversation.id):
            redraw_page()

    is_awaited = studio.answers.is_title_awaited(conversation.id)
    fresh = studio.store.conversations.get(session.owner(), conversation.id)
    if is_awaited:
        look()
    elif fresh is not None and fresh.title != conversation.title:
        # It was written since the conversation was read. Nothing is drawn behind this: no press of
        # this run is lost, and a beat would come just when people leave for another page.
        st.rerun()


class _Watcher:
    """One page's view of one running answer."""

    def __init__(self, live: LiveAnswer, has_news: Callable[[], bool] = lambda: False) -> None:
        self._live = live
        self._has_news = has_news
        self._cursor = Cursor()
        self._unread = {"reasoning": "", "content": ""}
        self._is_final = False
        self._places = AnswerPlaces(live)
        self._waiting = Waiting()
        self._clock: Callable[[], None] | None = None
        self._steps: tuple[ToolStep, ...] = ()

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Be woken by what comes, and by what is pressed meanwhile."""
        leave = self._live.listen(self._waiting.notify)
        try:
            yield
        finally:
            leave()

    def wait_for_text(self) -> None:
        """Hold the answer's place until its first text comes."""
        place = self._places.waiting
        self._read()
        shown = ""
        while not self._has_unread and not self._is_final:
            if (label := self._waiting_label()) != shown:
                place.markdown(f":shimmer[{label}]")
                shown = label
            self._wait()
        place.empty()

    def stream_reasoning(self) -> None:
        """Stream the reasoning in a status of its own, folded as soon as the answer begins."""
        if not self._unread["reasoning"]:
            return
        has_answer = bool(self._unread["content"]) or self._is_final
        label = self._folded_label() if has_answer else self._thinking_label()
        place = st.container() if self._places.tools is None else self._places.tools[0]
        status = place.status(label, type="compact", expanded=not has_answer)
        last_tick_at = time.monotonic()

        def tell() -> None:
            nonlocal last_tick_at
            if time.monotonic() - last_tick_at >= CLOCK_S:
                last_tick_at = time.monotonic()
                status.update(label=self._thinking_label())

        with status:
            self._clock = tell
            st.write_stream(Chunks(self.pieces("reasoning")))
            self._clock = None
        status.update(label=self._folded_label(), state="complete", expanded=False)

    def pieces(self, part: Literal["reasoning", "content"]) -> Iterator[Chunk]:
        """Yield what `st.write_stream` shows the part by, until it ends."""
        return chunks(self._shown(part), part)

    def _shown(self, part: Literal["reasoning", "content"]) -> Iterator[Shown]:
        splitter = BlockSplitter(DISPLAY_LIMIT, joins_code=True)
        rest_until = 0.0
        while True:
            fresh, self._unread[part] = self._unread[part], ""
            is_over = self._is_final or (part == "reasoning" and bool(self._unread["content"]))
            if fresh:
                splitter.feed(fresh)
            if is_over:
                splitter.finish()
            if fresh or is_over:
                frozen, tail = splitter.tail_parts()
                # At the end of an answer the page is drawn from the store.
                yield from settled(frozen, is_end=is_over and part == "content")
                tail = as_drawn(tail)
                yield Shown(tail, is_settled=False)
                rest_until = time.monotonic() + pause_s(tail)
            if is_over:
                return
            self._wait()
            if self._has_unread:
                self._waiting.rest(rest_until - time.monotonic())
                self._read()

    def _wait(self) -> None:
        known = self._cursor.version
        self._read()
        # Not by what is unread: an answer with tools thinks again while its text is shown.
        if self._cursor.version == known and not self._is_final:
            self._waiting.wait()
            self._read()
        if self._has_news():
            st.rerun()
        if self._clock is not None:
            self._clock()

    @property
    def _has_unread(self) -> bool:
        return any(self._unread.values())

    def _read(self) -> None:
        growth = self._live.read(self._cursor)
        if growth.is_rearranged:  # what is shown as the answer was thought
            st.rerun()
        self._cursor = growth.cursor
        self._is_final = growth.is_final
        self._unread["reasoning"] += growth.reasoning
        self._unread["content"] += growth.content
        self._show_steps()

    def _show_steps(self) -> None:
        places = self._places.tools
        if places is None or self._live.steps == self._steps:
            return
        self._steps = self._live.steps
        with places[1].container():
            steps.draw_steps(self._steps)

    def _waiting_label(self) -> str:
        left_s = self._live.rest_left_s
        if left_s is None:
            return self._looking_label() or text("chat.waiting")
        return text("chat.waiting_to_ask", duration=duration(float(math.ceil(left_s))))

    def _looking_label(self) -> str | None:
        if self._live.looking is not None:
            is_search = self._live.looking == "search"
            return text("chat.searching" if is_search else "chat.reading_page")
        count = len(self._live.sources)
        return text("chat.found_sources", count=count) if count else None

    def _thinking_label(self) -> str:
        seconds = duration(self._live.reasoning_s or 0.0)
        # DeepSeek streams about one token a chunk; the true figure comes with the usage.
        count = self._cursor.reasoning
        return f":shimmer[{text('chat.thinking', duration=seconds, count=count)}]"

    def _folded_label(self) -> str:
        return message_view.reasoning_label(self._live.reasoning_s)


def pause_s(tail: str) -> float:
    """Return how long the live tail rests before it is sent again."""
    size = len(tail.encode())
    short_s = min(max(1 / TAIL_PER_S, size / TAIL_BYTES_PER_S), 1 / LONG_TAIL_PER_S)
    return max(short_s, min(size / CODE_BYTES_PER_S, LONGEST_REST_S))
