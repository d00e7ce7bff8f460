"""Draws the whole corpus on one page, each document whole and in the pieces of a growing answer."""

import streamlit as st

from core.markdown.rendering import for_streamlit, shielded
from core.markdown.splitter import BlockSplitter
from core.ui.chat.streaming import DISPLAY_LIMIT
from core.ui.frame import page_files
from tests.browser.corpus import documents

CHUNK = 7


def draw_growing(source: str) -> None:
    """Draw the pieces that a page would have drawn by the end."""
    splitter = BlockSplitter(DISPLAY_LIMIT)
    pieces: list[str] = []
    for at in range(0, len(source), CHUNK):
        splitter.feed(source[at : at + CHUNK])
        pieces += splitter.tail_parts()[0]
    splitter.finish()
    pieces += splitter.tail_parts()[0]
    for piece in pieces:
        st.markdown(for_streamlit(piece).rstrip())


page_files.draw_style("chat")
for number, document in enumerate(documents()):
    with st.container(key=f"whole-{number}-end"):
        st.markdown(shielded(for_streamlit(document.source)))
    with st.container(key=f"growing-{number}-end"):
        draw_growing(document.source)
st.text("all drawn")
