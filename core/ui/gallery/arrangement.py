"""How the gallery is arranged: sort order and size of the tiles, kept for the next visit."""

from dataclasses import dataclass
from typing import Literal, cast, get_args

import streamlit as st

from core.errors import AppError
from core.storage.generations.gallery import ORDERS, Order
from core.ui import session
from core.ui.session import text

TileSize = Literal["small", "medium", "large"]
_SIZES: tuple[TileSize, ...] = get_args(TileSize)
_WIDTHS_PX: dict[TileSize, int] = {"small": 110, "medium": 150, "large": 300}
_ORDER_KEY, _SIZE_KEY = "gallery-order", "gallery-size"


@dataclass(frozen=True, slots=True)
class Arrangement:
    """The choice in force."""

    order: Order = "newest"
    size: TileSize = "medium"

    @property
    def least_width_px(self) -> int:
        """How narrow a column may be; medium and small ones make two and three on a phone."""
        return _WIDTHS_PX[self.size]


def draw(kept: Arrangement) -> None:
    """Draw the choices behind a button that says what is chosen."""
    label = f"{text(f'gallery.order_{kept.order}')} · {text(f'gallery.size_{kept.size}')}"
    with st.popover(label, icon=":material/sort:", key="gallery-arrangement"):
        st.radio(
            text("gallery.order"),
            ORDERS,
            index=ORDERS.index(kept.order),
            format_func=lambda order: text(f"gallery.order_{order}"),
            key=_ORDER_KEY,
            on_change=_choose,
        )
        st.segmented_control(
            text("gallery.size"),
            _SIZES,
            default=kept.size,
            required=True,
            format_func=lambda size: text(f"gallery.size_{size}"),
            key=_SIZE_KEY,
            on_change=_choose,
        )


def _choose() -> None:
    chosen = Arrangement(
        order=cast(Order, st.session_state[_ORDER_KEY]),
        size=cast(TileSize, st.session_state[_SIZE_KEY]),
    )
    known = session.state()
    if chosen.order != current().order:
        known.gallery_page = 1
    known.arrangement = (chosen.order, chosen.size)
    if session.is_trusted():  # a stranger leaves nothing behind
        try:
            session.studio().store.key_values.set(_name(), f"{chosen.order} {chosen.size}")
        except AppError as error:
            known.error = error


def current() -> Arrangement:
    """Return what was chosen, in this session or an earlier one."""
    known = session.state()
    if known.arrangement is None:
        try:
            written = session.studio().store.key_values.get(_name()) or ""
        except AppError:
            written = ""
        order, _, size = written.partition(" ")
        known.arrangement = (order, size)
    order, size = known.arrangement
    if order not in ORDERS or size not in _SIZES:
        return Arrangement()
    return Arrangement(order, size)


def _name() -> str:
    return f"arrangement.{session.owner()}"
