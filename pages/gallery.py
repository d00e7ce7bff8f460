"""作品 Gallery: everything that was made, newest first, and what can still be done with it."""

import streamlit as st

from core.ui import notices, session
from core.ui.gallery import arrivals as gallery_arrivals
from core.ui.gallery import deletion
from core.ui.gallery import filters as gallery_filters
from core.ui.gallery import grid as gallery_grid
from core.ui.gallery import recovery as gallery_recovery
from core.ui.gallery import tasks as gallery_tasks
from core.ui.gallery.large import address
from core.ui.session import text

session.studio()
session.enter_page("gallery")
notices.image_notices()
known = session.state()
address.follow_generation_link()

st.title(text("gallery.title"), anchor=False)
if known.error is not None and address.opened() is None:
    session.show_error(known.error)
    known.error = None
deletion.draw_undo()

filters = gallery_filters.draw()
if filters.kind in gallery_filters.TASK_KINDS:
    gallery_tasks.draw(filters)
else:
    gallery_arrivals.draw()
    gallery_grid.draw(filters)
gallery_recovery.draw()
