"""Pictures that are on their way: the gallery shows them as they come."""

import streamlit as st

from core.errors import AppError
from core.ui import session
from core.ui.live.watching import redraw_page
from core.ui.session import text

WATCH_EVERY_S = 2.0


def draw() -> None:
    """Say that tasks are under way, and draw the page again when a picture has come."""
    try:
        if not _is_waiting():
            return
        count = _count()
    except AppError as error:
        session.show_error(error)
        return

    @st.fragment(run_every=WATCH_EVERY_S)
    def watch() -> None:
        try:
            is_news = _count() != count or not _is_waiting()
        except AppError:
            return  # it is asked again shortly
        if is_news:
            redraw_page()
        st.caption(text("gallery.arriving"))

    watch()


def _is_waiting() -> bool:
    lists = session.studio().store.generation_lists
    return bool(lists.list(session.owner(), active_only=True, limit=1).items)


def _count() -> int:
    return session.studio().store.gallery.count_pictures(session.owner())
