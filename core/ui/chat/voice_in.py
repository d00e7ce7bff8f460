"""Voice in: what is said into the chat box is written down and put there, read before asked."""

from concurrent.futures import CancelledError
from dataclasses import dataclass
from html import escape
from typing import Any

import streamlit as st

from core.errors import AppError
from core.models.speech import Recording
from core.ui import session
from core.ui.live import waiting
from core.ui.session import text
from core.work.loop import LoopEndedError

TIMEOUT_S = 150.0


@dataclass(frozen=True, slots=True)
class _Written:
    """What goes into the box: typed words and said ones, or typed ones alone and why."""

    words: str
    error: AppError | None = None


def is_offered() -> bool:
    """Tell whether a server is set that writes down, and this session may spend."""
    return session.is_trusted() and session.studio().voices.has_transcriber


def draw_lack() -> None:
    """Say why there is no microphone, where the browser gives the page none; else nothing."""
    if is_offered():
        st.html(f'<div class="inkling-no-microphone">{escape(text("voice_in.lack"))}</div>')


def text_of(value: Any) -> str:
    """Return the words of what was sent, with or without a recording."""
    return value if isinstance(value, str) else (value.text or "") if value else ""


def has_recording(value: Any) -> bool:
    """Tell whether something was said."""
    return not isinstance(value, str | None) and getattr(value, "audio", None) is not None


def begin(place: str, value: Any) -> None:
    """Have what was said into the chat box of a place written down; in a callback."""
    upload = value.audio
    recording = Recording(upload.getvalue(), upload.name or "question.wav", "audio/wav")
    spender, studio = session.spender(), session.studio()
    typed = text_of(value)

    def write_down() -> _Written:
        try:
            said = studio.loop.call(
                studio.speech.write_down(spender, recording), timeout_s=TIMEOUT_S
            )
        except AppError as error:
            return _Written(typed, error)
        except (TimeoutError, LoopEndedError, CancelledError):
            return _Written(typed, AppError())
        return _Written(" ".join(filter(None, (typed.strip(), said))))

    waiting.begin(_name(place), write_down)


def is_awaited(place: str) -> bool:
    """Tell whether words are on their way into the chat box of a place."""
    return waiting.is_awaited(_name(place))


def has_come(place: str) -> bool:
    """Tell whether words lie ready for the chat box of a place: the page is to be drawn anew."""
    return waiting.is_told(_name(place))


def take(place: str) -> str | None:
    """Return the words that lie ready for the chat box of a place; why there are none is told."""
    if not has_come(place):
        return None
    written: _Written = waiting.told(_name(place))
    if written.error is not None:
        session.state().error = written.error
    return written.words


def await_words(place: str) -> None:
    """Have the page drawn anew with the words that are on their way, as soon as they have come."""
    waiting.draw_awaited([_name(place)])


def _name(place: str) -> str:
    return f"written-down/{place}"
