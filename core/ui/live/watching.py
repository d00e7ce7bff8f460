"""Parts of a page that look again and again, and have the page drawn anew where it has moved on."""

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

_IS_PUT_OFF = "redraw-put-off"


def redraw_page() -> None:
    """Draw the whole page anew, from a fragment that has found news (`st.rerun`).

    Nothing happens while the page's own run draws the fragment: to end that run there would lose
    the press of every button further down, for which it may have been started. So the fragment
    goes on with what it has, and looks again at its next beat behind that run. Nor does anything,
    once, where other fragments are drawn in the same run: one of them may be for a press, too.
    """
    run = get_script_run_ctx()
    if run is None or not run.fragment_ids_this_run:
        return
    was_put_off = st.session_state.pop(_IS_PUT_OFF, False)
    if len(run.fragment_ids_this_run) > 1 and not was_put_off:
        st.session_state[_IS_PUT_OFF] = True
        return
    st.rerun()
