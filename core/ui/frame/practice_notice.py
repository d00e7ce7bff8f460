"""The practice notice: one line above a page, with the setup card behind it; it can be put away."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

import streamlit as st

from core.ui import session
from core.ui.buttons import button
from core.ui.frame import setup_card
from core.ui.session import text


def draw(provider: Literal["chat", "images"]) -> None:
    """Say that a provider is practice, until that is put away for as long as the tab is open."""
    place = f"practice-{provider}"
    with _line(place, text(f"practice.{provider}"), is_open=False) as is_open:
        if is_open:  # else it would be sent all the same
            setup_card.draw(provider)
            setup_card.draw_reread(f"reread-{place}")


def draw_for_visitor(draw_why: Callable[[], None]) -> None:
    """Say to a visitor that all is practice; open at first, since `draw_why` tells the way in."""
    with _line("practice-visitor", text("practice.visitor"), is_open=True) as is_open:
        if is_open:
            draw_why()


@contextmanager
def _line(place: str, words: str, *, is_open: bool) -> Iterator[bool]:
    """Draw one line with a fold and a button that puts it away; yield whether the fold is open."""
    put_away = session.state().put_away
    if place in put_away:
        yield False
        return
    with st.container(key=place, horizontal=True, wrap=False, gap="xsmall"):
        fold = st.expander(
            words,
            expanded=is_open,
            icon=":material/school:",
            key=f"fold-{place}",
            on_change="rerun",
        )
        # The frame's script sees the press, and hides the notice after a reload as well.
        button("practice.put_away", "close", f"away-{place}", put_away.add, place, type="tertiary")
    with fold:
        yield bool(fold.open)
