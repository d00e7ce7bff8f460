"""The file uploader in the reader's words, by a style sheet: Streamlit 1.67 writes English on it.

No angle bracket may open within: what cleans HTML for the page drops a style that looks like tags.
"""

import json

import streamlit as st

from core.texts.catalogue import Language, text

_ZONE = '[data-testid="stFileUploaderDropzone"]'
_TOLD = '[data-testid="stFileUploaderDropzoneInstructions"]'
_BUTTON = f'{_ZONE} button [data-testid="stMarkdownContainer"] p'
_REFUSED = '[data-testid="stFileChip"][aria-invalid="true"] > div:last-of-type::after'
_OVER = f"{_ZONE} > div:not([data-testid]) > span:only-child"


def style(language: Language) -> str:
    """Return the style sheet that writes the words of one language over Streamlit's own."""

    def content(name: str) -> str:
        return _content(text(language, f"upload.{name}"))

    return f"""{_BUTTON}, {_TOLD} span, {_OVER} {{ font-size: 0 !important; }}
{_BUTTON}::after {{ {content("choose")} font-size: 0.875rem; }}
{_TOLD} span {{ white-space: normal !important; }}
{_TOLD} span::after {{ {content("drop")} font-size: 0.875rem; }}
{_OVER}::after {{ {content("over")} font-size: 0.875rem; }}
{_REFUSED} {{ display: block; white-space: normal; font-size: 0.75rem;
    {content("refused")} }}
"""


def uploader_says(key: str, words: str) -> None:
    """Have the file inputs whose key begins so say what they take, in the reader's language."""
    st.html(f'<style>[class*="st-key-{key}"] {_TOLD} span::after {{ {_content(words)} }}</style>')


def _content(words: str) -> str:
    words = words.replace("<", "‹")
    return f"content: {json.dumps(words, ensure_ascii=False)};"
