"""Copy a message: its source by one click; an answer, once copied, is offered as plain text too."""

from html import escape

import streamlit as st

from core.models.chat import Message
from core.ui.frame.copying import button_html
from core.ui.session import text


def draw(message: Message) -> None:
    """Draw the copy button of a message; an answer, once copied, is also offered as plain text."""
    if not message.content.strip():
        return
    is_answer = message.role == "assistant"
    name = text("copy.answer" if is_answer else "copy.question")
    plain = (
        f'<button type="button" data-copy="text" aria-label="{escape(text("copy.as_text"))}">'
        f"{escape(text('copy.plain'))}</button>"
    )
    st.html(button_html(message.content, name, plain if is_answer else ""), width="content")
