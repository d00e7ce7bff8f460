"""The head of a conversation: its title, and what can be done with the whole of it."""

import streamlit as st

from core.models.chat import Conversation
from core.ui import conversations, opened, session
from core.ui.buttons import keeping_errors
from core.ui.conversations import TITLE_LIMIT, title_of
from core.ui.frame import presses
from core.ui.history.conversations import draw_export
from core.ui.session import text

TITLE_KEY = "new-title"
_KEY = "chat-head"


def draw(conversation: Conversation | None) -> None:
    """Draw title and menu; below them an undo while there is something to undo."""
    with st.container(horizontal=True, vertical_alignment="center", key=_KEY):
        title = text("chat.new_title") if conversation is None else title_of(conversation)
        st.title(title, anchor=False)
        if conversation is not None:
            # One block, so that on a phone both stand on a line.
            with st.container(horizontal=True, width="content", gap="xsmall"):
                with st.popover(text("chat.export"), icon=":material/download:", type="tertiary"):
                    draw_export(conversation)
                _menu(conversation)
    conversations.draw_undo("undo-delete", opens=True)
    if conversation is not None and session.state().renaming:
        _rename(conversation)


def _menu(conversation: Conversation) -> None:
    choices = {
        "rename": text("chat.rename"),
        "pin": text("chat.unpin" if conversation.pinned else "chat.pin"),
        "delete": text("chat.delete"),
    }
    st.menu_button(
        text("action.more"),
        list(choices),
        format_func=choices.__getitem__,
        icon=":material/more_vert:",
        type="tertiary",
        key=f"menu-{conversation.id}",
        on_click=_chosen,
        args=(conversation, f"menu-{conversation.id}"),
    )


@keeping_errors()
def _chosen(conversation: Conversation, key: str) -> None:
    match st.session_state[key]:
        case "rename":
            session.state().renaming = True
        case "pin":
            conversations.turn_pin(conversation)
        case "delete":
            conversations.delete(conversation)
            opened.open_conversation(None)


def _rename(conversation: Conversation) -> None:
    @st.dialog(text("chat.rename"), on_dismiss=_leave_dialog)
    def dialog() -> None:
        with st.form("rename", border=False):
            st.text_input(
                text("chat.title_label"),
                value=conversation.title,
                max_chars=TITLE_LIMIT,
                key=TITLE_KEY,
            )
            st.form_submit_button(
                text("action.save"), type="primary", on_click=_save_title, args=(conversation,)
            )

    dialog()


def _leave_dialog() -> None:
    session.state().renaming = False


@keeping_errors()
def _save_title(conversation: Conversation) -> None:
    title = st.session_state.get(TITLE_KEY)
    _leave_dialog()
    presses.draw_whole_page()  # without the dialog
    if title is not None:
        conversations.rename(conversation, title)
