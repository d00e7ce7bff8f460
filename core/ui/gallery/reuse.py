"""From a picture back to a form: ask for the same again, for variations, or talk about it."""

import streamlit as st

from core.models.generations import Generation, ImageRequest, Picture
from core.ui import session
from core.ui.buttons import keeping_errors
from core.ui.generations import form as image_form
from core.work.generations.references import prepare_reference


def use_again(generation: Generation) -> None:
    """Fill the form with what was asked for here, and go there."""
    if isinstance(generation.request, ImageRequest):
        _fill_again(generation.id, generation.request)
        st.switch_page("pages/images.py")


def vary(picture: Picture, generation: Generation) -> None:
    """Fill the form with this picture as the reference, and go there."""
    _fill_variations(picture, generation)
    st.switch_page("pages/images.py")


def send_to_chat(generation: Generation) -> None:
    """Begin a conversation with the prompt as a quotation in its box; nothing is sent.

    The picture itself stays here: the chat's box takes no pictures.
    """
    quoted = "\n".join(f"> {line}" for line in generation.request.prompt.splitlines())
    session.open_conversation(None)
    session.state().to_ask = f"{quoted}\n\n"
    st.switch_page("pages/chat.py")


@keeping_errors("image_error")
def _fill_again(generation_id: str, request: ImageRequest) -> None:
    kept = session.studio().store.generations.references(generation_id)
    # An earlier version kept it as it came.
    reference = prepare_reference(kept[0].content) if kept else None
    image_form.fill(request, reference=reference)


@keeping_errors("image_error")
def _fill_variations(picture: Picture, generation: Generation) -> None:
    reference = prepare_reference(session.studio().archive.original_bytes(picture.name))
    request = generation.request
    asked = request if isinstance(request, ImageRequest) else ImageRequest(request.prompt)
    image_form.fill(asked, reference=reference)
