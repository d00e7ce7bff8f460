"""The place a link leads to in a long conversation: at first the chat shows this turn only.

Streamlit cannot scroll to a place in the middle of a page. The turn stands at the head of the page,
below the words that were found: they may be far down in a long answer.
"""

import streamlit as st

from core.models.chat import Conversation, Message
from core.ui import opened, session
from core.ui.history import search as history_search
from core.ui.session import text


def draw_linked_turn(
    conversation: Conversation | None, path: tuple[Message, ...]
) -> tuple[Message, ...]:
    """Return the messages to draw: all, or the turn a link leads to, with a way to all above."""
    known = session.state()
    wanted = opened.linked_message()
    if conversation is None or wanted is None:
        known.found = None
        return path
    if known.found is None or known.found[0] != wanted:
        # Once only: who then asks again or leafs on has chosen another version.
        path = _with_version(conversation, path, wanted)
        known.found = (wanted, path[-1].id if path else "")
    at = next((place for place, message in enumerate(path) if message.id == wanted), None)
    if at is None or path[-1].id != known.found[1]:  # the conversation has gone on
        opened.leave_linked_message()
        return path
    if path[at].role == "assistant" and at > 0:
        at -= 1  # an answer makes sense below its question
    turn = path[at : at + 2]
    known.earliest_turn = turn[0].id  # who then wants to see all finds it where it stands
    if len(turn) < len(path):
        _draw_notice(wanted, len(path))
    return turn


def _draw_notice(message_id: str, count: int) -> None:
    hit = history_search.hit_in(message_id)
    with st.container(border=True, gap="xsmall"):
        if hit is not None:
            st.markdown(history_search.marked(hit))
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(text("history.place"))
            st.button(
                text("history.show_all", count=count),
                icon=":material/unfold_more:",
                key="show-all-messages",
                on_click=opened.leave_linked_message,
            )


def _with_version(
    conversation: Conversation, path: tuple[Message, ...], message_id: str
) -> tuple[Message, ...]:
    if any(message.id == message_id for message in path):
        return path
    messages = session.studio().store.messages
    message = messages.get(session.owner(), message_id)
    if message is None or message.conversation_id != conversation.id:
        st.toast(text("history.place_gone"))
        return path
    messages.choose_version(session.owner(), conversation.id, message_id)
    return messages.path(session.owner(), conversation.id)
