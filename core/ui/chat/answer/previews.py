"""Previews of code blocks below an answer: a page or a picture in a closed frame, JSON as a tree.

What a model wrote runs no script and fetches nothing: HTML stands in a frame without any right
(components/previews.js), SVG is an image, which browsers draw in the same way.
"""

import json

import streamlit as st

from core.markdown.escaping import literal
from core.markdown.previews import PreviewBlock, preview_blocks
from core.models.chat import Message
from core.ui import session
from core.ui.buttons import button
from core.ui.frame import page_files
from core.ui.session import text

LONGEST = 400_000  # characters of a block that a page shows; a longer one would stall a phone


def draw_button(message: Message) -> None:
    """Draw the button that opens and closes the previews of an answer, where there is any."""
    if not preview_blocks(message.content):
        return
    is_open = message.id in session.state().previewed
    label = "chat.preview_close" if is_open else "chat.preview"
    icon = "visibility_off" if is_open else "visibility"
    button(label, icon, f"preview-{message.id}", _turn, message.id, type="tertiary")


def draw(message: Message) -> None:
    """Draw the previews of an answer, once they were asked for."""
    if message.id not in session.state().previewed:
        return
    with st.container(key=f"previews-{message.id}"):
        for number, block in enumerate(preview_blocks(message.content), 1):
            st.caption(text(f"chat.preview_{block.kind}", number=number))
            _draw_block(block, f"{message.id}-{number}", number)


def _turn(message_id: str) -> None:
    session.state().previewed ^= {message_id}


def _draw_block(block: PreviewBlock, key: str, number: int) -> None:
    if len(block.source) > LONGEST:
        st.info(text("chat.preview_too_long", most=LONGEST))
    elif block.kind == "json":
        _draw_json(block.source)
    else:
        title = text(f"chat.preview_{block.kind}", number=number)
        page_files.component("previews")(
            key=f"preview-frame-{key}",
            data={
                "kind": block.kind,
                "source": block.source,
                "title": title,
                "broken": text("chat.preview_svg_broken"),
            },
        )


def _draw_json(source: str) -> None:
    try:
        value = json.loads(source)
    except json.JSONDecodeError as error:
        st.info(text("chat.preview_json_broken", line=error.lineno, column=error.colno))
    except (RecursionError, ValueError):  # nested, or with a number, beyond all measure
        st.info(text("chat.preview_json_beyond"))
    else:
        if isinstance(value, dict | list):
            st.json(source, expanded=2)
        else:
            st.markdown(literal(json.dumps(value, ensure_ascii=False)))
