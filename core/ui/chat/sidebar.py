"""The sidebar's list of conversations: begin one, open one."""

import streamlit as st

from core.models.chat import Conversation
from core.ui import session
from core.ui.buttons import button
from core.ui.conversations import icon_of, title_of
from core.ui.session import text

SHOWN = 30


def draw(current: Conversation | None) -> None:
    """Draw the list, the open conversation marked, running ones with a sign."""
    studio = session.studio()
    running = studio.answers.running_conversations()
    with st.sidebar:
        key, open_new = "new-conversation", session.open_conversation
        button("chat.new", "add", key, open_new, None, width="stretch")
        # Other front ends may ask hundreds of times a day: those are in the history.
        page = studio.store.conversations.list(session.owner(), limit=SHOWN, with_http=False)
        listed = page.items
        if current is not None and current.origin == "http" and current not in listed:
            listed = (current, *listed)
        if not listed:
            st.caption(text("chat.none_yet"))
        with st.container(gap=None):
            for conversation in listed:
                _entry(conversation, conversation == current, conversation.id in running)


def _entry(conversation: Conversation, is_current: bool, is_running: bool) -> None:
    is_plain = not is_running and not conversation.pinned
    is_from_http = is_plain and conversation.origin == "http"
    title = title_of(conversation)
    st.button(
        f"**{title}**" if is_current else title,
        key=f"open-{conversation.id}",
        icon=":material/api:" if is_from_http else icon_of(conversation, is_running),
        type="tertiary",
        # As wide as its words, so that it stands at the left; longer ones end in an ellipsis.
        wrap=False,
        on_click=session.open_conversation,
        args=(conversation.id,),
    )
