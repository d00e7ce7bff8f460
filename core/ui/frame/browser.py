"""What every page needs of the browser: a script for compositions and pastes, the uploader's words.

Streamlit 1.67 sends a message at the Enter that ends a composition in Safari, takes no pasted
picture in a file input, and writes English on it. Names of its parts are Streamlit 1.67's.
"""

import json
from pathlib import Path

import streamlit as st

from core.texts import catalogue
from core.ui import session
from core.ui.frame import streamlit_words
from core.ui.session import text

_SCRIPT = Path(__file__).with_name("components") / "browser.js"
_KEY = "browser"
_NAMES = ("choose", "another", "remove", "refused")
_ZONE = '[data-testid="stFileUploaderDropzone"]'
_TOLD = '[data-testid="stFileUploaderDropzoneInstructions"]'
_BUTTON = f'{_ZONE} button [data-testid="stMarkdownContainer"] p'
_REFUSED = '[data-testid="stFileChip"][aria-invalid="true"] > div:last-of-type::after'
_OVER = f"{_ZONE} > div:not([data-testid]) > span:only-child"


def draw() -> None:
    """Put the script and the words on the page; neither takes any room on it."""
    st.html(_style())
    render = st.components.v2.component("inkling_browser", js=_SCRIPT.read_text(encoding="utf-8"))
    with st.container(key=_KEY):
        render(
            key="inkling-browser",
            data={
                "language": catalogue.LANGUAGE_TAGS[session.language()],
                "texts": {name: text(f"upload.{name}") for name in _NAMES},
                "words": streamlit_words.words(),
            },
        )


def uploader_says(key: str, words: str) -> None:
    """Have the file inputs whose key begins so say what they take, in the reader's language."""
    st.html(f'<style>[class*="st-key-{key}"] {_TOLD} span::after {{ {_content(words)} }}</style>')


def _style() -> str:
    return f"""<style>
.st-key-{_KEY} {{ position: absolute; width: 0; overflow: hidden; }}
/* Streamlit's own English gives way to the reader's words. */
{_BUTTON}, {_TOLD} span, {_OVER} {{ font-size: 0 !important; }}
{_BUTTON}::after {{ {_content(text("upload.choose"))} font-size: 0.875rem; }}
{_TOLD} span {{ white-space: normal !important; }}
{_TOLD} span::after {{ {_content(text("upload.drop"))} font-size: 0.875rem; }}
{_OVER}::after {{ {_content(text("upload.over"))} font-size: 0.875rem; }}
{_REFUSED} {{ display: block; white-space: normal; font-size: 0.75rem;
    {_content(text("upload.refused"))} }}
</style>"""


def _content(words: str) -> str:
    # A style that seems to hold a tag is dropped by what cleans HTML for the page.
    words = words.replace("<", "‹")
    return f"content: {json.dumps(words, ensure_ascii=False)};"
