"""The form of an omni picture: several references, each with a name for the prompt; a series."""

from collections.abc import Mapping
from typing import cast

import streamlit as st

from core.models.generations import ReferenceImage
from core.models.pictures.omni import (
    OMNI_MODELS,
    OMNI_RATIOS,
    SERIES_LEAST,
    SERIES_MOST,
    OmniModel,
    OmniRatio,
    OmniRequest,
    OmniResolution,
    find_omni_model,
    typed_model,
)
from core.models.pictures.rules import COUNT_MOST, REFERENCES_MOST
from core.ui import session
from core.ui.generations import choices
from core.ui.generations.kinds import elements, pictures
from core.ui.generations.options import KEYS as SHARED
from core.ui.placeholders import ratio_words
from core.ui.session import text

KEYS = {name: f"omni-{name}" for name in ("model", "ratio", "resolution", "series", "auto", "n")}
_USUAL_SERIES = 4


def draw(taken: frozenset[str]) -> None:
    """Draw the reference pictures and the options."""
    count = len(session.state().pictures)
    with st.expander(
        text("images.pictures_set", count=count, most=REFERENCES_MOST),
        icon=":material/add_photo_alternate:",
        expanded=True,
        key="omni-pictures-fold",
    ):
        pictures.draw(REFERENCES_MOST, name_of, can_insert=True)
    elements.draw()
    with st.expander(_summary(), icon=":material/tune:", key="omni-options"):
        _draw_options(taken)


def name_of(place: int) -> str:
    """Return what the prompt calls the picture of a place."""
    return text("images.picture_name", number=place + 1)


def asked() -> tuple[OmniRequest, tuple[ReferenceImage, ...]]:
    """Return what the form asks for."""
    model, references = _model(), pictures.current(REFERENCES_MOST)
    is_series, is_auto = _is_series(model), _is_auto(model)
    request = OmniRequest(
        prompt=str(st.session_state.get(SHARED["prompt"]) or ""),
        model_name=model.name,
        aspect_ratio=_ratio(),
        resolution=_resolution(model),
        n=SERIES_MOST if is_auto else _number(model),
        image_count=len(references),
        element_ids=elements.chosen(),
        is_series=is_series,
        is_auto=is_auto,
        is_typed=find_omni_model(model.name) is None,
    )
    return request, references


def values(wanted: OmniRequest, references: tuple[ReferenceImage, ...]) -> Mapping[str, object]:
    """Return what the inputs hold for a request."""
    session.state().pictures = references
    is_known = wanted.is_typed or find_omni_model(wanted.model_name) is not None
    held = {
        "model": wanted.model_name if is_known else OMNI_MODELS[0].name,
        "ratio": wanted.aspect_ratio,
        "resolution": wanted.resolution,
        "series": wanted.is_series,
        "auto": wanted.is_auto,
        "n": _USUAL_SERIES if wanted.is_auto else wanted.n,
    }
    ids = [str(one) for one in wanted.element_ids]
    return {KEYS[name]: one for name, one in held.items()} | {elements.KEY: ids}


def facts(request: OmniRequest) -> list[tuple[str, str]]:
    """Return what the large view tells of a request besides what all have."""
    told = [(text("images.references"), str(request.image_count))]
    if request.element_ids:
        told.append((text("gallery.elements"), ", ".join(map(str, request.element_ids))))
    if request.is_series:
        told.append((text("images.series"), text("gallery.yes")))
    return told


def _value(name: str) -> object:
    return st.session_state.get(KEYS[name])


def _model() -> OmniModel:
    name = str(_value("model") or "").strip().lower()
    return find_omni_model(name) or (typed_model(name) if name else OMNI_MODELS[0])


def _ratio() -> OmniRatio:
    asked_for = _value("ratio")
    return asked_for if asked_for in OMNI_RATIOS else "auto"


def _resolution(model: OmniModel) -> OmniResolution:
    asked_for = _value("resolution")
    return asked_for if asked_for in model.resolutions else "1k"


def _is_series(model: OmniModel) -> bool:
    return model.takes_series and bool(_value("series"))


def _is_auto(model: OmniModel) -> bool:
    return _is_series(model) and bool(_value("auto"))


def _number(model: OmniModel) -> int:
    n = int(cast(int, _value("n") or 1))
    return max(SERIES_LEAST, n) if _is_series(model) else n


def _summary() -> str:
    model = _model()
    number = text("images.count_pictures", n=_number(model))
    if _is_series(model):
        amount = text("images.series_auto") if _is_auto(model) else str(_number(model))
        number = f"{text('images.series')} {amount}"
    shape = ratio_words(_ratio())
    parts = [text("images.options"), model.title, shape, _resolution(model).upper(), number]
    # A colon between figures would begin an emoji's name.
    return " · ".join(parts).replace(":", "\\:")


def _draw_options(taken: frozenset[str]) -> None:
    by_name = {one.name: one for one in OMNI_MODELS}
    st.selectbox(
        text("images.model"),
        list(by_name),
        format_func=lambda name: f"{by_name[name].title} · {name}" if name in by_name else name,
        accept_new_options=True,
        help=text("images.model_help"),
        key=KEYS["model"],
        persist_state="session",
    )
    model = _model()
    choices.draw_ratio(KEYS["ratio"], OMNI_RATIOS, "auto", is_taken=KEYS["ratio"] in taken)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        choices.draw_resolution(
            KEYS["resolution"], model.resolutions, "1k", is_taken=KEYS["resolution"] in taken
        )
        if not _is_auto(model):
            least, most = (SERIES_LEAST, SERIES_MOST) if _is_series(model) else (1, COUNT_MOST)
            choices.draw_count(KEYS["n"], is_taken=KEYS["n"] in taken, least=least, most=most)
    if model.takes_series:
        st.toggle(
            text("images.series"),
            help=text("images.series_help"),
            key=KEYS["series"],
            persist_state="session",
            on_change=_begin_series,
        )
        if _is_series(model):
            st.toggle(text("images.series_auto"), key=KEYS["auto"], persist_state="session")


def _begin_series() -> None:
    """Begin with Kling's own number; one picture is no series."""
    st.session_state[KEYS["n"]] = _USUAL_SERIES if _value("series") else 1
