"""Where a picture comes from: the way from the gallery back to the message it was drawn from."""

import streamlit as st

from core.errors import AppError
from core.models.generations import Generation
from core.ui import opened, session
from core.ui.session import text


def draw(generation: Generation) -> None:
    """Draw the way to the message, or that its conversation was deleted; nothing for others."""
    try:
        origins = session.studio().store.lineage.origins(session.owner(), [generation.id])
    except AppError:  # which the page tells where it shows
        return
    origin = origins.get(generation.id)
    if origin is None:
        return
    if origin.conversation_id is None:
        st.caption(f":material/forum: {text('drawing.origin_deleted')}")
        return
    title = origin.title.strip() or text("chat.untitled")
    st.page_link(
        "pages/chat.py",
        label=text("drawing.origin", title=title),
        icon=":material/forum:",
        query_params=opened.link_to(origin.conversation_id, origin.message_id),
    )
