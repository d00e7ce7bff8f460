"""The conversation that is open in a session: by its URL, or begun just now.

The only file that names the URL parameters of the chat.
"""

import time

import streamlit as st

from core.models.chat import Conversation
from core.ui import session

_UNTOLD_S = 1.0  # until a browser has heard which conversation it shows, and says so itself
_CONVERSATION_PARAMETER = "c"
_MESSAGE_PARAMETER = "m"


def current_conversation(*, is_first_run: bool) -> Conversation | None:
    """Return the conversation that the URL names; None for a new one.

    Who comes back from another page (`is_first_run`) finds the conversation that was left there.
    """
    known = session.state()
    named = st.query_params.get(_CONVERSATION_PARAMETER)
    if named is not None or not (is_first_run or begun_conversation_id()):
        known.conversation_id = named
    if known.conversation_id is None:
        return None
    conversation = session.studio().store.conversations.get(session.owner(), known.conversation_id)
    if conversation is None:
        if named is not None and known.deleted_conversation is None:
            known.notice = session.text("chat.gone")
        open_conversation(None)
    elif named is None:
        open_conversation(conversation.id)
    return conversation


def begin_conversation(conversation_id: str) -> None:
    """Make a conversation the current one that was written down just now.

    The URL is told by `name_begun`, behind what is to be seen at once: a browser that is told of
    another URL draws its whole page anew, before it takes what comes behind.
    """
    session.state().conversation_id = conversation_id
    st.query_params.pop(_MESSAGE_PARAMETER, None)


def name_begun() -> None:
    """Put the conversation that was begun just now into the URL."""
    open_conversation(session.state().conversation_id)
    session.state().begun_at = time.monotonic()


def begun_conversation_id() -> str | None:
    """Return the conversation that was begun a moment ago: the browser may not know of it yet.

    What is pressed in that moment names none in the URL, and is meant for the one just begun.
    """
    begun_at = session.state().begun_at
    if begun_at is None or time.monotonic() - begun_at > _UNTOLD_S:
        return None
    return session.state().conversation_id


def meant(conversation: Conversation | None) -> Conversation | None:
    """Return which conversation a press was for, on a page that was drawn for `conversation`."""
    if conversation is not None or (begun := begun_conversation_id()) is None:
        return conversation
    return session.studio().store.conversations.get(session.owner(), begun)


def open_conversation(conversation_id: str | None) -> None:
    """Make a conversation the current one, in the URL too; None begins a new one."""
    session.state().conversation_id = conversation_id
    session.state().begun_at = None
    st.query_params.pop(_MESSAGE_PARAMETER, None)
    if conversation_id is None:
        st.query_params.pop(_CONVERSATION_PARAMETER, None)
    else:
        st.query_params[_CONVERSATION_PARAMETER] = conversation_id


def link_to(conversation_id: str, message_id: str | None = None) -> dict[str, str]:
    """Return the URL parameters that open a conversation, at one of its messages if given."""
    parameters = {_CONVERSATION_PARAMETER: conversation_id}
    return parameters if message_id is None else parameters | {_MESSAGE_PARAMETER: message_id}


def linked_message() -> str | None:
    """Return the message that the URL leads to."""
    return st.query_params.get(_MESSAGE_PARAMETER)


def leave_linked_message() -> None:
    """Show the whole conversation again."""
    st.query_params.pop(_MESSAGE_PARAMETER, None)
