"""Numbered pages of the gallery (pagination): which one is shown, and the ways to any other."""

from typing import Literal

import streamlit as st

from core.ui import session
from core.ui.session import text

_JUMP_KEY = "gallery-page-jump"


def current(count: int, size: int) -> tuple[int, int]:
    """Return the page that is shown and how many there are; a page that is gone is the last."""
    known = session.state()
    pages = max(1, -(-count // size))
    known.gallery_page = min(max(1, known.gallery_page), pages)
    return known.gallery_page, pages


def draw(number: int, pages: int, *, place: Literal["above", "below"]) -> None:
    """Draw the ways to the neighbours, and below a jump to any page; nothing for one page only."""
    if pages == 1:
        return
    with st.container(
        horizontal=True,
        horizontal_alignment="right" if place == "above" else "center",
        vertical_alignment="center",
        gap="xsmall",
        width="content" if place == "above" else "stretch",
        key=f"gallery-pages-{place}",
    ):
        _draw_way("newer", "chevron_left", number - 1, place, is_there=number > 1)
        if place == "above":
            st.caption(text("gallery.page_of", number=number, pages=pages), width="content")
        else:
            st.session_state[_JUMP_KEY] = number
            st.number_input(
                text("gallery.page"),
                min_value=1,
                max_value=pages,
                key=_JUMP_KEY,
                on_change=_jump,
                label_visibility="collapsed",
                width=110,
            )
            st.caption(text("gallery.pages", pages=pages), width="content")
        _draw_way("older", "chevron_right", number + 1, place, is_there=number < pages)


def _draw_way(
    name: Literal["newer", "older"], icon: str, number: int, place: str, *, is_there: bool
) -> None:
    label = text("gallery.previous" if name == "newer" else "gallery.next")
    with st.container(key=f"icon-{name}-{place}", width="content"):
        st.button(
            label,
            icon=f":material/{icon}:",
            help=label,
            type="tertiary",
            disabled=not is_there,
            key=f"{name}-gallery-{place}",
            on_click=_go,
            args=(number,),
        )


def _go(number: int) -> None:
    session.state().gallery_page = number


def _jump() -> None:
    _go(int(st.session_state[_JUMP_KEY]))
