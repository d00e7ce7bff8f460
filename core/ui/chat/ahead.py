"""Shows a question and the first words of its answer ahead of the page that is drawn for them.

A question is asked by the callback of the box, before the page is drawn again: some fifty elements,
and the answer behind them. So the callback itself writes into the places that the last run has left
for the next two messages. What the run then draws there is the same, at the same places, so that
the browser keeps what it shows.
"""

import time

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.markdown.rendering import for_streamlit
from core.ui import session
from core.ui.chat import message as message_view
from core.ui.chat.answer import copying, reading
from core.ui.chat.answer.places import AnswerPlaces
from core.ui.session import text
from core.work.chat.buffers.cursors import Cursor
from core.work.chat.live_answer import LiveAnswer

# A provider near by has answered by then; another one is waited for while the page is drawn.
FIRST_LOOK_S = 0.05
# So long the page waits behind it: frames that keep coming keep a browser from drawing the first.
PAINT_S = 0.04
# More at once is left to the page, which shows it in pieces.
MOST_CHARACTERS = 1_000


class Talk:
    """The place of a conversation's messages, and the places that the next two will take."""

    def __init__(self) -> None:
        self.place = st.container()
        self._next = (self.place, self.place)

    def draw_welcome(self) -> tuple[DeltaGenerator, DeltaGenerator]:
        """Return two places, for what stands in a conversation until something is asked in it."""
        with self.place:
            self._next = (st.empty(), st.empty())
        return self._next

    def draw_next(self, question: str, live: LiveAnswer) -> None:
        """Draw a question that has just been asked, and what there is of its answer."""
        if session.linked_message() is not None:
            return  # the page shows something else than the conversation's end
        asked, answered = self._next
        with asked.chat_message("user", avatar=message_view.AVATARS["user"]):
            st.markdown(message_view.rendered(question))
            with st.container(horizontal=True, gap="xsmall", vertical_alignment="center"):
                copying.draw_question(question)
        with answered.chat_message("assistant", avatar=message_view.AVATARS["assistant"]):
            begun = FirstWords(live, st.container())
            reading.draw_button(live.message_id)
        begun.look(FIRST_LOOK_S)
        begun.tell_waiting()
        time.sleep(PAINT_S)
        session.state().look_ahead = begun.look


class FirstWords:
    """The beginning of an answer, shown until the page has drawn what stands before it."""

    def __init__(self, live: LiveAnswer, place: DeltaGenerator) -> None:
        self._live = live
        self._cursor = Cursor()
        self._content = ""
        self._is_left = False  # once more than its text is to be shown
        self._place = place.container()
        with self._place:
            self._places = AnswerPlaces(live)
        self._shown: DeltaGenerator | None = None

    def look(self, timeout_s: float = 0.0) -> None:
        """Show what has come of the text; wait for the first of it no longer than `timeout_s`."""
        # A run that was broken off has not left it, and the next may show another conversation.
        if session.state().conversation_id != self._live.conversation_id:
            self._is_left = True
        until = time.monotonic() + timeout_s
        fresh = False
        while not self._is_left:
            growth = self._live.wait(self._cursor, timeout_s=max(0.0, until - time.monotonic()))
            self._cursor = growth.cursor
            self._content += growth.content
            fresh = fresh or bool(growth.content)
            self._is_left = (
                bool(growth.reasoning)
                or growth.is_rearranged
                or growth.is_final
                or bool(self._live.steps)
                or len(self._content) > MOST_CHARACTERS
            )
            if fresh or time.monotonic() >= until:
                break
        if fresh and not growth.reasoning and not growth.is_rearranged:
            self._draw()

    def tell_waiting(self) -> None:
        """Say that the answer is waited for, where nothing of it is shown."""
        if self._shown is None:
            self._places.waiting.markdown(f":shimmer[{text('chat.waiting')}]")

    def _draw(self) -> None:
        shown = for_streamlit(self._content).rstrip()
        if not shown:
            return
        if self._shown is None:
            self._places.waiting.empty()
            self._shown = self._place.markdown(shown)
        else:
            self._shown.markdown(shown)


def look() -> None:
    """Show what has come meanwhile of the answer whose question caused this run."""
    if (look_ahead := session.state().look_ahead) is not None:
        look_ahead()


def leave() -> None:
    """Leave the answer to the page."""
    session.state().look_ahead = None
