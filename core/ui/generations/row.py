"""One task as a compact row: its words, where it stands, a bar, or why there are no pictures."""

from collections.abc import Callable
from typing import Literal

import streamlit as st

from core.markdown.escaping import literal
from core.models.generations import UNREADABLE_TEXT_ID, Generation, GenerationStatus
from core.models.kinds import model_title
from core.texts import catalogue
from core.ui import session
from core.ui.buttons import button, keeping_errors
from core.ui.formats import moment
from core.ui.generations import progress, thumbnails
from core.ui.placeholders import ratio_words
from core.ui.session import text

_Colour = Literal["gray", "orange", "blue", "green", "red"]
_BADGES: dict[GenerationStatus, tuple[str, _Colour]] = {
    GenerationStatus.INTENDED: (":material/schedule:", "gray"),
    GenerationStatus.UNCERTAIN: (":material/help:", "orange"),
    GenerationStatus.SUBMITTED: (":material/hourglass_top:", "blue"),
    GenerationStatus.PROCESSING: (":material/brush:", "blue"),
    GenerationStatus.SUCCEEDED: (":material/download:", "green"),
    GenerationStatus.ARCHIVED: (":material/check_circle:", "green"),
    GenerationStatus.FAILED: (":material/error:", "red"),
    GenerationStatus.REFUSED: (":material/block:", "red"),
    GenerationStatus.CANCELLED: (":material/cancel:", "gray"),
}


def draw(generation: Generation, *, more: Callable[[Generation], None] | None = None) -> None:
    """Draw one task as a row, with `more` at its end."""
    with st.container(border=True, gap="xsmall", key=f"task-{generation.id}"):
        with st.container(horizontal=True, gap="small", vertical_alignment="center"):
            icon, colour = _BADGES[generation.status]
            st.badge(progress.state_text(generation), icon=icon, color=colour)
            if generation.provider == "practice":
                st.badge(text("practice.badge"), color="gray")
            with st.container(key=f"words-{generation.id}", width="stretch"):
                st.text(thumbnails.title(generation.request))
            _draw_actions(generation)
        _draw_bar(generation)
        _draw_reason(generation)
        if more is not None:
            more(generation)


def parameters(generation: Generation) -> str:
    """Return model, shape, number and moment of a generation in one line."""
    request = generation.request
    parts = [
        model_title(request.model_name) or request.model_name,
        ratio_words(request.aspect_ratio),
        request.resolution.upper(),
        text("images.count_pictures", n=request.n),
        moment(generation.created_at),
    ]
    if not request.model_name:  # recovered: Kling does not tell these
        parts[:3] = [text("gallery.prompt_unknown")]
    return " · ".join(filter(None, parts))


def _draw_bar(generation: Generation) -> None:
    """Draw bar and estimate; where nothing can be told of the time, what was asked for."""
    if generation.status.is_final:
        st.caption(parameters(generation))
        return
    usual = progress.usual_time(generation)
    if (share := progress.share_done(generation, usual)) > 0:
        st.progress(share)
    st.caption(progress.estimate_text(generation, usual) or parameters(generation))


def _draw_reason(generation: Generation) -> None:
    if generation.status in (GenerationStatus.FAILED, GenerationStatus.REFUSED):
        sentence = catalogue.sentence(
            session.language(), generation.error_text_id or "", generation.error_facts
        )
        session.draw_error(sentence or text("error.unexpected"), generation.error_detail)
    elif generation.status is GenerationStatus.ARCHIVED and generation.error_text_id is not None:
        remark = catalogue.sentence(
            session.language(), generation.error_text_id, generation.error_facts
        )
        st.caption(remark or generation.error_text_id)
    elif progress.lacks_its_key(generation):
        st.warning(text("images.key_missing"), icon=":material/key_off:")
    elif (reason := progress.why_it_waits(generation)) is not None:
        st.warning(reason, icon=":material/info:")


def _draw_actions(generation: Generation) -> None:
    if generation.error_text_id == UNREADABLE_TEXT_ID:
        key = f"fetch-{generation.id}"
        button("images.fetch_again", "refresh", key, _fetch_again, generation.id)
    if progress.is_waiting(generation):
        label, words = text("images.cancel"), thumbnails.title(generation.request)
        with st.container(key=f"icon-cancel-{generation.id}", width="content"):
            st.button(
                f"{label}{text('gallery.of', what=literal(words))}",
                icon=":material/close:",
                type="tertiary",
                help=label,
                key=f"cancel-{generation.id}",
                on_click=_cancel,
                args=(generation.id,),
            )


@keeping_errors("image_error")
def _fetch_again(generation_id: str) -> None:
    session.studio().generations.fetch_again(session.owner(), generation_id)


@keeping_errors("image_error")
def _cancel(generation_id: str) -> None:
    if not session.studio().generations.cancel(session.owner(), generation_id):
        session.state().notice = text("images.cancel_too_late")
