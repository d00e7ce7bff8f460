"""What every page needs of the browser: a script for compositions and pastes, the uploader's words.

Streamlit 1.67 sends a message at the Enter that ends a composition in Safari, takes no pasted
picture in a file input, and writes English on it. Names of its parts are Streamlit 1.67's.
"""

import streamlit as st

from core.texts import catalogue
from core.ui import session
from core.ui.frame import page_files
from core.ui.session import text

_KEY = "browser"
_NAMES = ("choose", "another", "remove", "refused")


def draw() -> None:
    """Put the script and the words on the page; neither takes any room on it."""
    page_files.draw_style("uploader")
    with st.container(key=_KEY):
        page_files.component("browser")(
            key="inkling-browser",
            data={
                "language": catalogue.LANGUAGE_TAGS[session.language()],
                "texts": {name: text(f"upload.{name}") for name in _NAMES},
                "words": page_files.words(),
            },
        )
