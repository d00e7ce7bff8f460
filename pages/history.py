"""历史 History: find what was said, keep it in order, take it along."""

import streamlit as st

from core.ui import conversations, notices, session
from core.ui.history import conversations as history_list
from core.ui.history import search as history_search
from core.ui.history import transfer as history_transfer
from core.ui.session import text

session.studio()
session.enter_page("history")
notices.chat_notices()
known = session.state()

with st.container(horizontal=True, vertical_alignment="center"):
    st.title(text("history.title"), anchor=False)
    history_transfer.draw()
history_transfer.draw_outcome()
if known.error is not None:
    session.show_error(known.error)
    known.error = None
conversations.draw_undo("history-undo")

if query := history_search.draw_box():
    history_search.draw_hits(query)
else:
    history_list.draw()
