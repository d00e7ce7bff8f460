"""The form of an expansion: one picture, and the frame around it by its shape or by its sides."""

import io
from collections.abc import Mapping
from typing import cast

import streamlit as st
from PIL import Image

from core.models.generations import ReferenceImage
from core.models.kling_catalogue import ALL_RATIOS
from core.models.pictures.expand import (
    AREA_MOST,
    SIDE_MOST,
    ExpandRequest,
    Sides,
    centred,
    least_area,
)
from core.ui import session
from core.ui.generations import choices
from core.ui.generations.kinds import frame, pictures
from core.ui.generations.options import KEYS as SHARED
from core.ui.generations.reference import preview
from core.ui.placeholders import ratio_label
from core.ui.session import text
from core.work.generations.references import reference_facts

OWN = "own"  # the shape that the picture has
SIDES = ("up", "down", "left", "right")
KEYS = {name: f"expand-{name}" for name in ("by", "ratio", "area", "n", *SIDES)}
_USUAL_AREA = 2.0
_USUAL_SHARE = 0.25
_PREVIEW_PX = 360
_GROUND = (150, 150, 150, 110)


def draw(taken: frozenset[str]) -> None:
    """Draw the picture, the frame around it, and the options."""
    with st.container(border=True):
        pictures.draw(1, lambda _place: text("images.expand_picture"))
        references = pictures.current(1)
        if references:
            _draw_frame(references[0], taken)
        choices.draw_count(KEYS["n"], is_taken=KEYS["n"] in taken)


def asked() -> tuple[ExpandRequest, tuple[ReferenceImage, ...]]:
    """Return what the form asks for."""
    references = pictures.current(1)
    sides = _sides(references[0]) if references else Sides()
    request = ExpandRequest(
        prompt=str(st.session_state.get(SHARED["prompt"]) or ""),
        n=int(cast(int, _value("n") or 1)),
        has_image=bool(references),
        up=sides.up,
        down=sides.down,
        left=sides.left,
        right=sides.right,
    )
    return request, references


def values(wanted: ExpandRequest, references: tuple[ReferenceImage, ...]) -> Mapping[str, object]:
    """Return what the inputs hold for a request: its sides, whichever way they came about."""
    session.state().pictures = references
    held = {side: getattr(wanted, side) for side in SIDES} | {"by": "sides", "n": wanted.n}
    return {KEYS[name]: one for name, one in held.items()}


def facts(request: ExpandRequest) -> list[tuple[str, str]]:
    """Return what the large view tells of a request besides what all have."""
    shares = [f"{text(f'images.expand_{side}')} {getattr(request, side):.0%}" for side in SIDES]
    return [(text("images.expand_by"), " · ".join(shares))]


def _value(name: str) -> object:
    return st.session_state.get(KEYS[name])


def _sides(reference: ReferenceImage) -> Sides:
    """Return the frame that is chosen around a picture."""
    if _value("by") == "sides":
        shares = [st.session_state.get(KEYS[side], _USUAL_SHARE) for side in SIDES]
        return Sides(*(float(cast(float, share or 0.0)) for share in shares))
    width, height = _size(reference)
    ratio = _ratio(reference)
    least = least_area(width, height, ratio)
    area = float(cast(float, _value("area") or _USUAL_AREA))
    return centred(width, height, ratio, min(AREA_MOST, max(least, area)))


def _size(reference: ReferenceImage) -> tuple[int, int]:
    known = reference_facts(reference)
    return known.width, known.height


def _ratio(reference: ReferenceImage) -> float:
    width, height = _size(reference)
    chosen = _value("ratio")
    if not isinstance(chosen, str) or chosen not in _possible(width, height) or chosen == OWN:
        return width / height
    across, _, down = chosen.partition(":")
    return int(across) / int(down)


def _possible(width: int, height: int) -> list[str]:
    """Return the shapes that a frame of the largest area can have around the picture."""
    fitting = [OWN]
    for ratio in ALL_RATIOS:
        across, _, down = ratio.partition(":")
        if least_area(width, height, int(across) / int(down)) <= AREA_MOST:
            fitting.append(ratio)
    return fitting


def _draw_frame(reference: ReferenceImage, taken: frozenset[str]) -> None:
    st.segmented_control(
        text("images.expand_by"),
        ["shape", "sides"],
        default=None if KEYS["by"] in taken else "shape",
        required=True,
        format_func=lambda by: text(f"images.expand_by_{by}"),
        key=KEYS["by"],
        persist_state="session",
    )
    width, height = _size(reference)
    if _value("by") == "sides":
        _draw_sides()
        sides = _sides(reference)
        st.caption(text("images.expand_drag"))
        frame.draw(preview(reference.content), (width, height), sides, _take)
    else:
        _draw_shape(reference)
        sides = _sides(reference)
        small = preview(reference.content)
        st.image(_framed(small, sides), width="content", alt=text("images.frame"))
    across, down = sides.size(width, height)
    facts = {"width": across, "height": down, "area": f"{sides.area:.2f}", "most": f"{AREA_MOST:g}"}
    told = text("images.expand_size", **facts)
    st.caption(f":red[{told}]" if sides.area > AREA_MOST else told)


def _draw_shape(reference: ReferenceImage) -> None:
    width, height = _size(reference)
    fitting = _possible(width, height)
    if _value("ratio") not in fitting:
        st.session_state[KEYS["ratio"]] = OWN
    st.pills(
        text("images.ratio"),
        fitting,
        required=True,
        format_func=lambda one: text("images.expand_own") if one == OWN else ratio_label(one),
        wrap=True,
        key=KEYS["ratio"],
        persist_state="session",
    )
    least = least_area(width, height, _ratio(reference))
    lowest = min(AREA_MOST - 0.05, max(1.05, round(least + 0.005, 2)))
    held = float(cast(float, _value("area") or _USUAL_AREA))
    st.session_state[KEYS["area"]] = min(AREA_MOST, max(lowest, held))
    st.slider(
        text("images.expand_area"),
        lowest,
        AREA_MOST,
        step=0.05,
        format="%.2f ×",
        key=KEYS["area"],
        persist_state="session",
    )


def _draw_sides() -> None:
    for column, side in zip(st.columns(2) * 2, SIDES, strict=True):
        with column:
            # Dragging sets it, too: Streamlit objects to a default beside that.
            st.session_state.setdefault(KEYS[side], _USUAL_SHARE)
            st.number_input(
                text(f"images.expand_{side}"),
                min_value=0.0,
                max_value=SIDE_MOST,
                step=0.05,
                key=KEYS[side],
                persist_state="session",
            )


def _take(sides: Sides) -> None:
    """Have the numbers say what was dragged."""
    for side in SIDES:
        st.session_state[KEYS[side]] = min(SIDE_MOST, max(0.0, getattr(sides, side)))


@st.cache_data(max_entries=20, show_spinner=False)
def _framed(small: bytes, sides: Sides) -> bytes:
    """Return the picture inside the whole, whose new parts are grey."""
    with Image.open(io.BytesIO(small)) as picture:
        width, height = picture.size
        whole = Image.new("RGBA", sides.size(width, height), _GROUND)
        whole.paste(picture.convert("RGBA"), (round(sides.left * width), round(sides.up * height)))
        whole.thumbnail((_PREVIEW_PX, _PREVIEW_PX))
        target = io.BytesIO()
        whole.save(target, "PNG")
    return target.getvalue()
