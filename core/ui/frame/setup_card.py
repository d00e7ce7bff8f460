"""The setup card of a provider: where its key comes from, the lines to paste, reading them."""

from typing import Literal

import streamlit as st

from core.errors import AppError
from core.ui import session
from core.ui.buttons import button
from core.ui.frame import copying
from core.ui.live import waiting
from core.ui.session import text
from core.ui.start.configuration import app_settings
from core.work.process_studio import reread_settings

# What is pasted into .streamlit/secrets.toml.
_LINES = {
    "chat": 'DEEPSEEK_API_KEY = "sk-…"',
    "images": (
        'KLING_API_KEY = "…"\n# {hint}\n# KLING_API_ORIGIN = "https://api-singapore.klingai.com"'
    ),
}


def draw(provider: Literal["chat", "images"]) -> None:
    """Draw the steps: get a key, paste its line, have the settings read again."""
    st.markdown(text(f"setup.{provider}"))
    lines = _LINES[provider].replace("{hint}", text("setup.elsewhere"))
    copying.draw_box(lines, text("copy.lines"), is_code=True)


def draw_reread(key: str) -> None:
    """Draw the button that reads the settings again, and what came of it."""
    button("status.reread", "refresh", key, _reread)
    if (error := session.state().reread_error) is not None:
        session.state().reread_error = None
        session.show_error(error)
        st.caption(text("status.reread_kept"))


def _reread() -> None:
    known = session.state()
    try:
        fixed = reread_settings(app_settings)
    except AppError as error:
        known.reread_error = error
        return
    known.checks.clear()
    waiting.give_up(waiting.ACCOUNT)
    known.notice = text("status.reread_done")
    if fixed:
        known.notice = text("status.reread_fixed", names=", ".join(fixed))
