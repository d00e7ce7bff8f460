"""Voice in: what is said into the chat box is written down and put there, read before asked."""

from html import escape
from typing import Any

import streamlit as st

from core.models.speech import Recording
from core.ui import session
from core.ui.session import text

TIMEOUT_S = 150.0


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


def written_down(value: Any) -> str:
    """Return the words that were typed and those that were said; AppError where nobody can tell."""
    upload = value.audio
    recording = Recording(upload.getvalue(), upload.name or "question.wav", "audio/wav")
    spender = session.spender()
    studio = session.studio()
    said = studio.loop.call(studio.speech.write_down(spender, recording), timeout_s=TIMEOUT_S)
    return " ".join(filter(None, (text_of(value).strip(), said)))
