"""Leafing through a long list by cursors: newer, older, back to the first page."""

from typing import Literal

import streamlit as st

from core.ui import session
from core.ui.session import text

ListName = Literal["history", "found", "tasks", "ledger"]


def cursor(name: ListName) -> str | None:
    """Return where the page that is to be shown begins; None is the first one."""
    trail = session.state().trails.get(name)
    return trail[-1] if trail else None


def begin_again(*names: ListName) -> None:
    """Return to the first page of these lists."""
    for name in names:
        session.state().trails.pop(name, None)


def draw(name: ListName, next_cursor: str | None, *, place: Literal["above", "below"]) -> None:
    """Draw the ways to newer and older pages; nothing when there is one page only."""
    trail = session.state().trails.get(name, ())
    if not trail and next_cursor is None:
        return
    is_compact = place == "above"  # where it shares a line, also a phone's
    with st.container(
        horizontal=True,
        horizontal_alignment="right" if is_compact else "center",
        vertical_alignment="center",
        gap="xsmall" if is_compact else "small",
        width="content" if is_compact else "stretch",
    ):
        st.button(
            ":material/chevron_left:" if is_compact else text("pager.newer"),
            icon=None if is_compact else ":material/chevron_left:",
            help=text("pager.newer") if is_compact else None,
            type="tertiary",
            disabled=not trail,
            key=f"newer-{name}-{place}",
            on_click=_leave,
            args=(name,),
        )
        st.caption(text("pager.page", number=len(trail) + 1), width="content")
        st.button(
            ":material/chevron_right:" if is_compact else text("pager.older"),
            icon=None if is_compact else ":material/chevron_right:",
            icon_position="right",
            help=text("pager.older") if is_compact else None,
            type="tertiary",
            disabled=next_cursor is None,
            key=f"older-{name}-{place}",
            on_click=_follow,
            args=(name, next_cursor),
        )


def _follow(name: ListName, next_cursor: str) -> None:
    trails = session.state().trails
    trails[name] = (*trails.get(name, ()), next_cursor)


def _leave(name: ListName) -> None:
    trails = session.state().trails
    trails[name] = trails.get(name, ())[:-1]
