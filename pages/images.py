"""画图 Images: say what to draw, see it come, keep it."""

import streamlit as st

from core.errors import AppError
from core.ui import notices, session
from core.ui.gallery import deletion
from core.ui.gallery.large import address, view
from core.ui.generations import browser, draft, form, results
from core.ui.session import text

WATCH_EVERY_S = 1.0

studio = session.studio()
session.enter_page("images")
notices.image_notices()
st.subheader(text("images.title"), anchor=False)
known = session.state()
if known.error is not None and address.opened() is None:
    session.show_error(known.error)
    known.error = None

left, right = st.columns([2, 3], gap="large")
with left, st.container(key="image-form"):
    form.draw()


def draw_results() -> None:
    """Draw the newest generations; once none is open any more, the page rests."""
    try:
        under_way, newest = results.under_way(), results.newest()
    except AppError as error:
        session.show_error(error)
        return
    was_done = results.draw(under_way, newest)
    if is_watching and (was_done or not under_way):
        st.rerun()


is_watching = bool(studio.store.generations.list(session.owner(), active_only=True, limit=1).items)
newest = results.newest()
with right, st.container(key="image-results"):
    deletion.draw_undo()
    st.fragment(draw_results, run_every=WATCH_EVERY_S if is_watching else None)()
browser.draw(
    top=("image-results", newest[0].id if newest else ""),
    draft=draft.of_form(),
    on_draft=draft.take,
)
view.draw(results.pictures_of(newest))
