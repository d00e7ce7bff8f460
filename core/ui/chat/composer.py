"""The composer: the chat box with model, thinking and effort above it, and Stop on it.

It stays `st.chat_input`. What Streamlit's box cannot do, a script adds (components/composer.js):
drafts, Esc, ↑, and the focus. Without it the buttons do the same.
"""

import time
from contextlib import nullcontext
from decimal import Decimal

import streamlit as st

from core.errors import AppError
from core.models.chat import AnswerStatus, Conversation, Message
from core.ui import chat_box, session
from core.ui.buttons import button, keeping_errors
from core.ui.chat import actions, attachments, header, voice_in
from core.ui.chat import settings as chat_settings
from core.ui.chat.ahead import Talk
from core.ui.chat.answer import sources
from core.ui.frame import page_files
from core.ui.money import confirm as money_confirm
from core.ui.money import figures as money_figures
from core.ui.palette import shortcuts
from core.ui.session import text

QUESTION_KEY = "question"
_KEY, _BAR, _STOP = "composer", "composer-bar", "composer-stop"
_TEXTS = ("begun", "ended", "wait", "to_end")


def take_words(conversation: Conversation | None) -> None:
    """Put words that were said, and are written down by now, into the box; before it is drawn."""
    if (words := voice_in.take(chat_box.place_of(conversation))) is not None:
        chat_box.fill(words, conversation)


def draw(
    conversation: Conversation | None,
    path: tuple[Message, ...],
    talk: Talk,
    *,
    sticks_to_end: bool,
) -> None:
    """Draw the composer; what is sent is asked, and seen in `talk`, before the page is drawn again.

    Where Streamlit places a chat input itself, it keeps the page scrolled to its end.
    """
    running = path[-1] if path and path[-1].status is AnswerStatus.RUNNING else None
    attachments.bring(conversation)
    with st.bottom:
        voice_in.draw_lack()
        attachments.draw_tray(conversation)
    with (
        st.bottom,
        st.container(
            key=_BAR, horizontal=True, wrap=False, vertical_alignment="center", gap="small"
        ),
    ):
        chat_settings.draw_at_hand(conversation, may_search=sources.is_offered())
        shortcuts.draw_button()
    place = chat_box.place_of(conversation)
    is_listening = voice_in.is_awaited(place)
    box = chat_box.words_for(conversation)
    if box is not None:
        st.session_state[QUESTION_KEY] = box.words
    with nullcontext() if sticks_to_end else st.bottom:
        st.chat_input(
            text("voice_in.writing" if is_listening else "chat.placeholder"),
            disabled=is_listening,  # what is typed now would give way to the words that come
            key=QUESTION_KEY,
            on_submit=_submitted,
            args=(conversation, path, talk),
            accept_file="multiple",
            accept_audio=voice_in.is_offered(),
        )
    if box is not None and not is_listening:
        box.drawn_at = box.drawn_at or time.monotonic()
    with st.bottom:
        _install(conversation, path, is_running=running is not None)
        with st.container(key=_STOP):  # also when empty, so that nothing below it changes places
            if running is not None:
                button("chat.stop", "stop_circle", "stop-answer", _stop, running.id, type="primary")


def _install(
    conversation: Conversation | None, path: tuple[Message, ...], *, is_running: bool
) -> None:
    with st.container(key=_KEY):
        page_files.component("composer")(
            key="inkling-composer",
            data={
                "key": chat_box.place_of(conversation),
                "at": time.time(),
                "running": is_running,
                "focus": _wanted_focus(),
                "texts": {name: text(f"typing.{name}") for name in _TEXTS},
            },
        )


def _wanted_focus() -> str | None:
    """Return the key of the field that has just been opened to be written in."""
    known = session.state()
    if known.renaming:
        return header.TITLE_KEY
    return actions.edited_key(known.editing_id) if known.editing_id is not None else None


def _submitted(conversation: Conversation | None, path: tuple[Message, ...], talk: Talk) -> None:
    sent = st.session_state[QUESTION_KEY]
    question = voice_in.text_of(sent)
    chat_box.empty(conversation)
    is_whole = attachments.take(conversation, sent)
    if voice_in.has_recording(sent):  # its words are asked once they were read, and sent
        with keeping_errors():
            voice_in.begin(chat_box.place_of(conversation), sent)
            return
        chat_box.fill(question, conversation)
        return
    if not is_whole:  # its other files wait: asked once this is seen, and sent again
        chat_box.fill(question, conversation)
        return
    if not question:
        return
    try:
        _require(path, conversation, question)
        actions.ask(conversation, question, talk)
    except AppError as error:
        chat_box.fill(question, conversation)  # nothing is lost
        session.state().error = error


def _require(path: tuple[Message, ...], conversation: Conversation | None, question: str) -> None:
    """Ask for a second press where a question with its search costs more than the limit."""
    parameters = chat_settings.parameters_of(conversation)
    cost = money_figures.next_cost(path, parameters)
    look = money_figures.look_price("search") if parameters.search else None
    amounts = [(cost.amount, cost.currency)] if cost is not None else []
    if look is not None:
        amounts.append((look.bound, look.line.currency))
    if (tools := money_figures.tools_most(parameters)) is not None:
        amounts.append((tools.amount, tools.currency))
    files = attachments.waiting(conversation)
    tokens = attachments.tokens_of(files)
    for held in (
        money_figures.input_cost(parameters.model, tokens),
        money_figures.turns_cost(path, parameters, tokens),
    ):
        if held is not None:
            amounts.append((held.amount, held.currency))
    if amounts:
        currency = amounts[0][1]
        whole = sum(amount for amount, of in amounts if of == currency)
        names = (file.name for file in files)
        money_confirm.require(Decimal(whole), currency, (question, *names))


@keeping_errors()
def _stop(message_id: str) -> None:
    session.studio().answers.stop(session.owner(), message_id)
