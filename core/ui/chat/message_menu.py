"""The menu of a message: fork the conversation there, see its exchanges, delete it, undo that."""

import streamlit as st

from core.models.chat import AnswerStatus, Conversation, Message
from core.ui import opened, session
from core.ui.buttons import keeping_errors, undo
from core.ui.conversations import TITLE_LIMIT
from core.ui.session import text
from core.ui.xray import listing as xray


def draw(message: Message, conversation: Conversation) -> None:
    """Draw the menu of a question or a finished answer."""
    choices = {}
    if message.role == "assistant" and message.status is not AnswerStatus.RUNNING:
        choices["fork"] = text("chat.fork")
        if xray.may_look_now():
            choices["xray"] = text("xray.show")
    if message.version_count > 1:
        choices["remove"] = text("chat.remove_version")
    elif message.role == "user":
        choices["remove"] = text("chat.remove_turn")
    if not choices:
        return
    key = f"message-menu-{message.id}"
    st.menu_button(
        text("action.more"),
        list(choices),
        format_func=choices.__getitem__,
        icon=":material/more_horiz:",
        type="tertiary",
        key=key,
        on_click=_chosen,
        args=(message, conversation, key),
    )


@keeping_errors()
def _chosen(message: Message, conversation: Conversation, key: str) -> None:
    branches, owner = session.studio().store.branches, session.owner()
    match st.session_state[key]:
        case "fork":
            title = text("chat.forked", title=conversation.title or text("chat.untitled"))
            forked = branches.fork(owner, conversation.id, message.id, title[:TITLE_LIMIT])
            opened.open_conversation(forked.id)
            session.state().notice = text("chat.forked_notice")
        case "xray":
            session.go_to("pages/xray.py", xray.about(message.id))
        case "remove":
            removed = branches.remove_turn(owner, conversation.id, message.id)
            session.state().removed_turn = removed


def draw_undo(conversation: Conversation | None) -> None:
    """Offer the turn back that was deleted last from this conversation."""
    removed = session.state().removed_turn
    if removed is None or conversation is None or removed.conversation_id != conversation.id:
        return

    @keeping_errors()
    def restore() -> None:
        session.state().removed_turn = None
        session.studio().store.branches.restore_turn(session.owner(), removed)

    undo(text("chat.removed"), "undo-remove", restore)
