"""The head of a conversation: title, settings, and what can be done with the whole of it."""

import streamlit as st

from core.errors import AppError
from core.models.chat import Conversation
from core.ui import session
from core.ui.chat import settings as chat_settings
from core.ui.conversation_labels import TITLE_LIMIT, title_of
from core.ui.session import text


def draw(conversation: Conversation | None) -> None:
    """Draw title, settings and menu; below them an undo while there is something to undo."""
    with st.container(horizontal=True, vertical_alignment="center"):
        if conversation is None:
            st.subheader(text("chat.new_title"), anchor=False)
        else:
            st.subheader(title_of(conversation), anchor=False)
        # One block, so that on a phone both stand on a line.
        with st.container(horizontal=True, width="content"):
            with st.popover(text("settings.title"), icon=":material/tune:", key="chat-settings"):
                chat_settings.draw(conversation)
            if conversation is not None:
                _menu(conversation)
    _undo()
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
        key=f"menu-{conversation.id}",
        on_click=_chosen,
        args=(conversation, f"menu-{conversation.id}"),
    )


def _chosen(conversation: Conversation, key: str) -> None:
    known, conversations = session.state(), session.studio().store.conversations
    try:
        match st.session_state[key]:
            case "rename":
                known.renaming = True
            case "pin":
                conversations.configure(
                    session.owner(), conversation.id, pinned=not conversation.pinned
                )
            case "delete":
                if (live := session.studio().answers.live_in(conversation.id)) is not None:
                    session.studio().answers.stop(session.owner(), live.message_id)
                conversations.delete(session.owner(), conversation.id)
                known.deleted_conversation = conversation
                session.open_conversation(None)
    except AppError as error:
        known.error = error


def _undo() -> None:
    deleted = session.state().deleted_conversation
    if deleted is None:
        return
    with st.container(horizontal=True, vertical_alignment="center", border=True):
        st.markdown(text("chat.deleted", title=title_of(deleted)))
        st.button(text("action.undo"), icon=":material/undo:", key="undo-delete", on_click=_restore)


def _restore() -> None:
    known = session.state()
    if known.deleted_conversation is None:
        return
    try:
        session.studio().store.conversations.restore(session.owner(), known.deleted_conversation.id)
        session.open_conversation(known.deleted_conversation.id)
        known.deleted_conversation = None
    except AppError as error:
        known.error = error


def _rename(conversation: Conversation) -> None:
    def leave() -> None:
        session.state().renaming = False

    @st.dialog(text("chat.rename"), on_dismiss=leave)
    def dialog() -> None:
        with st.form("rename", border=False):
            title = st.text_input(
                text("chat.title_label"), value=conversation.title, max_chars=TITLE_LIMIT
            )
            if st.form_submit_button(text("action.save"), type="primary"):
                try:
                    if title.strip():
                        session.studio().store.conversations.rename(
                            session.owner(), conversation.id, title.strip(), manual=True
                        )
                except AppError as error:
                    session.state().error = error
                leave()
                st.rerun()

    dialog()
