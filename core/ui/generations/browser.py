"""What Images and Gallery need of the browser: their style, and a script for what no element does.

Names of parts are Streamlit 1.67's; where the script or the style finds none, nothing breaks:
the button over a picture then stands below it.
"""

from collections.abc import Callable, Mapping

import streamlit as st

from core.ui.frame import page_files
from core.ui.gallery.deletion import delete
from core.ui.gallery.large import address
from core.ui.session import text

_KEY = "pictures-script"
_TEXTS = {
    name: f"gallery.zoom_{name}" for name in ("open", "close", "closer", "farther", "fit", "full")
}


def draw(
    *,
    top: tuple[str, str],
    on_range: Callable[[str, str], None] | None = None,
    draft: Mapping[str, object] | None = None,
    on_draft: Callable[[object], None] | None = None,
    reference: str = "",
) -> None:
    """Draw the style and the script.

    `top`: the part to come into view when its word changes; `reference`: which reference
    picture is chosen, for its fold to open.
    """

    def take_range() -> None:
        told = st.session_state[_KEY].get("range")
        if on_range is not None and isinstance(told, (list, tuple)) and len(told) == 2:
            on_range(str(told[0]), str(told[1]))

    def take_draft() -> None:
        if on_draft is not None:
            on_draft(st.session_state[_KEY].get("draft"))

    def take_delete() -> None:
        told = st.session_state[_KEY].get("delete")
        if isinstance(told, str):
            delete((told,))

    page_files.draw_style("pictures")
    with st.container(key="pictures-script-place"):
        page_files.component("pictures")(
            key=_KEY,
            data={
                "closing": address.closing(),
                "top": top,
                "draft": draft,
                "reference": reference,
                "texts": {name: text(key) for name, key in _TEXTS.items()},
            },
            on_range_change=take_range,
            on_draft_change=take_draft,
            on_delete_change=take_delete,
        )
