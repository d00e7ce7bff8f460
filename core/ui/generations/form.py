"""The form of a picture request: words and Generate, then the reference picture and the options."""

import time
from dataclasses import replace
from typing import Literal, cast

import streamlit as st

from core.errors import AppError
from core.models.generations import ImageRequest, ReferenceImage
from core.models.kling_catalogue import ImageModel, find_image_model, offered_model
from core.models.money.ledger import Reservation, Spender
from core.ui import session
from core.ui.buttons import keeping_errors
from core.ui.generations import options
from core.ui.generations import reference as image_reference
from core.ui.generations.options import KEYS, Taken, value
from core.ui.money import confirm as money_confirm
from core.ui.money.figures import budget_remark, own_budgets
from core.ui.money.words import amount_words
from core.ui.session import text

# Two clicks in a row are one generation.
DOUBLE_CLICK_S = 3.0

_PROMPT_HEIGHT_PX = 116


def draw() -> None:
    """Draw the form; Generate writes the generation down before anything is sent."""
    taken = _take_over()
    st.text_area(
        text("images.prompt"),
        placeholder=text("images.prompt_placeholder"),
        height=_PROMPT_HEIGHT_PX,
        key=KEYS["prompt"],
        persist_state="session",
    )
    options.draw_count("prompt")
    model = options.model()
    # Drawn last: whether there is a reference picture is known only then.
    generate = st.container(gap="xsmall")
    has_image = _draw_reference(model, taken)
    options.draw(model, taken, has_image=has_image)
    with generate:
        _draw_generate(model, has_image=has_image)
        options.draw_stopped()
        if (error := session.state().image_error) is not None:
            session.show_error(error)


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
    for name, held in values.items():
        st.session_state[KEYS[name]] = held
    return frozenset(values)


def _draw_reference(model: ImageModel, taken: Taken) -> bool:
    """Draw the reference picture and what is taken from it; True when there is one."""
    is_set = image_reference.token() != ""
    with st.expander(
        text("images.reference_set" if is_set else "images.reference_none"),
        icon=":material/add_photo_alternate:",
        expanded=is_set,
        key="image-reference-fold",
    ):
        if not image_reference.draw():
            return False
        if model.takes_image_reference:
            st.segmented_control(
                text("images.reference_kind"),
                ["subject", "face"],
                default="subject" if model.needs_image_reference and "kind" not in taken else None,
                required=model.needs_image_reference,
                format_func=lambda kind: text(f"images.reference_{kind}"),
                key=KEYS["kind"],
            )
        if model.takes_image_fidelity:
            _draw_fidelity("images.fidelity", "fidelity", None if "fidelity" in taken else 0.5)
        if model.takes_human_fidelity and value("kind") == "subject":
            _draw_fidelity("images.human_fidelity", "human", None if "human" in taken else 0.45)
        return True


def _draw_fidelity(label: str, name: str, default: float | None) -> None:
    st.slider(text(label), 0.0, 1.0, value=default, step=0.05, key=KEYS[name])


def _draw_generate(model: ImageModel, *, has_image: bool) -> None:
    """Draw the button with the price on it, and below what the price rests on."""
    n = options.number()
    resolution = options.resolution(model, has_image=has_image)
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
    if (remark := _price_remark(held)) is not None:
        st.caption(remark)
    with st.container(key="generate-keys"):
        st.caption(text("images.generate_keys"))
    for state in own_budgets():
        if (remark := budget_remark(state)) is not None:
            st.caption(remark)


def _price_remark(held: Reservation | None) -> str | None:
    if held is not None and held.line.amount is None:
        return text("images.price_unknown")
    if session.image_mode() == "practice":
        return text("images.price_practice")
    if held is not None and held.line.units is not None:
        return text("images.price", units=f"{held.line.units.normalize():f}")
    return None


def _held(request: ImageRequest) -> Reservation | None:
    studio, owner = session.studio(), session.owner()
    try:
        provider = studio.services.images(owner).provider
    except AppError:
        return None
    return studio.spending.for_task(Spender(owner, session.caller()), provider, request)


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
        session.owner(),
        request,
        references=() if reference is None else (reference,),
        caller=session.caller(),
    )
    known.last_request = (request, signature, now)


def _request_of_form() -> tuple[ImageRequest, ReferenceImage | None]:
    model = options.model()
    reference = image_reference.current()
    has_image = reference is not None
    request = ImageRequest(
        prompt=str(value("prompt") or ""),
        model_name=model.name,
        negative_prompt="" if has_image else str(value("negative") or ""),
        resolution=options.resolution(model, has_image=has_image),
        n=options.number(),
        has_image=has_image,
    )
    if (ratio := options.ratio(model, has_image=has_image)) is not None:
        request = replace(request, aspect_ratio=ratio)
    if not has_image:
        return request, None
    kind = cast("Literal['subject', 'face'] | None", value("kind"))
    if model.takes_image_reference and kind is not None:
        request = replace(request, image_reference=kind)
        if model.takes_human_fidelity and kind == "subject":
            request = replace(request, human_fidelity=cast(float, value("human")))
    if model.takes_image_fidelity:
        request = replace(request, image_fidelity=cast(float, value("fidelity")))
    return request, reference
