"""From a picture back to the form: ask for the same again, or for variations of it."""

import streamlit as st

from core.errors import AppError
from core.models.generations import Generation, Picture, ReferenceImage
from core.ui import session
from core.ui.generations import form as image_form
from core.ui.session import text

_FORMATS = ("image/png", "image/jpeg")


def draw_use_again(generation: Generation) -> None:
    """Draw the button that fills the form with what was asked for here, where that is known."""
    if not generation.request.prompt:
        return
    is_clicked = st.button(
        text("gallery.use_again"),
        icon=":material/redo:",
        key=f"again-{generation.id}",
        on_click=_fill_again,
        args=(generation,),
    )
    if is_clicked:
        st.switch_page("pages/images.py")


def draw_variations(picture: Picture, generation: Generation) -> None:
    """Draw the button that fills the form with this picture as the reference."""
    is_offered = picture.media_type in _FORMATS
    is_clicked = st.button(
        text("gallery.variations"),
        icon=":material/auto_awesome_mosaic:",
        disabled=not is_offered,
        help=None if is_offered else text("gallery.variations_format"),
        key=f"vary-{picture.id}",
        on_click=_fill_variations,
        args=(picture, generation),
    )
    if is_clicked:
        st.switch_page("pages/images.py")


def _fill_again(generation: Generation) -> None:
    try:
        reference = session.studio().store.generations.reference(generation.id)
        image_form.fill(generation.request, reference=reference)
    except AppError as error:
        session.state().image_error = error


def _fill_variations(picture: Picture, generation: Generation) -> None:
    try:
        content = session.studio().archive.original_bytes(picture.name)
    except AppError as error:
        session.state().image_error = error
        return
    reference = ReferenceImage(
        content, "image/png" if picture.media_type == "image/png" else "image/jpeg"
    )
    image_form.fill(generation.request, reference=reference)
