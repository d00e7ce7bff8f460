"""What came of the requests: a summary, tasks under way as rows, pictures as tiles."""

from collections.abc import Sequence
from itertools import groupby

import streamlit as st

from core.errors import AppError
from core.models.generations import Generation, GenerationStatus
from core.storage.generations.gallery import GalleryPicture
from core.ui import session
from core.ui.buttons import keeping_errors
from core.ui.gallery import actions, tile
from core.ui.generations import progress, row
from core.ui.live.watching import redraw_page
from core.ui.session import text

SHOWN = 12
PICTURES_SHOWN = 24
OPEN_SHOWN = 40
WATCH_EVERY_S = 1.0
_OPEN_MOST = 500  # a batch: what waits is cancelled as far as this
_COLUMN_LEAST_PX = 150


def read() -> tuple[tuple[Generation, ...], tuple[Generation, ...]]:
    """Return what is under way, and the newest; an error is shown, and there is nothing then."""
    try:
        return under_way(), newest()
    except AppError as error:
        session.show_error(error)
        return (), ()


def under_way() -> tuple[Generation, ...]:
    """Return what has not ended yet, newest first."""
    lists = session.studio().store.generation_lists
    return lists.list(session.owner(), active_only=True, limit=_OPEN_MOST).items


def newest() -> tuple[Generation, ...]:
    """Return the newest generations, whatever became of them, as far as the page shows them."""
    found = session.studio().store.generation_lists.list(session.owner(), limit=SHOWN)
    pictures, shown = 0, list[Generation]()
    for generation in found.items:
        pictures += len(generation.pictures)
        if pictures > PICTURES_SHOWN and shown:
            break
        shown.append(generation)
    return tuple(shown)


def pictures_of(generations: Sequence[Generation]) -> tuple[GalleryPicture, ...]:
    """Return the pictures of these generations, in the order they are shown."""
    return tuple(
        GalleryPicture(picture, generation)
        for generation in generations
        for picture in generation.pictures
    )


def draw_open(open_ones: Sequence[Generation]) -> None:
    """Draw what is under way, watched; the page is drawn again when one of them moves on."""
    if not open_ones:
        return
    drawn = _stage(open_ones)

    @st.fragment(run_every=WATCH_EVERY_S)
    def watch() -> None:
        try:
            now = under_way()
        except AppError as error:
            session.show_error(error)
            return
        if _stage(now) != drawn:
            redraw_page()
        if now:
            _draw_rows(now)

    watch()


def _stage(open_ones: Sequence[Generation]) -> frozenset[tuple[str, int]]:
    """Return what of the tasks decides what else the page shows."""
    return frozenset((one.id, len(one.pictures)) for one in open_ones)


def _draw_rows(open_ones: Sequence[Generation]) -> None:
    _draw_summary(open_ones)
    for generation in open_ones[:OPEN_SHOWN]:
        row.draw(generation)
    if len(open_ones) > OPEN_SHOWN:
        st.caption(text("images.more_open", count=len(open_ones) - OPEN_SHOWN))


def draw(recent: Sequence[Generation]) -> None:
    """Draw the newest generations: pictures as tiles, what has none as rows."""
    if not recent:
        st.caption(text("images.none_yet"))
        return
    for is_task, some in groupby(_to_show(recent), key=_is_task):
        if is_task:
            for generation in some:
                row.draw(generation, more=_draw_more)
        else:
            _draw_tiles(pictures_of(tuple(some)))
    st.page_link("pages/gallery.py", label=text("images.all"), icon=":material/photo_library:")


def _draw_tiles(items: Sequence[GalleryPicture]) -> None:
    with st.grid("auto", min_column_width=_COLUMN_LEAST_PX) as grid:
        for item in items:
            with grid.cell():
                tile.draw(item)


def _to_show(recent: Sequence[Generation]) -> list[Generation]:
    """Leave out what stands above as under way with nothing to see, and what lost its pictures."""
    return [
        one
        for one in recent
        if one.pictures or (one.status.is_final and one.status is not GenerationStatus.ARCHIVED)
    ]


def _is_task(generation: Generation) -> bool:
    return not generation.pictures


def _draw_more(generation: Generation) -> None:
    with st.container(horizontal=True, gap="small"):
        actions.draw_use_again(generation)
        actions.draw_delete_task(generation)


def _draw_summary(open_ones: Sequence[Generation]) -> None:
    waiting = [one.id for one in open_ones if progress.is_waiting(one)]
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(
            text("images.summary", running=len(open_ones), done=_done_since(open_ones[-1])),
            width="stretch",
        )
        if len(waiting) > 1:
            st.button(
                text("images.cancel_waiting", count=len(waiting)),
                icon=":material/close:",
                type="tertiary",
                key="cancel-waiting",
                on_click=_cancel_all,
                args=(tuple(waiting),),
            )


def _done_since(oldest: Generation) -> int:
    """Return how many of those asked for since the oldest open one have ended well."""
    try:
        counts = session.studio().store.generation_lists.counts_since(
            session.owner(), oldest.created_at
        )
    except AppError:
        return 0
    return counts.get(GenerationStatus.ARCHIVED, 0)


@keeping_errors("image_error")
def _cancel_all(generation_ids: tuple[str, ...]) -> None:
    """Cancel what waits; what was sent meanwhile goes on, since it may be billed."""
    generations = session.studio().generations
    cancelled = sum(generations.cancel(session.owner(), one) for one in generation_ids)
    session.state().notice = text("images.cancelled_waiting", count=cancelled)
