"""The reference picture of a generation: chosen as a file, or taken over from the gallery.

A picture that this app made tells how: dropped here, it fills the form instead, and can still be
made the reference.
"""

from typing import cast

import streamlit as st
from streamlit.typing import UploadedFile

from core.archive.png_metadata import read_metadata
from core.errors import InputError
from core.models.generations import ReferenceImage
from core.ui import session
from core.ui.buttons import button
from core.ui.session import text

_KEY = "image-reference"


def draw_choice() -> ReferenceImage | None:
    """Draw the file input and what was taken over; return the reference in force."""
    known = session.state()
    key = _file_key()
    st.file_uploader(
        text("images.reference"),
        type=["png", "jpg", "jpeg"],
        help=text("images.reference_help"),
        key=key,
        on_change=_chosen,
        args=(key,),
    )
    if known.dropped is not None:
        st.info(text("gallery.form_filled"), icon=":material/input:")
        button("gallery.use_as_reference", "add_photo_alternate", "use-dropped", _use_dropped)
    if known.reference is not None:
        button("gallery.remove_reference", "close", "remove-reference", _remove, type="tertiary")
    return current()


def current() -> ReferenceImage | None:
    """Return the chosen file, or else what was taken over; InputError for an empty file."""
    uploaded = cast("UploadedFile | None", st.session_state.get(_file_key()))
    return _read(uploaded) if uploaded is not None else session.state().reference


def _file_key() -> str:
    # Only another key empties a file input.
    upload_round = session.state().upload_round
    return f"{_KEY}-{upload_round}" if upload_round else _KEY


def _chosen(key: str) -> None:
    known = session.state()
    uploaded = cast("UploadedFile | None", st.session_state[key])
    known.dropped = None
    if uploaded is None:
        return
    known.reference = None
    content = uploaded.getvalue()
    if (request := read_metadata(content)) is None:
        return
    known.wanted = request
    known.dropped = ReferenceImage(content, "image/png")
    known.upload_round += 1


def _use_dropped() -> None:
    known = session.state()
    known.reference, known.dropped = known.dropped, None


def _remove() -> None:
    session.state().reference = None


def _read(uploaded: UploadedFile) -> ReferenceImage:
    content = uploaded.getvalue()
    if not content:
        raise InputError("image", "error.not_a_picture")
    is_png = content.startswith(b"\x89PNG")
    return ReferenceImage(content, "image/png" if is_png else "image/jpeg")
