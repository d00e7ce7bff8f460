"""画图 Images: say what to draw, see it come, keep it."""

import streamlit as st

from core.errors import AppError
from core.ui import notices, session
from core.ui.generations import card as generation_view
from core.ui.generations import form as image_form
from core.ui.session import text

SHOWN = 12
WATCH_EVERY_S = 1.0

studio = session.studio()
session.enter_page("images")
notices.image_notices()
st.subheader(text("images.title"), anchor=False)

form, results = st.columns([2, 3], gap="large")
with form:
    image_form.draw()


def draw_results() -> None:
    """Draw the newest generations; once none is open any more, the page rests."""
    try:
        page = studio.store.generations.list(session.owner(), limit=SHOWN)
    except AppError as error:
        session.show_error(error)
        return
    if not page.items:
        st.caption(text("images.none_yet"))
    for generation in page.items:
        generation_view.draw(generation)
    if is_watching and all(generation.status.is_final for generation in page.items):
        st.rerun()


is_watching = bool(studio.store.generations.list(session.owner(), active_only=True, limit=1).items)
with results:
    st.fragment(draw_results, run_every=WATCH_EVERY_S if is_watching else None)()
