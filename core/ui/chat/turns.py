"""Lazy rendering of long conversations: the last turns are drawn, earlier ones on demand.

Drawing costs the browser by the length of what is drawn, in every run of the script. The first turn
that is drawn moves on by several at once, so that most new turns find the page as it was.
"""

from collections.abc import Sequence

import streamlit as st

from core.models.chat import Conversation, Message
from core.ui import opened, session
from core.ui.session import text

MOST_TURNS = 12
MOST_CHARACTERS = 24_000
STEP = 2
FEWEST_TURNS = 2


def first_drawn(sizes: Sequence[int]) -> int:
    """Return the number of the first turn to draw, given the characters of each turn."""
    first = 0
    while len(sizes) - first - STEP >= FEWEST_TURNS and (
        len(sizes) - first > MOST_TURNS or sum(sizes[first:]) > MOST_CHARACTERS
    ):
        first += STEP
    return first


def draw_earlier(
    conversation: Conversation | None, path: tuple[Message, ...]
) -> tuple[Message, ...]:
    """Return the messages to draw; above them a button for the turns before."""
    if conversation is None or opened.linked_message() is not None:
        return path
    starts = [place for place, message in enumerate(path) if message.role == "user"]
    if not starts:
        return path
    ends = [*starts[1:], len(path)]
    sizes = [
        sum(len(one.content) + len(one.reasoning_content) for one in path[start:end])
        for start, end in zip(starts, ends, strict=True)
    ]
    first = first_drawn(sizes)
    wanted = session.state().earliest_turn
    if wanted is not None and wanted in (ids := [path[start].id for start in starts]):
        first = min(first, ids.index(wanted))
    if first == 0:
        return path
    earlier = max(0, first - MOST_TURNS)
    with st.container(horizontal=True, horizontal_alignment="center"):
        st.button(
            text("chat.earlier", count=first),
            icon=":material/expand_less:",
            key="earlier-turns",
            type="tertiary",
            on_click=show_from,
            args=(path[starts[earlier]].id,),
        )
    return path[starts[first] :]


def show_from(question_id: str) -> None:
    """Have this question, and what follows it, drawn."""
    session.state().earliest_turn = question_id
