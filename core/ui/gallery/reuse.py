"""From a picture back to the form: ask for the same again, or for variations of it."""

import streamlit as st

from core.models.generations import Generation, ImageRequest, Picture
from core.ui import session
from core.ui.buttons import button, keeping_errors
from core.ui.generations import form as image_form
from core.work.generations.references import prepare_reference


def draw_use_again(generation: Generation) -> None:
    """Draw the button that fills the form with what was asked for here, where that is known."""
    request = generation.request
    if not (request.prompt and isinstance(request, ImageRequest)):
        return
    key = f"again-{generation.id}"
    if button("gallery.use_again", "redo", key, _fill_again, generation.id, request):
        st.switch_page("pages/images.py")


def draw_variations(picture: Picture, generation: Generation) -> None:
    """Draw the button that fills the form with this picture as the reference."""
    is_clicked = button(
        "gallery.variations",
        "auto_awesome_mosaic",
        f"vary-{picture.id}",
        _fill_variations,
        picture,
        generation,
    )
    if is_clicked:
        st.switch_page("pages/images.py")


@keeping_errors("image_error")
def _fill_again(generation_id: str, request: ImageRequest) -> None:
    reference = session.studio().store.generations.reference(generation_id)
    if reference is not None:  # an earlier version kept it as it came
        reference = prepare_reference(reference.content)
    image_form.fill(request, reference=reference)


@keeping_errors("image_error")
def _fill_variations(picture: Picture, generation: Generation) -> None:
    reference = prepare_reference(session.studio().archive.original_bytes(picture.name))
    request = generation.request
    asked = request if isinstance(request, ImageRequest) else ImageRequest(request.prompt)
    image_form.fill(asked, reference=reference)
