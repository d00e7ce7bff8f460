"""The gallery's pictures, a page at a time, as thumbnails."""

from collections.abc import Sequence

import streamlit as st

from core.errors import AppError
from core.storage.generations.gallery import GalleryPicture
from core.ui import session
from core.ui.gallery import arrangement, pages, selection, tile
from core.ui.gallery import filters as gallery_filters
from core.ui.gallery.arrangement import Arrangement
from core.ui.gallery.filters import Filters
from core.ui.gallery.large import view
from core.ui.generations import browser
from core.ui.session import text

SHOWN = 24
PICKING_KEY = "gallery-picking"


def draw(filters: Filters) -> None:
    """Draw one page of pictures in the chosen order, and the one that was opened large."""
    gallery = session.studio().store.gallery
    favourite = True if filters.kind == "favourites" else None
    arranged = arrangement.current()
    try:
        count = gallery.count_pictures(session.owner(), favourite=favourite, **filters.asked)
        number, total = pages.current(count, SHOWN)
        shown = gallery.page_of_pictures(
            session.owner(),
            number=number,
            size=SHOWN,
            order=arranged.order,
            favourite=favourite,
            **filters.asked,
        )
    except AppError as error:
        session.show_error(error)
        return
    if shown:
        _draw_page(shown, arranged, count, number, total)
    else:
        _draw_empty(filters)
    browser.draw(
        top=("gallery-top", f"{filters.kind} {number}"),
        on_range=lambda first, last: selection.pick_range(shown, first, last),
    )
    view.draw(shown)


def _draw_page(
    shown: Sequence[GalleryPicture], arranged: Arrangement, count: int, number: int, total: int
) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key="gallery-top"):
        st.caption(text("gallery.count", count=f"{count:,}"), width="content")
        is_picking = st.toggle(text("gallery.pick_many"), key=PICKING_KEY)
        arrangement.draw(arranged)
        pages.draw(number, total, place="above")
    if is_picking:
        selection.draw(shown)
    with st.grid("auto", min_column_width=arranged.least_width_px) as grid:
        for item in shown:
            with grid.cell():
                tile.draw(item, is_picking=is_picking)
    pages.draw(number, total, place="below")


def _draw_empty(filters: Filters) -> None:
    with st.container(horizontal_alignment="center", gap="small"):
        st.space("medium")
        if gallery_filters.draw_why_empty(filters):
            return
        if filters.kind == "favourites":
            st.caption(text("gallery.no_favourites"), width="content")
        else:
            st.caption(text("gallery.empty"), width="content")
            st.page_link("pages/images.py", label=text("gallery.begin"), icon=":material/brush:")
