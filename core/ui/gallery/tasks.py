"""Tasks without all their pictures: under way, failed, refused, cancelled."""

import streamlit as st

from core.errors import AppError
from core.models.generations import Generation
from core.storage.db.pagination import Page
from core.ui import pager, session
from core.ui.gallery import actions
from core.ui.gallery import filters as gallery_filters
from core.ui.gallery.filters import TASK_KINDS, Filters
from core.ui.gallery.large.task_history import draw_task_history
from core.ui.generations import browser, row
from core.ui.live.watching import redraw_page
from core.ui.session import text

SHOWN = 20
WATCH_EVERY_S = 1.0


def draw(filters: Filters) -> None:
    """Draw one page of tasks, newest first; those under way are watched."""
    page = _read(filters)
    browser.draw(top=("gallery-top", f"{filters.kind} {pager.cursor('tasks')}"))
    if filters.kind != "open" or not page.items:
        _draw_page(page, filters)
        return

    @st.fragment(run_every=WATCH_EVERY_S)
    def watch() -> None:
        page = _read(filters)
        if not page.items:
            redraw_page()
        _draw_page(page, filters)

    watch()


def _read(filters: Filters) -> Page[Generation]:
    try:
        return session.studio().store.generation_lists.list(
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
            if not gallery_filters.draw_why_empty(filters):
                st.caption(text(f"gallery.none_{filters.kind}"), width="content")
    for generation in page.items:
        row.draw(generation, more=_draw_more)
    pager.draw("tasks", page.next_cursor, place="below")


def _draw_more(generation: Generation) -> None:
    draw_task_history(generation)
    if not generation.status.is_final:
        return
    with st.container(horizontal=True, gap="small"):
        actions.draw_use_again(generation)
        actions.draw_delete_task(generation)
