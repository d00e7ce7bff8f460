"""Copy to clipboard by one click, without a run of the script.

The text waits in the page, since a browser lets a click copy only what is at hand: one that asked
the server first would be refused over plain http.
"""

import json
from html import escape

import streamlit as st

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


def button_html(source: str, name: str, more: str = "") -> str:
    """Return the HTML of a button that copies `source`; `name` is what is read aloud of it.

    `more` is HTML of further buttons on the same text.
    """
    return (
        f'<span class="inkling-copy" data-source="{_attribute(source)}">'
        f'<button type="button" data-copy="markdown" aria-label="{escape(name)}">'
        '<i class="copy" aria-hidden="true"></i>'
        '<i class="tick" aria-hidden="true"></i>'
        f"<span>{escape(text('copy.label'))}</span></button>"
        f'{more}<span role="status"></span></span>'
    )


def draw_box(source: str, name: str, *, is_code: bool = False) -> None:
    """Draw a text as it is, with a button that copies it; code without colours.

    Streamlit's own box loads half a megabyte of highlighting, whatever stands in it.
    """
    words = f"<code>{escape(source)}</code>" if is_code else f"<p>{escape(source)}</p>"
    st.html(
        f'<div class="inkling-box">{words}{button_html(source, name)}</div>',
        width="content" if is_code else "stretch",
    )


def _attribute(source: str) -> str:
    # What cleans HTML for the page drops an attribute in which a tag or a comment seems to end.
    words = json.dumps(source, ensure_ascii=False).replace("<", "\\u003c").replace(">", "\\u003e")
    return escape(words)
