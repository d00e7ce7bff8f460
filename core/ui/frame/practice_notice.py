"""The practice notice: one line above a page, with the setup card behind it; it can be put away."""

from typing import Literal

import streamlit as st

from core.ui import session
from core.ui.buttons import button
from core.ui.frame import setup_card
from core.ui.session import text


def draw(provider: Literal["chat", "images"]) -> None:
    """Say that a provider is practice, until that is put away for as long as the tab is open."""
    place = f"practice-{provider}"
    put_away = session.state().put_away
    if place in put_away:
        return
    with st.container(key=place, horizontal=True, wrap=False, gap="xsmall"):
        fold = st.expander(
            text(f"practice.{provider}"),
            icon=":material/school:",
            key=f"fold-{place}",
            on_change="rerun",
        )
        if fold.open:  # else it would be sent all the same
            with fold:
                setup_card.draw(provider)
                setup_card.draw_reread(f"reread-{place}")
        # The frame's script sees the press, and hides the notice after a reload as well.
        button("practice.put_away", "close", f"away-{place}", put_away.add, place, type="tertiary")
