"""The address of the large view: `?p=` names the picture, so that Back closes it.

The browser's script (`pictures.js`) keeps one entry in its history for one opening, however many
pictures are leafed through, and goes back when the view is closed by its own button.
"""

import streamlit as st

from core.ui import session

_PICTURE_PARAMETER = "p"
_GENERATION_PARAMETER = "g"


def open_picture(picture_id: str) -> None:
    """Show a picture large from the next run on."""
    known = session.state()
    known.closed_picture_id = None
    if opened() is None:
        known.opened_here = True
    st.query_params[_PICTURE_PARAMETER] = picture_id


def close() -> None:
    """Close the large view; the browser takes the address back, where it was opened here."""
    known = session.state()
    named = st.query_params.get(_PICTURE_PARAMETER)
    if known.opened_here:
        known.closed_picture_id = named
    else:
        st.query_params.pop(_PICTURE_PARAMETER, None)


def leave() -> None:
    """Take the address away at once, for another page or another picture to come."""
    st.query_params.pop(_PICTURE_PARAMETER, None)
    session.state().opened_here = False


def opened() -> str | None:
    """Return the picture that is shown large."""
    known = session.state()
    named = st.query_params.get(_PICTURE_PARAMETER)
    if named != known.closed_picture_id:
        known.closed_picture_id = None
    if named is None:
        known.opened_here = False
    return None if known.closed_picture_id is not None else named


def closing() -> str | None:
    """Return the picture whose address the browser is to take back."""
    return session.state().closed_picture_id


def link_to(generation_id: str) -> dict[str, str]:
    """Return the gallery's URL parameters that show the first picture of a generation."""
    return {_GENERATION_PARAMETER: generation_id}


def follow_generation_link() -> None:
    """Show the first picture of the generation that a link from another page leads to."""
    generation_id = st.query_params.pop(_GENERATION_PARAMETER, None)
    if generation_id is None:
        return
    generation = session.studio().store.generations.get(session.owner(), generation_id)
    if generation is not None and generation.pictures:
        st.query_params[_PICTURE_PARAMETER] = generation.pictures[0].id
