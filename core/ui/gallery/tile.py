"""One picture as a tile: the picture is the button that opens it; its actions stand below."""

import streamlit as st

from core.errors import AppError
from core.storage.generations.gallery import GalleryPicture
from core.ui import session
from core.ui.gallery import actions, selection
from core.ui.gallery.large import address
from core.ui.generations.thumbnails import thumbnail, title
from core.ui.session import text


def draw(item: GalleryPicture, *, is_picking: bool = False) -> None:
    """Draw a tile; while several are picked, a click on it picks it."""
    picture = item.picture
    with st.container(gap=None, key=f"tile-{picture.id}"):
        with st.container(gap=None, key=f"picture-{picture.id}"):
            _draw_picture(item)
            _draw_over_it(item, is_picking=is_picking)
        with st.container(key=f"words-{picture.id}"):
            st.text(title(item.generation.request))
        with st.container(horizontal=True, wrap=False, vertical_alignment="center", gap=None):
            if is_picking:
                selection.draw_check(item)
                return
            actions.draw_star(item, place="tile")
            actions.draw_download(item)
            actions.draw_menu(item)


def _draw_picture(item: GalleryPicture) -> None:
    try:
        # The button over it names it: heard once is enough.
        st.image(thumbnail(item.picture.name), width="stretch", alt="")
    except AppError as error:
        st.caption(f":material/broken_image: {session.error_text(error)}")


def _draw_over_it(item: GalleryPicture, *, is_picking: bool) -> None:
    """Draw the button that the style lays over the picture, transparent."""
    key, of = f"open-{item.picture.id}", actions.of(item)
    if is_picking:
        st.button(f"{text('gallery.pick')}{of}", key=key, on_click=selection.toggle, args=(item,))
    else:
        act, args = address.open_picture, (item.picture.id,)
        st.button(f"{text('gallery.open')}{of}", key=key, on_click=act, args=args)
