"""Bringing back what Kling still has, after this machine's own records were lost."""

import streamlit as st

from core.errors import AppError
from core.ui import session
from core.ui.buttons import button
from core.ui.live import waiting
from core.ui.session import text
from core.work.generations.recovery import RecoveryResult

_NAME = f"{waiting.ACCOUNT}recovery"  # of what is asked beside the page


def draw() -> None:
    """Draw the recovery section; only an account at Kling has something to recover."""
    if session.image_mode() != "live":
        return
    known, studio = session.state(), session.studio()
    is_empty = not studio.store.generation_lists.list(session.owner(), limit=1).items
    with st.expander(
        text("gallery.recover"), icon=":material/cloud_download:", expanded=is_empty, key="recovery"
    ):
        st.markdown(text("gallery.recover_what"))
        button("gallery.recover", "sync", "recover", _begin)
        if waiting.is_told(_NAME):
            try:
                known.recovered = waiting.told(_NAME)
            except AppError as error:
                session.show_error(error)
        waiting.draw_awaited([_NAME], text("gallery.recovering"))
        if (result := known.recovered) is not None:
            _draw_outcome(result)


def _begin() -> None:
    session.state().recovered = None
    recover, owner = session.studio().generations.recover, session.owner()
    waiting.begin(_NAME, lambda: recover(owner))


def _draw_outcome(result: RecoveryResult) -> None:
    facts = {"found": result.found, "known": result.known, "elsewhere": result.elsewhere}
    if result.new:
        sentence = text("gallery.recovered", new=result.new, **facts)
        st.success(sentence, icon=":material/check_circle:")
    else:
        st.info(text("gallery.recovered_none", **facts), icon=":material/info:")
