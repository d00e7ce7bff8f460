"""What became of a task, step by step: when, what, why."""

import streamlit as st

from core.errors import AppError
from core.markdown.escaping import literal
from core.models.generations import Generation, GenerationEvent
from core.texts import catalogue
from core.texts.catalogue import Language
from core.ui import session
from core.ui.formats import moment_to_the_second
from core.ui.session import text
from core.ui.xray import listing as xray


def draw_task_history(generation: Generation) -> None:
    """Draw the task's history, folded; it is read once it is opened."""
    expander = st.expander(
        text("gallery.task_history"),
        icon=":material/timeline:",
        key=f"task-history-{generation.id}",
        on_change="rerun",
    )
    if not expander.open:
        return
    with expander:
        try:
            events = session.studio().store.generations.history(session.owner(), generation.id)
        except AppError as error:
            session.show_error(error)
            return
        st.markdown("\n".join(f"- {_line(event)}" for event in events))
        if xray.may_look_now():
            st.page_link(
                "pages/xray.py",
                label=text("xray.show"),
                icon=":material/radiology:",
                query_params=xray.about(generation.id),
            )


def _line(event: GenerationEvent) -> str:
    parts = [moment_to_the_second(event.at), f"**{literal(text(f'images.state_{event.status}'))}**"]
    if event.note:
        parts.append(literal(note_text(session.language(), event)))
    return " · ".join(parts)


def note_text(language: Language, event: GenerationEvent) -> str:
    """Return why a step was taken; an earlier version's own words as they are."""
    note = event.note
    if isinstance(note, str):
        return note
    told = catalogue.sentence if event.status.is_final else catalogue.waiting_sentence
    return told(language, note.text_id, note.facts) or catalogue.text(language, "error.unexpected")
