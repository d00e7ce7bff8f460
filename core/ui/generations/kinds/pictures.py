"""Several reference pictures in one form: added from files, named in the prompt, taken out."""

from collections.abc import Callable
from typing import cast

import streamlit as st
from streamlit.typing import UploadedFile

from core.errors import InputError
from core.models.generations import ReferenceImage
from core.models.image_rules import check_reference
from core.ui import session
from core.ui.buttons import keeping_errors
from core.ui.frame import uploader_words
from core.ui.generations.options import KEYS
from core.ui.generations.reference import UPLOAD_MB, preview
from core.ui.session import text
from core.work.generations.references import cure_of, prepare_reference, reference_facts

_KEY = "image-pictures"
_CELL_LEAST_PX = 84


def current(most: int) -> tuple[ReferenceImage, ...]:
    """Return the pictures of the form, as they are sent."""
    return session.state().pictures[:most]


def draw(most: int, name: Callable[[int], str], *, can_insert: bool = False) -> None:
    """Draw the file input and what was added; `name`: what the prompt calls the picture of a place.

    `can_insert`: the name is a button that puts it into the prompt.
    """
    known = session.state()
    uploader_words.uploader_says(_KEY, text("images.reference_drop", limit=UPLOAD_MB))
    key = f"{_KEY}-{known.upload_round}"  # only another key empties it
    if len(known.pictures) < most:
        st.file_uploader(
            text("images.pictures_add", most=most),
            accept_multiple_files=True,
            help=text("images.reference_help"),
            max_upload_size=UPLOAD_MB,
            key=key,
            on_change=_take,
            args=(key, most),
        )
    if known.pictures:
        with st.grid("auto", min_column_width=_CELL_LEAST_PX, gap="small") as grid:
            for place, picture in enumerate(known.pictures[:most]):
                with grid.cell():
                    _draw_one(place, picture, name(place), can_insert=can_insert)
    if can_insert and known.pictures:
        st.caption(text("images.pictures_named"))


def add(reference: ReferenceImage, most: int) -> None:
    """Put a picture behind those there are; InputError where there is no room for it."""
    _check_room(1, most)
    known = session.state()
    known.pictures = (*known.pictures, reference)


def _check_room(more: int, most: int) -> None:
    if (count := len(session.state().pictures) + more) > most:
        facts = {"count": count, "limit": most}
        raise InputError("image_list", "error.too_many_references", facts=facts)


def _draw_one(place: int, picture: ReferenceImage, name: str, *, can_insert: bool) -> None:
    st.image(preview(picture.content), width="stretch", alt=name)
    with st.container(horizontal=True, gap="xxsmall", horizontal_alignment="distribute"):
        if can_insert:
            st.button(
                name,
                type="tertiary",
                help=text("images.pictures_insert"),
                key=f"insert-{place}",
                on_click=insert,
                args=(name,),
            )
        else:
            st.caption(name, width="content")
        with st.container(key=f"icon-remove-{place}", width="content"):
            label = text("images.pictures_remove")
            st.button(
                f"{label}{text('gallery.of', what=name)}",
                icon=":material/close:",
                type="tertiary",
                help=label,
                key=f"remove-{place}",
                on_click=_remove,
                args=(place,),
            )


def insert(name: str) -> None:
    """Put a name behind the words of the prompt."""
    words = str(st.session_state.get(KEYS["prompt"]) or "")
    gap = "" if not words or words[-1].isspace() else " "
    st.session_state[KEYS["prompt"]] = f"{words}{gap}{name} "


@keeping_errors("image_error")
def _take(key: str, most: int) -> None:
    """Add the chosen files as they are sent; one that does not fit is brought within the limits.

    Of more than there is room for none is looked into.
    """
    known = session.state()
    files = cast("list[UploadedFile]", st.session_state[key])
    known.upload_round += 1
    _check_room(len(files), most)
    for file in files:
        add(prepared(file.getvalue()), most)


def prepared(content: bytes) -> ReferenceImage:
    """Return a picture as it is sent; one that does not fit is made to, which the page tells."""
    try:
        reference = prepare_reference(content)
        check_reference(reference_facts(reference))
        return reference
    except InputError as error:
        if (cure := cure_of(error)) is None:
            raise
        session.state().notice = text(f"images.pictures_{cure}")
        return prepare_reference(content, fit=True)


def _remove(place: int) -> None:
    known = session.state()
    known.pictures = known.pictures[:place] + known.pictures[place + 1 :]
