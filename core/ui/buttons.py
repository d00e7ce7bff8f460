"""Buttons and downloads as all pages have them, and the error of an action, kept for the page."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal, TypedDict, Unpack

import streamlit as st

from core.errors import AppError
from core.ui import session
from core.ui.session import text


class Look(TypedDict, total=False):
    """How a button differs from a plain one."""

    type: Literal["primary", "secondary", "tertiary"]
    width: Literal["stretch", "content"]
    disabled: bool
    help: str | None


@contextmanager
def keeping_errors(place: Literal["error", "image_error"] = "error") -> Iterator[None]:
    """Keep an error for the page to show, instead of the one before; also as a decorator."""
    setattr(session.state(), place, None)
    try:
        yield
    except AppError as error:
        setattr(session.state(), place, error)


@contextmanager
def telling_errors() -> Iterator[None]:
    """Draw a part of a page as far as it goes; its error stands there, and the page goes on.

    What several parts meet alike is told once in a run.
    """
    try:
        yield
    except AppError as error:
        told = session.state().told
        if error.text_id not in told:
            told.add(error.text_id)
            session.show_error(error)


def button(
    label: str,
    icon: str,
    key: str,
    action: Callable[..., None],
    *args: object,
    **look: Unpack[Look],
) -> None:
    """Draw a button by its label's text id; `action` runs before the page is drawn anew."""
    icon = f":material/{icon}:"
    st.button(text(label), icon=icon, key=key, on_click=action, args=args, **look)


def download(
    label: str,
    key: str,
    data: Callable[[], bytes | str],
    file_name: str,
    mime: str,
    icon: str = "download",
    **look: Unpack[Look],
) -> None:
    """Draw a download. `data` is made on request, outside the session: it may not ask for it."""
    st.download_button(
        text(label),
        data,
        file_name,
        mime,
        key,
        icon=f":material/{icon}:",
        on_click="ignore",
        **look,
    )


def undo(words: str, key: str, action: Callable[[], None]) -> None:
    """Offer to take back what `words` tell."""
    with st.container(horizontal=True, vertical_alignment="center", border=True):
        st.markdown(words)
        button("action.undo", "undo", key, action)
