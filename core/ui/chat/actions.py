"""What a person can do with questions and answers: ask, stop, edit, ask again, go on, copy."""

from contextlib import nullcontext

import streamlit as st

from core.errors import AppError
from core.markdown.rendering import for_streamlit, shielded
from core.models.chat import ChatParameters, Conversation, Message
from core.models.money.ledger import BudgetError
from core.ui import session
from core.ui.buttons import button, keeping_errors
from core.ui.chat import message as message_view
from core.ui.chat import settings as chat_settings
from core.ui.money import confirm as money_confirm
from core.ui.money import figures as money_figures
from core.ui.session import text

QUESTION_KEY = "question"
# A longer text scrolls in a box of this height: the icon that copies stays in sight.
_COPY_LINES, _LINE_LENGTH, _COPY_HEIGHT_PX = 10, 60, 320
_SUGGESTIONS = ("chat.suggestion_1", "chat.suggestion_2", "chat.suggestion_3")


def draw_input(
    conversation: Conversation | None, path: tuple[Message, ...], *, sticks_to_end: bool
) -> None:
    """Draw the chat input; what is sent is asked before the page is drawn again.

    Where Streamlit places a chat input itself, it keeps the page scrolled to its end.
    """
    known = session.state()
    if known.to_ask is not None:
        st.session_state[QUESTION_KEY], known.to_ask = known.to_ask, None
    with nullcontext() if sticks_to_end else st.bottom:
        st.chat_input(
            text("chat.placeholder"),
            key=QUESTION_KEY,
            on_submit=_submitted,
            args=(conversation, path),
        )


def _submitted(conversation: Conversation | None, path: tuple[Message, ...]) -> None:
    question = st.session_state[QUESTION_KEY]
    if not question:
        return
    try:
        cost = money_figures.next_cost(path, chat_settings.parameters_of(conversation))
        if cost is not None:
            money_confirm.require(cost.amount, cost.currency, (question,))
        _ask(conversation, question)
    except AppError as error:
        st.session_state[QUESTION_KEY] = question  # back into the input: nothing is lost
        session.state().error = error


def _ask(conversation: Conversation | None, question: str) -> None:
    studio, owner, known = session.studio(), session.owner(), session.state()
    parameters = chat_settings.parameters_of(conversation)
    known.deleted_conversation = None
    known.editing_id = None
    is_new = conversation is None
    if conversation is None:
        studio.answers.check(owner, question)
        conversation = studio.store.conversations.create(
            owner, system_prompt=known.system_prompt, parameters=parameters
        )
        session.open_conversation(conversation.id)
    else:
        # The head may have moved since the page was drawn.
        conversation = studio.store.conversations.get(owner, conversation.id) or conversation
    try:
        studio.answers.ask(owner, conversation, question, parameters, caller=session.caller())
    except BudgetError:
        if is_new:  # nothing was asked in it: nothing of it stays
            session.open_conversation(None)
            studio.store.conversations.delete(owner, conversation.id)
        raise


def draw_suggestions() -> None:
    """Offer first questions while a conversation is empty."""
    st.markdown(text("chat.welcome"))
    with st.container(horizontal=True):
        for key in _SUGGESTIONS:
            suggestion = text(key)
            st.button(suggestion, key=key, on_click=keeping_errors()(_ask), args=(None, suggestion))


def draw_question(message: Message, conversation: Conversation) -> None:
    """Draw a question with its versions and the way to ask it in other words."""
    with st.chat_message("user", avatar=message_view.AVATARS["user"]):
        if session.state().editing_id == message.id:
            _draw_editor(message, conversation)
            return
        st.markdown(shielded(for_streamlit(message.content)))
        with st.container(horizontal=True, gap="xsmall", vertical_alignment="center"):
            button("chat.edit", "edit", f"edit-{message.id}", _edit, message.id, type="tertiary")
            _draw_versions(message, conversation)


def draw_stop(message: Message) -> None:
    """Draw the button that ends a running answer, whoever started it."""
    button("chat.stop", "stop_circle", f"stop-{message.id}", _stop, message)


def draw(message: Message, conversation: Conversation) -> None:
    """Draw what can be done with a finished answer."""
    with st.container(horizontal=True, gap="xsmall", vertical_alignment="center"):
        whole = (message, conversation)
        button("chat.regenerate", "refresh", f"again-{message.id}", _again, *whole, type="tertiary")
        if message_view.can_go_on(message):
            key = f"continue-{message.id}"
            button("chat.continue", "resume", key, _go_on, *whole, type="tertiary")
        if message.content.strip():
            key = f"copy-{message.id}"
            button("chat.copy", "content_copy", key, _copy, message.id, type="tertiary")
        _draw_versions(message, conversation)
    if session.state().copying_id == message.id:
        _draw_copy(message)


def _copy(message_id: str | None) -> None:
    session.state().copying_id = message_id


def _draw_copy(message: Message) -> None:
    # A dialog: a popover near the window's end would be cut off there.
    @st.dialog(
        text("chat.copy_title"), icon=":material/content_copy:", on_dismiss=lambda: _copy(None)
    )
    def dialog() -> None:
        st.markdown(text("chat.copy_how"))
        lines = message.content.count("\n") + len(message.content) // _LINE_LENGTH
        st.code(
            message.content,
            language="markdown",
            wrap_lines=True,
            height=_COPY_HEIGHT_PX if lines > _COPY_LINES else "content",
        )

    dialog()


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
        question = st.text_area(
            text("chat.edit_label"), value=message.content, key=f"edited-{message.id}"
        )
        with st.container(horizontal=True):
            is_sent = st.form_submit_button(text("chat.ask_again"), type="primary")
            is_left = st.form_submit_button(text("action.cancel"))
    if is_left or is_sent:
        if is_sent:
            _ask_differently(message, conversation, question)
        if session.state().error is None:
            session.state().editing_id = None
        st.rerun()


def _edit(message_id: str) -> None:
    session.state().editing_id = message_id


@keeping_errors()
def _stop(message: Message) -> None:
    session.studio().answers.stop(session.owner(), message.id)


@keeping_errors()
def _ask_differently(message: Message, conversation: Conversation, question: str) -> None:
    session.studio().answers.edit(
        session.owner(),
        conversation,
        message,
        question,
        _parameters(conversation),
        caller=session.caller(),
    )


@keeping_errors()
def _again(message: Message, conversation: Conversation) -> None:
    session.studio().answers.regenerate(
        session.owner(),
        conversation,
        message,
        _parameters(conversation),
        caller=session.caller(),
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
