"""Copy to clipboard: a message's source goes there by one click, without a run of the script.

The text waits in the page, since a browser lets a click copy only what is at hand: one that asked
the server first would be refused over plain http.
"""

import json
from html import escape
from pathlib import Path

import streamlit as st

from core.models.chat import Message
from core.ui.session import text

_SCRIPT = Path(__file__).parent / "components" / "copying.js"
_KEY = "copying"
_BAR = ".inkling-copy"
_MESSAGE = '[data-testid="stChatMessage"]'
# Looks as Streamlit's tertiary buttons do. Without the script there is nothing to click.
_STYLE = f"""<style>
.st-key-{_KEY} {{ position: absolute; }}
html:not([data-copying]) {_BAR} {{ display: none; }}
{_BAR} {{ display: inline-flex; align-items: center; white-space: nowrap; }}
{_BAR} button {{
    display: inline-flex; align-items: center; gap: 0.375rem; min-height: 2.5rem;
    padding: 0.25rem 0; border: none; background: none; color: inherit; font: inherit;
    font-size: 0.875rem;
    border-radius: 0.5rem; cursor: pointer;
}}
{_BAR} button:hover {{ opacity: 0.7; }}
{_BAR} button i {{
    font-family: "Material Symbols Rounded"; font-style: normal; font-size: 1.1rem;
    line-height: 1; width: 1em; height: 1em; overflow: hidden; font-feature-settings: "liga";
}}
{_BAR} i.copy::before {{ content: "content_copy"; }}
{_BAR} i.tick::before {{ content: "check"; }}
{_BAR} button i.tick, {_BAR} button.done i.copy {{ display: none; }}
{_BAR} button.done i.tick {{ display: inline; }}
{_BAR} [data-copy="text"] {{ display: none; margin-inline-start: 0.75rem; font-size: 0.875rem;
    text-decoration: underline; text-underline-offset: 0.2em; }}
{_BAR}.offers-text [data-copy="text"] {{ display: inline-flex; }}
{_BAR} [role="status"] {{ font-size: 0.875rem; margin-inline-start: 0.375rem; }}
{_BAR} [role="status"]:not(.refused) {{ position: absolute; width: 1px; height: 1px;
    overflow: hidden; clip-path: inset(50%); }}
/* Streamlit shows its own, on code, to a mouse alone. */
@media (hover: none) {{ [data-testid="stCode"] button {{ visibility: visible; }} }}
@media (pointer: coarse) {{
    {_MESSAGE} :is({_BAR}, [data-testid="stButton"], [data-testid="stMenuButton"]) button {{
        min-height: 44px; min-width: 44px;
    }}
}}
</style>"""


def install() -> None:
    """Put the script and the looks of the copy buttons on the page."""
    st.html(_STYLE)
    render = st.components.v2.component("inkling_copying", js=_SCRIPT.read_text(encoding="utf-8"))
    with st.container(key=_KEY):
        render(
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
