"""The frame that is dragged around a picture; where its script does not run, nothing is drawn."""

import base64
from collections.abc import Callable

import streamlit as st

from core.models.pictures.expand import AREA_MOST, Sides
from core.ui.frame import page_files
from core.ui.session import text

_KEY = "expand-frame"
_SIDES = ("up", "down", "left", "right")


def draw(
    small: bytes, size: tuple[int, int], sides: Sides, on_change: Callable[[Sides], None]
) -> None:
    """Draw the picture with its frame; `on_change` is told the sides once a drag has ended."""

    def take() -> None:
        told = st.session_state[_KEY].get("sides")
        if isinstance(told, (list, tuple)) and len(told) == len(_SIDES):
            on_change(Sides(*(float(share) for share in told)))

    width, height = size
    encoded = base64.b64encode(small).decode()
    kind = "png" if small.startswith(b"\x89PNG") else "jpeg"
    page_files.component("expansion")(
        key=_KEY,
        data={
            "picture": f"data:image/{kind};base64,{encoded}",
            "width": width,
            "height": height,
            "sides": [sides.up, sides.down, sides.left, sides.right],
            "most": AREA_MOST,
            "texts": {
                "frame": text("images.frame"),
                **{side: text(f"images.expand_{side}") for side in _SIDES},
            },
        },
        on_sides_change=take,
    )
