"""The composer: the chat box with model, thinking and effort above it, and Stop on it.

It stays `st.chat_input`. What Streamlit's box cannot do, a script adds (components/composer.js):
drafts, Esc, ↑, and the focus. Without it the buttons do the same.
"""

import time
from contextlib import nullcontext
from pathlib import Path

import streamlit as st

from core.errors import AppError
from core.models.chat import AnswerStatus, Conversation, Message
from core.ui import session
from core.ui.buttons import button, keeping_errors
from core.ui.chat import actions, header
from core.ui.chat import settings as chat_settings
from core.ui.money import confirm as money_confirm
from core.ui.money import figures as money_figures
from core.ui.palette import shortcuts
from core.ui.session import text

QUESTION_KEY = "question"
_SCRIPTS = ("composer.js", "drafts.js", "places.js")
_KEY, _BAR, _STOP = "composer", "composer-bar", "composer-stop"
_TEXTS = ("begun", "ended", "wait", "to_end")
# What is read out of an answer that has ended; more can be had from the page.
_READ_OUT = 1_000
_BOTTOM = '[data-testid="stBottomBlockContainer"]'
# Stop lies where Send is, which has nothing to send to while an answer is written.
# There for whoever hears the page; seen is the icon.
_UNSEEN = "position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%);"
_STYLE = f"""<style>
.st-key-{_KEY} {{ position: absolute; width: 0; }}
{_BOTTOM} {{ padding-block: 0.5rem 1rem; }}
{_BOTTOM} [data-testid="stVerticalBlock"] {{ gap: 0.4rem; }}
.st-key-{_STOP} {{ position: relative; height: 0; overflow: visible; }}
.st-key-stop-answer {{
    position: absolute; right: 0.3rem; bottom: 1.35rem; width: auto; z-index: 3;
}}
.st-key-stop-answer button {{ min-height: 2.25rem; padding: 0 0.75rem; }}
{_BOTTOM}:has(.st-key-stop-answer) [data-testid="stChatInputTextArea"] {{ padding-right: 4rem; }}
{_BOTTOM}:has(.st-key-stop-answer) [data-testid="stChatInputSubmitButton"] {{ visibility: hidden; }}
.st-key-{_BAR} [data-testid="stElementContainer"]:has([data-testid="stSelectbox"]) {{
    flex: 0 1 auto; min-width: 4.5rem;
}}
.st-key-{shortcuts.BUTTON} button [data-testid="stMarkdownContainer"] {{ {_UNSEEN} }}
@media (max-width: 640px) {{
    {_BOTTOM} {{ padding-inline: 0.75rem; padding-bottom: 0.75rem; }}
    .st-key-{_BAR} {{ gap: 0.5rem; }}
    .st-key-chat-settings button [data-testid="stMarkdownContainer"] {{ {_UNSEEN} }}
    .st-key-{_BAR} [data-testid="stCheckbox"] [data-testid="stTooltipIcon"] {{ display: none; }}
}}
@media (pointer: coarse) {{
    .st-key-stop-answer button {{ min-height: 2.75rem; min-width: 2.75rem; }}
    .st-key-stop-answer {{ bottom: 1.1rem; }}
    .st-key-{_BAR} [data-testid="stPopover"] button {{ min-height: 2.75rem; min-width: 2.75rem; }}
    .st-key-{shortcuts.BUTTON} {{ display: none; }} /* where there is no keyboard */
}}
</style>"""


def draw(
    conversation: Conversation | None, path: tuple[Message, ...], *, sticks_to_end: bool
) -> None:
    """Draw the composer; what is sent is asked before the page is drawn again.

    Where Streamlit places a chat input itself, it keeps the page scrolled to its end.
    """
    running = path[-1] if path and path[-1].status is AnswerStatus.RUNNING else None
    st.html(_STYLE)
    with (
        st.bottom,
        st.container(
            key=_BAR, horizontal=True, wrap=False, vertical_alignment="center", gap="small"
        ),
    ):
        chat_settings.draw_at_hand(conversation)
        shortcuts.draw_button()
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
    with st.bottom:
        _install(conversation, path, is_running=running is not None)
        with st.container(key=_STOP):  # also when empty, so that nothing below it changes places
            if running is not None:
                button("chat.stop", "stop_circle", "stop-answer", _stop, running.id, type="primary")


def _install(
    conversation: Conversation | None, path: tuple[Message, ...], *, is_running: bool
) -> None:
    folder = Path(__file__).parent / "components"
    script = "\n".join((folder / name).read_text(encoding="utf-8") for name in _SCRIPTS)
    render = st.components.v2.component("inkling_composer", js=script)
    last = path[-1] if path and not is_running else None
    with st.container(key=_KEY):
        render(
            key="inkling-composer",
            data={
                "key": f"{session.owner_mark()}/"
                f"{conversation.id if conversation is not None else 'new'}",
                "at": time.time(),
                "running": is_running,
                "focus": _wanted_focus(),
                "answer": last.content[:_READ_OUT] if last is not None else "",
                "texts": {name: text(f"typing.{name}") for name in _TEXTS},
            },
        )


def _wanted_focus() -> str | None:
    """Return the key of the field that has just been opened to be written in."""
    known = session.state()
    if known.renaming:
        return header.TITLE_KEY
    return actions.edited_key(known.editing_id) if known.editing_id is not None else None


def _submitted(conversation: Conversation | None, path: tuple[Message, ...]) -> None:
    question = st.session_state[QUESTION_KEY]
    if not question:
        return
    try:
        cost = money_figures.next_cost(path, chat_settings.parameters_of(conversation))
        if cost is not None:
            money_confirm.require(cost.amount, cost.currency, (question,))
        actions.ask(conversation, question)
    except AppError as error:
        st.session_state[QUESTION_KEY] = question  # back into the input: nothing is lost
        session.state().error = error


@keeping_errors()
def _stop(message_id: str) -> None:
    session.studio().answers.stop(session.owner(), message_id)
