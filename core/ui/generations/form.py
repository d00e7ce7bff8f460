"""The form of a picture request: words, model, shape, size, number, reference picture."""

import time
from dataclasses import replace
from typing import Literal, cast

import streamlit as st

from core.errors import AppError
from core.models.generations import AspectRatio, ImageRequest, ReferenceImage, Resolution
from core.models.image_rules import PROMPT_LIMIT, count_characters
from core.models.kling_catalogue import (
    OFFERED_MODELS,
    ImageModel,
    find_image_model,
    offered_model,
)
from core.models.money.ledger import Reservation, Spender
from core.ui import session
from core.ui.buttons import keeping_errors
from core.ui.generations import reference as image_reference
from core.ui.money import confirm as money_confirm
from core.ui.money.figures import budget_remark, own_budgets
from core.ui.money.words import amount_words
from core.ui.placeholders import ratio_label
from core.ui.session import text

# Two clicks in a row are one generation.
DOUBLE_CLICK_S = 3.0

_KEYS = {
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

# Names of the inputs whose value was set from outside in this run. Streamlit objects to a default
# beside that, and in every other run it needs one: a model may not offer what was chosen before.
Taken = frozenset[str]


def draw() -> None:
    """Draw the form; Generate writes the generation down before anything is sent."""
    taken = _take_over()
    st.text_area(
        text("images.prompt"),
        placeholder=text("images.prompt_placeholder"),
        height=150,
        key=_KEYS["prompt"],
        persist_state="session",
    )
    _draw_count(_KEYS["prompt"])
    model = _draw_model()
    has_image = _draw_reference(model, taken)
    _draw_shape(model, taken, has_image=has_image)
    with st.expander(text("images.negative"), expanded=bool(_value("negative"))):
        st.text_area(
            text("images.negative"),
            label_visibility="collapsed",
            placeholder=text("images.negative_placeholder"),
            key=_KEYS["negative"],
            disabled=has_image,
            help=text("images.negative_no_image") if has_image else None,
            persist_state="session",
        )
        if has_image:
            st.caption(text("images.negative_no_image"))
        else:
            _draw_count(_KEYS["negative"])
    _draw_generate(model, has_image=has_image)
    if (error := session.state().image_error) is not None:
        session.show_error(error)


def _draw_count(key: str) -> None:
    count = count_characters(st.session_state.get(key) or "")
    line = text("images.count", count=count, limit=PROMPT_LIMIT)
    st.caption(f":red[{line}]" if count > PROMPT_LIMIT else line)


def _draw_model() -> ImageModel:
    _leave_stopped_model()
    by_name = {model.name: model for model in OFFERED_MODELS}
    name = st.selectbox(
        text("images.model"),
        list(by_name),
        format_func=lambda name: f"{by_name[name].title} · {name}",
        key=_KEYS["model"],
        persist_state="session",
    )
    if (stopped := session.state().stopped_model) is not None:
        st.caption(
            text(
                "images.model_stopped",
                model=stopped.name,
                date=stopped.stopped_on,
                offered=stopped.successor,
            )
        )
    return by_name[name]


def _leave_stopped_model() -> None:
    """Choose the successor of a model that was chosen before Kling stopped it, and say so."""
    known = session.state()
    chosen = find_image_model(str(_value("model") or ""))
    if chosen is None:
        return
    if chosen.stopped_on is not None:
        st.session_state[_KEYS["model"]] = chosen.successor
        known.stopped_model = chosen
    elif known.stopped_model is not None and chosen.name != known.stopped_model.successor:
        known.stopped_model = None  # another choice was made since


def _draw_shape(model: ImageModel, taken: Taken, *, has_image: bool) -> None:
    ratios = model.ratios_for(has_image=has_image)
    if ratios:
        st.pills(
            text("images.ratio"),
            ratios,
            default=None if "ratio" in taken else "1:1",
            required=True,
            format_func=ratio_label,
            wrap=True,
            key=_KEYS["ratio"],
            persist_state="session",
        )
    else:
        st.caption(text("images.ratio_from_picture"))
    resolutions = model.resolutions_for(has_image=has_image)
    with st.container(horizontal=True):
        st.segmented_control(
            text("images.resolution"),
            resolutions,
            default=None if "resolution" in taken else resolutions[0],
            required=True,
            format_func=str.upper,
            key=_KEYS["resolution"],
            persist_state="session",
        )
        st.number_input(
            text("images.n"),
            min_value=1,
            max_value=9,
            value=None if "n" in taken else 1,
            key=_KEYS["n"],
            width=130,
            persist_state="session",
        )


def fill(request: ImageRequest, *, reference: ReferenceImage | None = None) -> None:
    """Have the form hold this generation when it is drawn next."""
    known = session.state()
    known.wanted = request
    known.reference = reference
    known.dropped = None
    known.image_error = None
    known.upload_round += 1


def _take_over() -> Taken:
    """Put what was left by `fill` into the form, as far as the model offers it; return what."""
    known = session.state()
    if (wanted := known.wanted) is None:
        return frozenset()
    known.wanted = None
    has_image = known.reference is not None
    model = offered_model(wanted.model_name)
    values: dict[str, object] = {
        "prompt": wanted.prompt,
        "negative": wanted.negative_prompt,
        "model": wanted.model_name if find_image_model(wanted.model_name) else model.name,
        "n": wanted.n,
    }
    if wanted.aspect_ratio in model.ratios_for(has_image=has_image):
        values["ratio"] = wanted.aspect_ratio
    if wanted.resolution in model.resolutions_for(has_image=has_image):
        values["resolution"] = wanted.resolution
    if has_image and model.takes_image_reference and wanted.image_reference is not None:
        values["kind"] = wanted.image_reference
    if has_image and model.takes_image_fidelity and wanted.image_fidelity is not None:
        values["fidelity"] = wanted.image_fidelity
    if has_image and model.takes_human_fidelity and wanted.human_fidelity is not None:
        values["human"] = wanted.human_fidelity
    for name, value in values.items():
        st.session_state[_KEYS[name]] = value
    return frozenset(values)


def _draw_reference(model: ImageModel, taken: Taken) -> bool:
    """Draw the reference picture and what is taken from it; True when there is one."""
    if not image_reference.draw():
        return False
    if model.takes_image_reference:
        st.segmented_control(
            text("images.reference_kind"),
            ["subject", "face"],
            default="subject" if model.needs_image_reference and "kind" not in taken else None,
            required=model.needs_image_reference,
            format_func=lambda kind: text(f"images.reference_{kind}"),
            key=_KEYS["kind"],
        )
    if model.takes_image_fidelity:
        _draw_fidelity("images.fidelity", "fidelity", None if "fidelity" in taken else 0.5)
    if model.takes_human_fidelity and _value("kind") == "subject":
        _draw_fidelity("images.human_fidelity", "human", None if "human" in taken else 0.45)
    return True


def _draw_fidelity(label: str, name: str, value: float | None) -> None:
    st.slider(text(label), 0.0, 1.0, value=value, step=0.05, key=_KEYS[name])


def _draw_generate(model: ImageModel, *, has_image: bool) -> None:
    """Draw the button with the price on it, and below what the price rests on."""
    n = cast(int, _value("n") or 1)
    resolution = cast(Resolution, _value("resolution") or "1k")
    request = ImageRequest(
        "", model_name=model.name, resolution=resolution, n=n, has_image=has_image
    )
    held = _held(request)
    label = text("images.generate_many", n=n)
    if held is not None and held.line.amount is not None:
        label += f" ≈ {amount_words(held.line.amount, held.line.currency)}"
    st.button(
        label.replace("$", "\\$"),
        icon=":material/brush:",
        type="primary",
        width="stretch",
        key="generate",
        on_click=_generate,
    )
    if held is not None and held.line.amount is None:
        st.caption(text("images.price_unknown"))
    elif session.image_mode() == "practice":
        st.caption(text("images.price_practice"))
    elif held is not None and held.line.units is not None:
        st.caption(text("images.price", units=f"{held.line.units.normalize():f}"))
    for state in own_budgets():
        if (remark := budget_remark(state)) is not None:
            st.caption(remark)


def _held(request: ImageRequest) -> Reservation | None:
    studio, owner = session.studio(), session.owner()
    try:
        provider = studio.services.images(owner).provider
    except AppError:
        return None
    return studio.spending.for_task(Spender(owner, session.caller()), provider, request)


def _value(name: str) -> object:
    return st.session_state.get(_KEYS[name])


@keeping_errors("image_error")
def _generate() -> None:
    """Write the generation down. Runs before the page, so that no rerun can come between."""
    known = session.state()
    known.image_error = None
    request, reference = _request_of_form()
    signature = "" if reference is None else str(hash(reference.content))
    now = time.monotonic()
    if known.last_request is not None:
        last_request, last_signature, at = known.last_request
        is_same = (last_request, last_signature) == (request, signature)
        if is_same and now - at < DOUBLE_CLICK_S:
            return
    held = _held(request)
    if held is not None and held.line.amount is not None:
        money_confirm.require(held.line.amount, held.line.currency, (request, signature))
    session.studio().generations.request(
        session.owner(), request, reference=reference, caller=session.caller()
    )
    known.last_request = (request, signature, now)


def _request_of_form() -> tuple[ImageRequest, ReferenceImage | None]:
    model = next(model for model in OFFERED_MODELS if model.name == _value("model"))
    reference = image_reference.current()
    has_image = reference is not None
    request = ImageRequest(
        prompt=str(_value("prompt") or ""),
        model_name=model.name,
        negative_prompt="" if has_image else str(_value("negative") or ""),
        resolution=cast(Resolution, _value("resolution") or "1k"),
        n=int(cast(int, _value("n") or 1)),
        has_image=has_image,
    )
    if model.ratios_for(has_image=has_image):
        request = replace(request, aspect_ratio=cast(AspectRatio, _value("ratio") or "1:1"))
    if not has_image:
        return request, None
    kind = cast("Literal['subject', 'face'] | None", _value("kind"))
    if model.takes_image_reference and kind is not None:
        request = replace(request, image_reference=kind)
        if model.takes_human_fidelity and kind == "subject":
            request = replace(request, human_fidelity=cast(float, _value("human")))
    if model.takes_image_fidelity:
        request = replace(request, image_fidelity=cast(float, _value("fidelity")))
    return request, reference
