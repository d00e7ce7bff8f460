"""The pictures of a message, under it: as they come, or what became of them."""

from collections.abc import Mapping, Sequence

import streamlit as st

from core.errors import AppError
from core.markdown.escaping import literal
from core.models.chat import Message
from core.models.lineage import DrawnFrom
from core.storage.generations.gallery import GalleryPicture
from core.ui import session
from core.ui.buttons import button
from core.ui.drawing import desk
from core.ui.gallery import actions
from core.ui.gallery.large import address
from core.ui.generations import row
from core.ui.generations.thumbnails import thumbnail, title
from core.ui.live.watching import redraw_page
from core.ui.session import text

WATCH_EVERY_S = 1.0
_COLUMN_LEAST_PX = 130
_SHOWN_MOST = 12  # tasks; what was drawn before them is folded
_REFUSED = frozenset({"error.kling_content", "error.kling_policy"})

Drawn = Mapping[str, tuple[DrawnFrom, ...]]


def of(path: Sequence[Message]) -> Drawn:
    """Return what was drawn from messages; nothing where the store does not tell."""
    ids = [message.id for message in path]
    try:
        return session.studio().store.lineage.drawn_from(session.owner(), ids)
    except AppError:
        return {}


def draw(message: Message, drawn: Sequence[DrawnFrom]) -> None:
    """Draw what was drawn from a message; what is under way is watched."""
    if not drawn:
        return
    ended = [one for one in drawn if not _is_open(one)]
    with st.container(key=f"drawn-{message.id}", gap="small"):
        _draw_earlier(message, ended[:-_SHOWN_MOST])
        for one in ended[-_SHOWN_MOST:]:
            _draw_one(one)
        if any(map(_is_open, drawn)):
            _watch(message, drawn)


def _draw_earlier(message: Message, drawn: Sequence[DrawnFrom]) -> None:
    if not drawn:
        return
    label = text("drawing.earlier", count=len(drawn))
    key = f"drawn-earlier-{message.id}"
    fold = st.expander(label, key=key, icon=":material/history:", type="compact", on_change="rerun")
    if fold.open:  # what is closed would be sent all the same
        with fold:
            for one in drawn:
                _draw_one(one)


def _watch(message: Message, drawn: Sequence[DrawnFrom]) -> None:
    before = _stage(drawn)

    @st.fragment(run_every=WATCH_EVERY_S)
    def watch() -> None:
        now = of([message]).get(message.id, ())
        if _stage(now) != before:
            redraw_page()
        for one in now:
            if _is_open(one) and one.generation is not None:
                row.draw(one.generation)

    watch()


def _stage(drawn: Sequence[DrawnFrom]) -> frozenset[tuple[str, bool, int]]:
    """Return what of it decides what else the page shows."""
    return frozenset(
        (one.link.generation_id, _is_open(one), len(one.generation.pictures))
        for one in drawn
        if one.generation is not None
    )


def _is_open(drawn: DrawnFrom) -> bool:
    return drawn.generation is not None and not drawn.generation.status.is_final


def _draw_one(drawn: DrawnFrom) -> None:
    generation = drawn.generation
    if generation is None:
        _draw_missing(drawn)
        return
    if not generation.pictures and generation.error_text_id is not None:
        row.draw(generation, more=lambda _: _draw_ways_on(drawn))
        return
    if not generation.pictures:
        st.caption(text("drawing.pictures_deleted"))
        _draw_ways_on(drawn)
        return
    with st.grid("auto", min_column_width=_COLUMN_LEAST_PX) as grid:
        for picture in generation.pictures:
            with grid.cell():
                _draw_picture(GalleryPicture(picture, generation))
    st.caption(literal(title(generation.request)))
    _draw_ways_on(drawn)


def _draw_picture(item: GalleryPicture) -> None:
    try:
        st.image(thumbnail(item.picture.name), width="stretch", alt=actions.named(item))
    except AppError as error:
        st.caption(f":material/broken_image: {session.error_text(error)}")


def _draw_missing(drawn: DrawnFrom) -> None:
    if drawn.whereabouts == "deleted" or drawn.link.request is None:
        st.caption(text("drawing.deleted"))
        return
    words = " ".join(drawn.link.request.prompt.split())[:160]
    st.caption(text("drawing.elsewhere", prompt=literal(words)))
    _draw_ways_on(drawn)


def _draw_ways_on(drawn: DrawnFrom) -> None:
    link, generation = drawn.link, drawn.generation
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        if generation is not None and generation.error_text_id in _REFUSED:
            key = f"soften-{link.generation_id}-{link.message_id}"
            button("drawing.soften", "spa", key, desk.soften, drawn)
        key = f"change-{link.generation_id}-{link.message_id}"
        button("drawing.change", "tune", key, desk.change, drawn, type="tertiary")
        if generation is not None and generation.pictures:
            st.page_link(
                "pages/gallery.py",
                label=text("drawing.in_gallery"),
                icon=":material/photo_library:",
                query_params=address.link_to(generation.id),
            )
