"""Pictures that were picked: how many, how large, all in one zip, deleted and brought back."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import streamlit as st

from core.storage.generations.gallery import Gallery, GalleryPicture
from core.ui import clock, session
from core.ui.buttons import button, download
from core.ui.formats import size
from core.ui.gallery.actions import of
from core.ui.gallery.deletion import delete
from core.ui.gallery.zip_export import ZIP_LIMIT_BYTES, zip_of
from core.ui.session import text

PICKED_MOST = 500


def draw(shown: Sequence[GalleryPicture]) -> None:
    """Draw what can be done with the picked pictures; `shown` are those of this page."""
    picked = session.state().picked
    total_bytes = sum(picked.values())
    with st.container(border=True, horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(
            text("gallery.picked", count=len(picked), size=size(total_bytes)), width="content"
        )
        sizes = {item.picture.id: item.picture.size_bytes for item in shown}
        is_full = len(picked) + len(shown) > PICKED_MOST
        button(
            "gallery.pick_page", "select_all", "pick-page", picked.update, sizes, disabled=is_full
        )
        button("gallery.pick_none", "deselect", "pick-none", picked.clear, disabled=not picked)
        _draw_zip(total_bytes)
        button(
            "gallery.delete_picked",
            "delete",
            "delete-picked",
            lambda: delete(tuple(picked)),
            disabled=not picked,
        )
    if total_bytes > ZIP_LIMIT_BYTES:
        st.caption(text("gallery.zip_too_large", limit=size(ZIP_LIMIT_BYTES)))


def _draw_zip(total_bytes: int) -> None:
    picked = tuple(session.state().picked)
    # What a deferred download calls runs outside the session: everything it needs is taken now.
    studio, owner = session.studio(), session.owner()
    reader = clock.zone()
    stamp = clock.stamp(datetime.now(UTC), reader)
    download(
        "gallery.zip",
        "zip-picked",
        lambda: zip_of(
            studio.archive,
            _items(studio.store.gallery, owner, picked),
            reader,
            lambda one: studio.store.lineage.origins(owner, [one]).get(one),
        ),
        f"inkling-{stamp}.zip",
        "application/zip",
        "folder_zip",
        type="primary",
        disabled=not picked or total_bytes > ZIP_LIMIT_BYTES,
    )


def _items(gallery: Gallery, owner: str, picture_ids: Sequence[str]) -> Iterator[GalleryPicture]:
    for picture_id in picture_ids:
        if (item := gallery.get(owner, picture_id)) is not None:
            yield item


def draw_check(item: GalleryPicture) -> None:
    """Draw the box that picks one picture."""
    known, picture = session.state(), item.picture
    key = f"pick-{picture.id}"
    st.session_state[key] = picture.id in known.picked
    st.checkbox(
        f"{text('gallery.pick')}{of(item)}",
        label_visibility="collapsed",
        key=key,
        disabled=picture.id not in known.picked and len(known.picked) >= PICKED_MOST,
        on_change=toggle,
        args=(item,),
    )


def toggle(item: GalleryPicture) -> None:
    """Pick a picture, or leave it."""
    picked = session.state().picked
    if item.picture.id in picked:
        picked.pop(item.picture.id)
    elif len(picked) < PICKED_MOST:
        picked[item.picture.id] = item.picture.size_bytes


def pick_range(shown: Sequence[GalleryPicture], first_id: str, last_id: str) -> None:
    """Pick all from one picture of this page to another, as a click with Shift does."""
    places = {item.picture.id: place for place, item in enumerate(shown)}
    if first_id not in places or last_id not in places:
        return
    begin, end = sorted((places[first_id], places[last_id]))
    picked = session.state().picked
    for item in shown[begin : end + 1]:
        if len(picked) < PICKED_MOST:
            picked[item.picture.id] = item.picture.size_bytes
