"""Choices that the forms of several kinds have: ratio, resolution, how many.

`is_taken` says that the key holds a value already: Streamlit warns of a default beside it.
"""

from collections.abc import Sequence

import streamlit as st

from core.models.pictures.rules import COUNT_MOST
from core.ui.placeholders import ratio_label
from core.ui.session import text


def draw_ratio(key: str, ratios: Sequence[str], default: str, *, is_taken: bool) -> None:
    """Draw the choice of a ratio."""
    st.pills(
        text("images.ratio"),
        ratios,
        default=None if is_taken else default,
        required=True,
        format_func=ratio_label,
        wrap=True,
        key=key,
        persist_state="session",
    )


def draw_resolution(key: str, resolutions: Sequence[str], default: str, *, is_taken: bool) -> None:
    """Draw the choice of a resolution."""
    st.segmented_control(
        text("images.resolution"),
        resolutions,
        default=None if is_taken else default,
        required=True,
        format_func=str.upper,
        key=key,
        persist_state="session",
    )


def draw_count(key: str, *, is_taken: bool, least: int = 1, most: int = COUNT_MOST) -> None:
    """Draw how many pictures are asked for."""
    st.number_input(
        text("images.n"),
        min_value=least,
        max_value=most,
        value=None if is_taken else "min",
        key=key,
        width=130,
        persist_state="session",
    )
