"""Shows whether backups are made, when the last one was, and what came in its way."""

import streamlit as st

from core.errors import AppError
from core.texts import catalogue
from core.ui import formats, session
from core.ui.session import text
from core.work.maintenance.schedule import LastBackup


def draw() -> None:
    """Draw one line about backups, below where things are kept."""
    studio = session.studio()
    settings = studio.settings.backup
    if settings.place is None:
        st.caption(text("status.backups_off"))
        return
    try:
        last = studio.backups.last()
    except AppError as error:
        session.show_error(error)
        return
    every = text("status.backups_every", hours=settings.hours, kept=settings.keep)
    if last is None:
        st.caption(f"{text('status.backup_none_yet')} {every}")
    elif last.state == "failed":
        at = formats.moment(last.begun_at)
        st.warning(text("status.backup_failed", at=at, why=_why(last)))
        if last.made_at is not None:
            st.caption(text("status.backup_before", at=formats.moment(last.made_at)))
    elif last.state == "running":
        st.caption(text("status.backup_running", at=formats.moment(last.begun_at)))
    else:
        facts = {"at": formats.moment(last.begun_at), "size": formats.size(last.size_bytes)}
        st.caption(f"{text('status.backup_made', name=last.name, **facts)} {every}")
        if last.lost:
            st.warning(text("status.backup_lost", count=last.lost))
        if last.error_text_id:
            st.warning(text("status.backups_not_pruned", why=_why(last)))


def _why(last: LastBackup) -> str:
    facts = dict(last.error_facts)
    language = session.language()
    told = catalogue.sentence(language, last.error_text_id, facts)
    return told or catalogue.text(language, "error.unexpected")
