"""Options of a picture request, folded: model, shape, size, number, what should not be in it."""

from typing import cast

import streamlit as st

from core.models.generations import AspectRatio, Resolution
from core.models.kling_catalogue import OFFERED_MODELS, ImageModel, find_image_model, typed_model
from core.models.pictures.rules import PROMPT_LIMIT, count_characters
from core.ui import session
from core.ui.generations import choices
from core.ui.session import text

KEYS = {
    "prompt": "image-prompt",
    "negative": "image-negative",
    "model": "image-model",
    "ratio": "image-ratio",
    "resolution": "image-resolution",
    "n": "image-n",
    "kind": "image-reference-kind",
    "fidelity": "image-fidelity",
    "human": "human-fidelity",
}
# Keys of the inputs whose value was set from outside in this run. Streamlit objects to a default
# beside that, and in every other run it needs one: a model may not offer what was chosen before.
Taken = frozenset[str]

_COUNTED_FROM = 0.8  # of the limit: before that, nobody needs the count
_FOLD = "image-options"


def value(name: str) -> object:
    """Return what an input of the form holds."""
    return st.session_state.get(KEYS[name])


def model() -> ImageModel:
    """Return the chosen model, or the first; a stopped one is left for its successor."""
    _leave_stopped_model()
    name = str(value("model") or "")
    known = next((one for one in OFFERED_MODELS if one.name == name), None)
    if known is None and name and find_image_model(name) is None:
        return typed_model(name.strip().lower())
    return known or OFFERED_MODELS[0]


def ratio(chosen: ImageModel, *, has_image: bool) -> AspectRatio | None:
    """Return the ratio that is asked for; None where the reference picture decides."""
    offered = chosen.ratios_for(has_image=has_image)
    asked = value("ratio")
    if not offered:
        return None
    return asked if asked in offered else "1:1"


def resolution(chosen: ImageModel, *, has_image: bool) -> Resolution:
    """Return the resolution that is asked for."""
    offered = chosen.resolutions_for(has_image=has_image)
    asked = value("resolution")
    return asked if asked in offered else offered[0]


def number() -> int:
    """Return how many pictures are asked for."""
    return int(cast(int, value("n") or 1))


def draw(chosen: ImageModel, taken: Taken, *, has_image: bool) -> None:
    """Draw the fold; its label says what is set."""
    with st.expander(_summary(chosen, has_image=has_image), icon=":material/tune:", key=_FOLD):
        _draw_model()
        _draw_shape(chosen, taken, has_image=has_image)
        st.text_area(
            text("images.negative"),
            placeholder=text("images.negative_placeholder"),
            height=80,
            key=KEYS["negative"],
            disabled=has_image,
            persist_state="session",
        )
        if has_image:
            st.caption(text("images.negative_no_image"))
        else:
            draw_count("negative")


def draw_count(name: str) -> None:
    """Draw how many characters an input holds, once that comes near the limit."""
    count = count_characters(str(value(name) or ""))
    line = text("images.count", count=count, limit=PROMPT_LIMIT)
    if count > PROMPT_LIMIT:
        st.caption(f":red[{line}]")
    elif count > _COUNTED_FROM * PROMPT_LIMIT:
        st.caption(line)


def _summary(chosen: ImageModel, *, has_image: bool) -> str:
    parts = [
        text("images.options"),
        chosen.title,
        ratio(chosen, has_image=has_image),
        resolution(chosen, has_image=has_image).upper(),
        text("images.count_pictures", n=number()),
    ]
    if value("negative") and not has_image:
        parts.append(text("images.negative"))
    # A colon between figures would begin an emoji's name.
    return " · ".join(filter(None, parts)).replace(":", "\\:")


def _draw_model() -> None:
    by_name = {one.name: one for one in OFFERED_MODELS}
    st.selectbox(
        text("images.model"),
        list(by_name),
        format_func=lambda name: f"{by_name[name].title} · {name}" if name in by_name else name,
        accept_new_options=True,
        help=text("images.model_help"),
        key=KEYS["model"],
        persist_state="session",
    )


def draw_stopped() -> None:
    """Say that the chosen model was left, because Kling stopped it."""
    if (stopped := session.state().stopped_model) is not None:
        st.caption(
            text(
                "images.model_stopped",
                model=stopped.name,
                date=stopped.stopped_on,
                offered=stopped.successor,
            )
        )


def _leave_stopped_model() -> None:
    """Choose the successor of a model that was chosen before Kling stopped it, and say so."""
    known = session.state()
    chosen = find_image_model(str(value("model") or ""))
    if chosen is None:
        return
    if chosen.stopped_on is not None:
        st.session_state[KEYS["model"]] = chosen.successor
        known.stopped_model = chosen
    elif known.stopped_model is not None and chosen.name != known.stopped_model.successor:
        known.stopped_model = None  # another choice was made since


def _draw_shape(chosen: ImageModel, taken: Taken, *, has_image: bool) -> None:
    if ratios := chosen.ratios_for(has_image=has_image):
        choices.draw_ratio(KEYS["ratio"], ratios, "1:1", is_taken=KEYS["ratio"] in taken)
    else:
        st.caption(text("images.ratio_from_picture"))
    resolutions = chosen.resolutions_for(has_image=has_image)
    with st.container(horizontal=True):
        choices.draw_resolution(
            KEYS["resolution"], resolutions, resolutions[0], is_taken=KEYS["resolution"] in taken
        )
        choices.draw_count(KEYS["n"], is_taken=KEYS["n"] in taken)
