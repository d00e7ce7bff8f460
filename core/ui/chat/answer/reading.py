"""Read aloud: a button at each answer, one player for the page, and the choice of a voice.

The browser's own voice is the default: nothing leaves the machine, and nothing costs. A server of
the settings goes before it; Kling's voices cost a little each, so that they are chosen, never met.
"""

import time
from html import escape

import streamlit as st

from core.errors import AppError
from core.models.chat import Message
from core.models.money.ledger import Spender, money_words
from core.models.speech import KLING_VOICES, SpeechRequest
from core.ui import reachable, session
from core.ui.buttons import keeping_errors
from core.ui.frame import page_files
from core.ui.session import text

_KEY = "reading"
_TEXTS = ("waiting", "reading", "stopped", "ended", "stop", "close", "save", "again", "broken")
_KLING = "kling:"
_CHOICE_KEY = "reading-voice"
# A ticket holds for hours: one that is signed anew for each run would be sent with each run.
_TICKET_S = 3600.0


def install() -> None:
    """Put the player on the page; without its script there is no button."""
    by, _, voice = _chosen().partition(":")
    with st.container(key=_KEY):
        page_files.component("reading")(
            key="inkling-reading",
            data={
                "by": by,
                "voice": voice,
                "ticket": _ticket() if reachable.is_http_served() else None,
                "texts": {name: text(f"reading.{name}") for name in (*_TEXTS, "no_voice")},
            },
        )


def draw(message: Message) -> None:
    """Draw the button that reads an answer aloud, also while it is being written."""
    if message.role == "assistant":
        draw_button(message.id)


def draw_button(message_id: str) -> None:
    """Draw the button that reads the answer of this id aloud."""
    st.html(
        '<span class="inkling-copy inkling-read">'
        f'<button type="button" data-read="{escape(message_id)}"'
        f' aria-label="{escape(text("reading.button_name"))}">'
        '<i class="read" aria-hidden="true"></i>'
        f"<span>{escape(text('reading.button'))}</span></button></span>",
        width="content",
    )


def draw_choice() -> None:
    """Draw the choice of who reads aloud; what a voice costs stands beside it."""
    choices = _choices()
    price = _kling_price()
    words = {choice: _words(choice, price) for choice in choices}
    # By language too: what was chosen among the words of one stands in no list of the other.
    key = f"{_CHOICE_KEY}-{session.language()}"
    st.selectbox(
        text("reading.voice"),
        choices,
        index=choices.index(_chosen()),
        format_func=words.__getitem__,
        help=text("reading.voice_help"),
        key=key,
        on_change=_choose,
        args=(key,),
    )


def _choices() -> list[str]:
    found = ["browser"]
    if reachable.is_http_served():
        if session.is_trusted() and session.studio().voices.has_server:
            found.insert(0, "server")
        found += [f"{_KLING}{voice.id}" for voice in KLING_VOICES]
    return found


def _chosen() -> str:
    choices = _choices()
    try:
        kept = session.studio().store.key_values.get(_kept_as())
    except AppError:  # which the page tells where it shows
        kept = None
    return kept if kept in choices else choices[0]


@keeping_errors()
def _choose(key: str) -> None:
    session.studio().store.key_values.set(_kept_as(), st.session_state[key])


def _kept_as() -> str:
    return f"read_aloud_by.{session.owner_mark()}"


def _words(choice: str, kling_price: str) -> str:
    if not choice.startswith(_KLING):
        return text(f"reading.by_{choice}")
    voice = next(one for one in KLING_VOICES if f"{_KLING}{one.id}" == choice)
    name = voice.zh if session.language() == "zh" else voice.en
    return text("reading.by_kling", name=name, price=kling_price)


def _kling_price() -> str:
    """Return what any of Kling's voices takes for a text, as the call will stand in the ledger.

    That is the owner's own price, in the currency that is billed.
    """
    spender = Spender(session.owner(), session.caller())
    line = session.studio().spending.for_task(spender, "kling", SpeechRequest("")).line
    return text("money.unknown") if line.amount is None else money_words(line.amount, line.currency)


def _ticket() -> str:
    known = session.state()
    holder, now = (session.owner(), session.caller()), time.monotonic()
    if (
        known.reading_ticket is None
        or known.reading_ticket[0] != holder
        or (now > known.reading_ticket[2])
    ):
        owner, caller = holder
        ticket = session.studio().transfers.tickets.sign(owner, "speech", caller=caller)
        known.reading_ticket = (holder, ticket, now + _TICKET_S)
    return known.reading_ticket[1]
