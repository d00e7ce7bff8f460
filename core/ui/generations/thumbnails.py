"""Thumbnails of archived pictures, and the names their files are downloaded by."""

import io

import streamlit as st
from PIL import Image

from core.models.generations import Generation, GenerationRequest, Picture
from core.ui import clock, session
from core.ui.formats import file_words
from core.ui.session import text

_WORDS_SHOWN = 60


@st.cache_data(max_entries=300, show_spinner=False)
def thumbnail(name: str) -> bytes:
    """Return the light version of an archived picture, as st.image passes it on unchanged.

    WebP it would decode and encode again each time it is drawn.
    """
    with Image.open(io.BytesIO(session.studio().archive.thumbnail_bytes(name))) as image:
        return _encoded(image)


def _encoded(image: Image.Image) -> bytes:
    target = io.BytesIO()
    if image.has_transparency_data:
        image.save(target, "PNG")
    else:
        image.convert("RGB").save(target, "JPEG", quality=85)
    return target.getvalue()


def title(request: GenerationRequest) -> str:
    """Return a prompt's first words in one line; without one, how it is made, where that is known.

    Of a task that was recovered Kling tells no model either.
    """
    if words := " ".join(request.prompt[:_WORDS_SHOWN].split()):
        return words
    is_known = bool(request.model_name) and bool(request.kind)
    return text(f"images.way_{request.kind}") if is_known else text("gallery.prompt_unknown")


def file_name(generation: Generation, picture: Picture) -> str:
    """Return a telling name for a downloaded picture: when, what, which of them."""
    words = file_words(generation.request.prompt)
    suffix = picture.name.rpartition(".")[2]
    stamp = clock.stamp(generation.created_at, clock.zone())
    return f"{stamp}-{words}-{picture.index + 1}.{suffix}"
