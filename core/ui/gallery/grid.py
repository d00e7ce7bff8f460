"""The gallery's pictures, a page at a time, as thumbnails."""

import streamlit as st

from core.errors import AppError
from core.markdown.escaping import literal
from core.storage.generations.gallery import GalleryPicture
from core.ui import pager, session
from core.ui.gallery import detail as gallery_view
from core.ui.gallery import filters as gallery_filters
from core.ui.gallery import selection as gallery_selection
from core.ui.gallery.filters import Filters
from core.ui.generations.card import thumbnail
from core.ui.session import text

SHOWN = 24
PICKING_KEY = "gallery-picking"
_COLUMN_LEAST = 150  # pixels: two columns on a phone
_WORDS_SHOWN = 60


def draw(filters: Filters) -> None:
    """Draw one page of pictures, newest first, and the one that was opened large."""
    gallery = session.studio().store.gallery
    favourite = True if filters.kind == "favourites" else None
    try:
        count = gallery.count_pictures(session.owner(), favourite=favourite, **filters.asked)
        page = gallery.list_pictures(
            session.owner(),
            favourite=favourite,
            cursor=pager.cursor("gallery"),
            limit=SHOWN,
            **filters.asked,
        )
    except AppError as error:
        session.show_error(error)
        return
    if not page.items:
        _draw_empty(filters)
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(text("gallery.count", count=f"{count:,}"), width="content")
        is_picking = st.toggle(text("gallery.pick_many"), key=PICKING_KEY)
        pager.draw("gallery", page.next_cursor, place="above")
    if is_picking:
        gallery_selection.draw(page.items)
    with st.grid("auto", min_column_width=_COLUMN_LEAST) as grid:
        for item in page.items:
            with grid.cell(), st.container(gap="xxsmall"):
                _draw_tile(item, is_picking=is_picking)
    pager.draw("gallery", page.next_cursor, place="below")
    gallery_view.draw(page.items)


def _draw_tile(item: GalleryPicture, *, is_picking: bool) -> None:
    picture, prompt = item.picture, item.generation.request.prompt
    words = prompt[:_WORDS_SHOWN] or text("gallery.prompt_unknown")
    try:
        st.image(
            thumbnail(picture.name),
            width="stretch",
            alt=text("images.alt", number=picture.index + 1, prompt=words),
        )
    except AppError as error:
        st.caption(f":material/broken_image: {session.error_text(error)}")
    with st.container(horizontal=True, wrap=False, vertical_alignment="center", gap="xxsmall"):
        if is_picking:
            gallery_selection.draw_check(item)
        st.button(
            literal(" ".join(words.split())),
            icon=":material/zoom_in:",
            width="stretch",
            key=f"open-{picture.id}",
            help=text("gallery.open"),
            on_click=gallery_view.open_picture,
            args=(picture.id,),
        )
        gallery_view.draw_favourite(item, place="tile")


def _draw_empty(filters: Filters) -> None:
    with st.container(horizontal_alignment="center", gap="small"):
        st.space("medium")
        if gallery_filters.draw_why_empty(filters, "gallery"):
            return
        if filters.kind == "favourites":
            st.caption(text("gallery.no_favourites"), width="content")
        else:
            st.caption(text("gallery.empty"), width="content")
            st.page_link("pages/images.py", label=text("gallery.begin"), icon=":material/brush:")
