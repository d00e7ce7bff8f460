"""The button 画成图 under an answer; what is selected in the answer is drawn instead of all of it.

The selection is the browser's, so its script tells of it (`components/selection.js`). Without the
script, or without a selection, the button draws the whole answer.
"""

import streamlit as st

from core.models.chat import AnswerStatus, Message
from core.ui.buttons import button
from core.ui.drawing import desk
from core.ui.frame import page_files
from core.ui.session import text
from core.wire.source_block import SOURCE_MOST

_KEY = "drawing-selection"
_COMPONENT = "inkling-drawing"


def install() -> None:
    """Put the script on the page that tells what is selected when the button is pressed."""
    with st.container(key=_KEY):
        page_files.component("selection")(key=_COMPONENT, on_draw_change=_selected)


def draw(message: Message) -> None:
    """Draw the button of an answer that says something."""
    if message.status is AnswerStatus.RUNNING or not message.content.strip():
        return
    button(
        "drawing.draw",
        "brush",
        f"draw-{message.id}",
        desk.begin,
        message.id,
        type="tertiary",
        help=text("drawing.help"),
    )


def _selected() -> None:
    told = st.session_state[_COMPONENT].draw
    match told:
        case [str() as message_id, str() as passage]:
            desk.begin(message_id, passage.strip()[:SOURCE_MOST])
