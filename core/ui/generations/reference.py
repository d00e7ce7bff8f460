"""The reference picture of a generation: a file, a paste, a drop, or taken over from the gallery.

A picture that this app made tells how: dropped here, it fills the form instead, and can still be
made the reference.
"""

from typing import cast

import streamlit as st
from streamlit.typing import UploadedFile

from core.archive.png_metadata import has_metadata, read_metadata
from core.archive.uploads.encoding import encode_preview
from core.errors import InputError
from core.models.generations import ReferenceImage
from core.models.image_rules import ReferenceFacts, check_reference
from core.ui import session
from core.ui.buttons import button, keeping_errors
from core.ui.formats import size
from core.ui.frame import uploader_words
from core.ui.session import PreparedUpload, text
from core.work.generations.references import (
    cure_of,
    prepare_reference,
    reference_facts,
)

_KEY = "image-reference"
_PREVIEW_PX = 120
UPLOAD_MB = 50  # server.maxUploadSize, in .streamlit/config.toml, is what the server takes


def draw() -> bool:
    """Draw the file input, what was taken over, and what is sent of it; True when there is one."""
    known = session.state()
    key = _file_key()
    uploader_words.uploader_says(_KEY, text("images.reference_drop", limit=UPLOAD_MB))
    st.file_uploader(
        text("images.reference"),
        help=text("images.reference_help"),
        max_upload_size=UPLOAD_MB,
        key=key,
        on_change=_chosen,
        args=(key,),
    )
    if known.dropped is not None:
        st.info(text("gallery.form_filled"), icon=":material/input:")
        button("gallery.use_as_reference", "add_photo_alternate", "use-dropped", _use_dropped)
    if known.has_unread_record:
        st.info(text("gallery.record_unread"), icon=":material/info:")
    if known.reference is not None:
        button("gallery.remove_reference", "close", "remove-reference", _remove, type="tertiary")
    try:
        reference = current()
        if reference is not None:
            facts = reference_facts(reference)
            check_reference(facts)
    except InputError as error:
        session.show_error(error)
        _offer_cure(error)
        return True
    if reference is not None:
        _draw_preview(reference, facts)
    return reference is not None


def token() -> str:
    """Return a word that changes with the picture that is looked at here; empty without one."""
    known = session.state()
    uploaded = cast("UploadedFile | None", st.session_state.get(_file_key()))
    if uploaded is not None:
        return uploaded.file_id
    is_taken_over = known.reference is not None or known.dropped is not None
    return str(known.upload_round) if is_taken_over else ""


def current() -> ReferenceImage | None:
    """Return the chosen file as it is sent, or else what was taken over; InputError if unusable."""
    uploaded = cast("UploadedFile | None", st.session_state.get(_file_key()))
    return _prepared(uploaded) if uploaded is not None else session.state().reference


def _draw_preview(reference: ReferenceImage, facts: ReferenceFacts) -> None:
    st.image(preview(reference.content), width=_PREVIEW_PX, alt=text("images.reference"))
    st.caption(
        text(
            "images.reference_sent",
            format=facts.format,
            width=facts.width,
            height=facts.height,
            size=size(facts.size_bytes),
        )
    )


@st.cache_data(max_entries=20, show_spinner=False)
def preview(content: bytes) -> bytes:
    """Return a small version of a reference picture."""
    return encode_preview(content, 2 * _PREVIEW_PX)


def _offer_cure(error: InputError) -> None:
    if (cure := cure_of(error)) is not None:
        button(f"images.reference_{cure}", "crop", "fit-reference", _fit)


@keeping_errors("image_error")
def _fit() -> None:
    known = session.state()
    uploaded = cast("UploadedFile | None", st.session_state.get(_file_key()))
    if uploaded is not None:
        known.fitted_upload = uploaded.file_id
    elif known.reference is not None:
        known.reference = prepare_reference(known.reference.content, fit=True)


def _prepared(uploaded: UploadedFile) -> ReferenceImage:
    """Return an upload as it is sent; decoded once, not in every run of the page."""
    known = session.state()
    fit = known.fitted_upload == uploaded.file_id
    prepared = known.prepared_upload
    if prepared is None or (prepared.file_id, prepared.fit) != (uploaded.file_id, fit):
        try:
            outcome: ReferenceImage | InputError = prepare_reference(uploaded.getvalue(), fit=fit)
        except InputError as error:
            outcome = error
        prepared = known.prepared_upload = PreparedUpload(uploaded.file_id, fit, outcome)
    if isinstance(prepared.outcome, InputError):
        raise prepared.outcome
    return prepared.outcome


def _file_key() -> str:
    # Only another key empties a file input.
    upload_round = session.state().upload_round
    return f"{_KEY}-{upload_round}" if upload_round else _KEY


def _chosen(key: str) -> None:
    known = session.state()
    uploaded = cast("UploadedFile | None", st.session_state[key])
    known.dropped = known.prepared_upload = known.image_error = None
    known.has_unread_record = False
    if uploaded is None:
        return
    known.reference = None
    content = uploaded.getvalue()
    if (request := read_metadata(content)) is None:
        known.has_unread_record = has_metadata(content)
        return
    known.wanted = request
    known.dropped = content
    known.upload_round += 1


@keeping_errors("image_error")
def _use_dropped() -> None:
    known = session.state()
    content, known.dropped = known.dropped, None
    known.reference = prepare_reference(content) if content is not None else None


def leave_record() -> None:
    """Take a dropped picture as the reference: what its record asks for is in no form."""
    session.state().has_unread_record = True
    _use_dropped()


def _remove() -> None:
    known = session.state()
    known.reference = None
    known.has_unread_record = False
