"""Parts of a page that look again and again, and have the page drawn anew where it has moved on."""

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx


def redraw_page() -> None:
    """Draw the whole page anew, from a fragment that has found news (`st.rerun`).

    Nothing happens while the page's own run draws the fragment: to end that run there would lose
    the press of every button further down, for which it may have been started. The fragment looks
    again at its next beat, so that the news come a beat later.
    """
    run = get_script_run_ctx()
    if run is not None and run.fragment_ids_this_run:
        st.rerun()
