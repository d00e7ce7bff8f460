"""Shows a question and the first words of its answer ahead of the page that is drawn for them.

A question is asked by the callback of the box, before the page is drawn again: some fifty elements,
and the answer behind them. So the callback itself writes into the places that the last run has left
for the next two messages. What the run then draws there is the same, at the same places, so that
the browser keeps what it shows (docs/decisions/0013-shown-ahead.md).

To write where the browser has nothing takes the whole page away there. So nothing is written ahead
but by the callback, and the page draws a container first with all that comes and goes above.
"""

import time

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.markdown.splitter import BlockSplitter
from core.ui import opened, session
from core.ui.chat import message as message_view
from core.ui.chat.answer import copying, reading
from core.ui.chat.answer.growing_text import as_drawn
from core.ui.chat.answer.places import AnswerPlaces
from core.ui.session import text
from core.work.chat.buffers.cursors import Cursor
from core.work.chat.live_answer import LiveAnswer

# A provider near by has answered by then; another one is waited for while the page is drawn.
FIRST_LOOK_S = 0.05
# So long the page waits behind it: frames that keep coming keep a browser from drawing the first.
PAINT_S = 0.04
# What is longer is left to the page, which need not draw it twice.
LONGEST_QUESTION, LONGEST_WORDS = 4_000, 400


class Talk:
    """The places of a conversation's messages: each has one, and the next two are known."""

    def __init__(self) -> None:
        self._place = st.container()
        self._count = 0
        self._free: list[DeltaGenerator] = []  # places behind the last message, to be taken first

    def message(self) -> DeltaGenerator:
        """Return the place of the next message: all that belongs to it is drawn there."""
        place = self._free.pop(0) if self._free else self._place
        self._count += 1
        known = session.state()
        known.messages_seen = max(known.messages_seen, self._count)
        return place.container()

    def draw_welcome(self) -> tuple[DeltaGenerator, DeltaGenerator]:
        """Return two places, for what stands in a conversation until something is asked in it."""
        first, second = self._place.empty(), self._place.empty()
        self._free = [first, second]
        return first, second.container()

    def end(self, *, is_growing: bool) -> None:
        """Take away what stands behind the last message, drawn ahead or by an earlier run.

        What an earlier run drew goes by itself when this one ends, which an answer that grows
        puts off.
        """
        known = session.state()
        seen = max(known.ahead_seen, known.messages_seen if is_growing else 0)
        first = self._count + len(self._free)
        self._free += [self._place.empty() for _ in range(first, seen)]
        known.messages_seen, known.ahead_seen = self._count, 0

    def draw_next(self, question: str, live: LiveAnswer) -> None:
        """Draw a question that has just been asked, and what there is of its answer."""
        known = session.state()
        is_here = known.page == "chat" and known.conversation_id == live.conversation_id
        if not is_here or opened.linked_message() or len(question) > LONGEST_QUESTION:
            return
        # As it was written down: without the keys that it may have held.
        if (asked := live.question) is None:
            return
        with self.message(), st.chat_message("user", avatar=message_view.AVATARS["user"]):
            st.markdown(message_view.rendered(asked.content))
            with st.container(horizontal=True, gap="xsmall", vertical_alignment="center"):
                copying.draw(asked)
        with (
            self.message(),
            st.chat_message("assistant", avatar=message_view.AVATARS["assistant"]),
        ):
            with st.container(), st.container():  # as the page has it (streaming.attach)
                waiting = AnswerPlaces(live).waiting
                first = st.empty()
            reading.draw_button(live.message_id)
        known.ahead_seen = self._count
        if words := _first_words(live):
            first.markdown(words)
            time.sleep(PAINT_S)
        else:
            waiting.markdown(f":shimmer[{text('chat.waiting')}]")


def _first_words(live: LiveAnswer) -> str:
    """Return how the text of an answer begins, as it is drawn; empty where it needs more than that.

    It is waited for a moment.
    """
    until = time.monotonic() + FIRST_LOOK_S
    cursor = Cursor()
    while True:
        growth = live.wait(cursor, timeout_s=max(0.0, until - time.monotonic()))
        cursor = growth.cursor
        if growth.reasoning or growth.is_rearranged or growth.is_final or live.steps:
            return ""
        if growth.content:
            splitter = BlockSplitter(LONGEST_WORDS)
            splitter.feed(growth.content)
            settled, tail = splitter.tail_parts()
            return "" if settled else as_drawn(tail)
        if time.monotonic() >= until:
            return ""
