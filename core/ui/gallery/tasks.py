"""Tasks without all their pictures: under way, failed, refused, cancelled."""

import streamlit as st

from core.errors import AppError
from core.models.generations import Generation
from core.storage.db.pagination import Page
from core.ui import pager, session
from core.ui.buttons import button
from core.ui.gallery import filters as gallery_filters
from core.ui.gallery import reuse as gallery_reuse
from core.ui.gallery import selection as gallery_selection
from core.ui.gallery.filters import TASK_KINDS, Filters
from core.ui.gallery.task_history import draw_task_history
from core.ui.generations import card as generation_view
from core.ui.session import text

SHOWN = 20
WATCH_EVERY_S = 1.0


def draw(filters: Filters) -> None:
    """Draw one page of tasks, newest first; those under way are watched."""
    page = _read(filters)
    if filters.kind != "open" or not page.items:
        _draw_page(page, filters)
        return

    @st.fragment(run_every=WATCH_EVERY_S)
    def watch() -> None:
        page = _read(filters)
        if not page.items:
            st.rerun()
        _draw_page(page, filters)

    watch()


def _read(filters: Filters) -> Page[Generation]:
    try:
        return session.studio().store.generations.list(
            session.owner(),
            statuses=TASK_KINDS[filters.kind],
            cursor=pager.cursor("tasks"),
            limit=SHOWN,
            **filters.asked,
        )
    except AppError as error:
        session.show_error(error)
        return Page(())


def _draw_page(page: Page[Generation], filters: Filters) -> None:
    if not page.items:
        with st.container(horizontal_alignment="center", gap="small"):
            st.space("medium")
            if not gallery_filters.draw_why_empty(filters, "tasks"):
                st.caption(text(f"gallery.none_{filters.kind}"), width="content")
    with st.grid(2, min_column_width=340) as grid:
        for generation in page.items:
            with grid.cell():
                generation_view.draw(generation, more=_draw_more)
    pager.draw("tasks", page.next_cursor, place="below")


def _draw_more(generation: Generation) -> None:
    draw_task_history(generation)
    if not generation.status.is_final:
        return
    with st.container(horizontal=True, gap="small"):
        gallery_reuse.draw_use_again(generation)
        key, delete = f"delete-{generation.id}", gallery_selection.delete_generation
        button("chat.delete", "delete", key, delete, generation.id)
