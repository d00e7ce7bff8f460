"""Copy to clipboard: a message's source goes there by one click, without a run of the script.

The text waits in the page, since a browser lets a click copy only what is at hand: one that asked
the server first would be refused over plain http.
"""

import json
from html import escape

import streamlit as st

from core.models.chat import Message
from core.ui.frame import page_files
from core.ui.session import text

_KEY = "copying"


def install() -> None:
    """Put the script of the copy buttons on the page; without it there is nothing to click."""
    with st.container(key=_KEY):
        page_files.component("copying")(
            key="inkling-copying",
            data={"texts": {"done": text("copy.done"), "refused": text("copy.refused")}},
        )


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
    st.html(
        f'<span class="inkling-copy" data-source="{_attribute(message.content)}">'
        f'<button type="button" data-copy="markdown" aria-label="{escape(name)}">'
        '<i class="copy" aria-hidden="true"></i>'
        '<i class="tick" aria-hidden="true"></i>'
        f"<span>{escape(text('chat.copy'))}</span></button>"
        f'{plain if is_answer else ""}<span role="status"></span></span>',
        width="content",
    )


def _attribute(source: str) -> str:
    # What cleans HTML for the page drops an attribute in which a tag or a comment seems to end.
    words = json.dumps(source, ensure_ascii=False).replace("<", "\\u003c").replace(">", "\\u003e")
    return escape(words)
