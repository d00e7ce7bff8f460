"""What a person can do with questions and answers: ask, edit, ask again, go on, copy."""

from collections.abc import Callable

import streamlit as st

from core.models.chat import ChatParameters, Conversation, Message
from core.ui import chat_box, clock, opened, session
from core.ui.buttons import button, keeping_errors
from core.ui.chat import ahead, attachments, message_menu
from core.ui.chat import message as message_view
from core.ui.chat import settings as chat_settings
from core.ui.chat.answer import copying, previews, reading, sources
from core.ui.session import text

_SUGGESTIONS = ("chat.suggestion_1", "chat.suggestion_2", "chat.suggestion_3")


def ask(conversation: Conversation | None, question: str, talk: ahead.Talk) -> None:
    """Ask a question with the files that wait for it; without a conversation one begins.

    It is seen in the `talk` of the page at once, and the page is drawn then.
    """
    studio, owner, known = session.studio(), session.owner(), session.state()
    conversation = opened.meant(conversation)
    is_new = conversation is None
    parameters = chat_settings.parameters_of(conversation)
    known.deleted_conversation = None
    known.editing_id = None
    place, files = chat_box.place_of(conversation), attachments.waiting(conversation)
    if conversation is None:
        live = studio.answers.ask_first(
            owner,
            question,
            parameters,
            system_prompt=known.system_prompt,
            files=files,
            caller=session.caller(),
            zone=clock.zone_name(),
        )
        opened.begin_conversation(live.conversation_id)
    else:
        live = studio.answers.ask(
            owner,
            # The head may have moved since the page was drawn.
            studio.store.conversations.get(owner, conversation.id) or conversation,
            question,
            parameters,
            files=files,
            caller=session.caller(),
            zone=clock.zone_name(),
        )
    try:
        attachments.forget(place)
        if not files:  # which stand between the question and its answer
            talk.draw_next(question, live)
    finally:  # whatever cannot be drawn: the page leads to what is paid for
        if is_new:
            opened.name_begun()


def draw_suggestions(talk: ahead.Talk) -> None:
    """Offer first questions while a conversation is empty."""
    welcome, offered = talk.draw_welcome()
    welcome.markdown(text("chat.welcome"))
    with offered, st.container(horizontal=True):
        for key in _SUGGESTIONS:
            suggestion = text(key)
            st.button(suggestion, key=key, on_click=_ask_first, args=(suggestion, talk))


@keeping_errors()
def _ask_first(suggestion: str, talk: ahead.Talk) -> None:
    if session.state().conversation_id is None:  # else it was pressed once more
        ask(None, suggestion, talk)


def draw_question(message: Message, conversation: Conversation) -> None:
    """Draw a question with its versions and the way to ask it in other words."""
    with st.chat_message("user", avatar=message_view.AVATARS["user"]):
        if session.state().editing_id == message.id:
            _draw_editor(message, conversation)
            return
        st.markdown(message_view.rendered(message.content))
        attachments.draw(message)
        with st.container(horizontal=True, gap="xsmall", vertical_alignment="center"):
            copying.draw(message)
            button("chat.edit", "edit", f"edit-{message.id}", _edit, message.id, type="tertiary")
            _draw_versions(message, conversation)
            message_menu.draw(message, conversation)


def draw(
    message: Message,
    conversation: Conversation,
    question: Message | None = None,
    *,
    more: Callable[[Message], None] | None = None,
) -> None:
    """Draw what can be done with a finished answer; where the web brought nothing, both ways on.

    `more` draws what other rooms have to offer for it.
    """
    look = sources.open_look(question, message)
    with st.container(horizontal=True, gap="xsmall", vertical_alignment="center"):
        copying.draw(message)
        if message.content.strip():
            reading.draw(message)
        if more is not None:
            more(message)
        whole = (message, conversation)
        label = "chat.regenerate" if look is None else "chat.ask_without"
        button(label, "refresh", f"again-{message.id}", _again, *whole, type="tertiary")
        if look is not None and sources.is_offered():
            label = "chat.look_again_paid" if look.state == "asked" else "chat.look_again"
            key = f"look-again-{message.id}"
            button(label, "travel_explore", key, _look_again, *whole, type="tertiary")
        if message_view.can_go_on(message):
            key = f"continue-{message.id}"
            button("chat.continue", "resume", key, _go_on, *whole, type="tertiary")
        previews.draw_button(message)
        _draw_versions(message, conversation)
        message_menu.draw(message, conversation)
    previews.draw(message)


def _draw_versions(message: Message, conversation: Conversation) -> None:
    if message.version_count < 2:
        return
    with st.container(
        horizontal=True, gap=None, width="content", vertical_alignment="center", wrap=False
    ):
        _draw_leaf(message, conversation, -1, ":material/chevron_left:", "chat.version_before")
        st.caption(
            text("chat.version", number=message.version, count=message.version_count),
            width="content",
        )
        _draw_leaf(message, conversation, +1, ":material/chevron_right:", "chat.version_after")


def _draw_leaf(
    message: Message, conversation: Conversation, step: int, icon: str, key: str
) -> None:
    st.button(
        icon,
        help=text(key),
        type="tertiary",
        key=f"{key}-{message.id}",
        disabled=not 1 <= message.version + step <= message.version_count,
        on_click=_leaf,
        args=(message, conversation, step),
    )


def _draw_editor(message: Message, conversation: Conversation) -> None:
    with st.form(f"editor-{message.id}", border=False):
        st.text_area(text("chat.edit_label"), value=message.content, key=edited_key(message.id))
        with st.container(horizontal=True):
            st.form_submit_button(
                text("chat.ask_again"),
                type="primary",
                on_click=_ask_differently,
                args=(message, conversation),
            )
            st.form_submit_button(text("action.cancel"), key="leave-editor", on_click=_leave_editor)


def edited_key(message_id: str) -> str:
    """Return the key of the field in which a question is edited."""
    return f"edited-{message_id}"


def _edit(message_id: str) -> None:
    session.state().editing_id = message_id


def _leave_editor() -> None:
    session.state().editing_id = None


@keeping_errors()
def _ask_differently(message: Message, conversation: Conversation) -> None:
    question = st.session_state.get(edited_key(message.id))
    # Pressed once more before the editor was gone, or it is gone with its page.
    if question is None or session.state().editing_id != message.id:
        return
    session.studio().answers.edit(
        session.owner(),
        conversation,
        message,
        question,
        _parameters(conversation),
        caller=session.caller(),
        zone=clock.zone_name(),
    )
    _leave_editor()


@keeping_errors()
def _again(message: Message, conversation: Conversation) -> None:
    session.studio().answers.regenerate(
        session.owner(),
        conversation,
        message,
        _parameters(conversation),
        caller=session.caller(),
        zone=clock.zone_name(),
    )


@keeping_errors()
def _look_again(message: Message, conversation: Conversation) -> None:
    session.studio().answers.regenerate(
        session.owner(),
        conversation,
        message,
        _parameters(conversation),
        look_again=True,
        caller=session.caller(),
        zone=clock.zone_name(),
    )


@keeping_errors()
def _go_on(message: Message, conversation: Conversation) -> None:
    session.studio().answers.resume(
        session.owner(),
        conversation,
        message,
        _parameters(conversation),
        caller=session.caller(),
    )


@keeping_errors()
def _leaf(message: Message, conversation: Conversation, step: int) -> None:
    messages = session.studio().store.messages
    versions = messages.versions(session.owner(), message.id)
    chosen = versions[message.version - 1 + step]
    messages.choose_version(session.owner(), conversation.id, chosen.id)


def _parameters(conversation: Conversation) -> ChatParameters:
    fresh = session.studio().store.conversations.get(session.owner(), conversation.id)
    return chat_settings.parameters_of(fresh or conversation)
