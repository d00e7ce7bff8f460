"""状态 Status: who serves what, whether the keys are good, where things are kept."""

import streamlit as st

from core.ui import notices, reachable, session
from core.ui.session import text
from core.ui.status import checkup, codes, tokens, way_in
from core.ui.status import view as status_view

session.enter_page("status")
st.title(text("status.title"), anchor=False)
if session.is_trusted():
    notices.news()
    notices.all_problems()
    status_view.draw_settings()

chat, images = st.columns(2, gap="medium")
with chat:
    status_view.draw_chat()
with images:
    status_view.draw_images()
if session.is_trusted():  # where things are kept is nobody else's business
    checkup.draw()
    status_view.draw_storage()
codes.draw()
if way_in.may_manage():
    way_in.draw()
    tokens.draw()
if session.is_trusted() or not reachable.is_http_served():
    status_view.draw_http()  # without the layer nobody is known to be the owner: told to all
status_view.draw_version()
