"""画图 Images: say what to draw, see it come, keep it."""

import streamlit as st

from core.ui import notices, session
from core.ui.gallery import deletion
from core.ui.gallery.large import address, view
from core.ui.generations import browser, draft, form, reference, results
from core.ui.session import text

session.studio()
session.enter_page("images")
notices.image_notices()
st.title(text("images.title"), anchor=False)
known = session.state()
if known.error is not None and address.opened() is None:
    session.show_error(known.error)
    known.error = None

left, right = st.columns([2, 3], gap="large")
with left, st.container(key="image-form"):
    form.draw()
with right, st.container(key="image-results"):
    deletion.draw_undo()
    under_way, newest = results.read()
    results.draw_open(under_way)
    results.draw(newest)
browser.draw(
    top=("image-results", newest[0].id if newest else ""),
    draft=draft.of_form(),
    on_draft=draft.take,
    reference=reference.token(),
)
view.draw(results.pictures_of(newest))
