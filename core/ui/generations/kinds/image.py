"""The form of a plain picture: one reference picture at most, then the options."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal, cast

import streamlit as st

from core.models.generations import ImageRequest, ReferenceImage
from core.models.kling_catalogue import ImageModel, find_image_model, offered_model
from core.ui.generations import options
from core.ui.generations import reference as image_reference
from core.ui.generations.options import KEYS, value
from core.ui.session import text


def draw(taken: frozenset[str]) -> None:
    """Draw the reference picture and the options."""
    model = options.model()
    has_image = _draw_reference(model, taken)
    options.draw(model, taken, has_image=has_image)


def asked() -> tuple[ImageRequest, tuple[ReferenceImage, ...]]:
    """Return what the form asks for; InputError where its picture is none."""
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
        is_typed=find_image_model(model.name) is None,
    )
    if (ratio := options.ratio(model, has_image=has_image)) is not None:
        request = replace(request, aspect_ratio=ratio)
    if reference is None:
        return request, ()
    kind = cast("Literal['subject', 'face'] | None", value("kind"))
    if model.takes_image_reference and kind is not None:
        request = replace(request, image_reference=kind)
        if model.takes_human_fidelity and kind == "subject":
            request = replace(request, human_fidelity=cast(float, value("human")))
    if model.takes_image_fidelity:
        request = replace(request, image_fidelity=cast(float, value("fidelity")))
    return request, (reference,)


def values(wanted: ImageRequest, references: tuple[ReferenceImage, ...]) -> Mapping[str, object]:
    """Return what the inputs hold for a request, as far as its model offers it."""
    has_image = bool(references)
    model = offered_model(wanted.model_name)
    is_known = wanted.is_typed or find_image_model(wanted.model_name) is not None
    held: dict[str, object] = {
        "negative": wanted.negative_prompt,
        "model": wanted.model_name if is_known else model.name,
        "n": wanted.n,
    }
    if wanted.aspect_ratio in model.ratios_for(has_image=has_image):
        held["ratio"] = wanted.aspect_ratio
    if wanted.resolution in model.resolutions_for(has_image=has_image):
        held["resolution"] = wanted.resolution
    if has_image and model.takes_image_reference and wanted.image_reference is not None:
        held["kind"] = wanted.image_reference
    if has_image and model.takes_image_fidelity and wanted.image_fidelity is not None:
        held["fidelity"] = wanted.image_fidelity
    if has_image and model.takes_human_fidelity and wanted.human_fidelity is not None:
        held["human"] = wanted.human_fidelity
    return {KEYS[name]: one for name, one in held.items()}


def facts(request: ImageRequest) -> list[tuple[str, str]]:
    """Return what the large view tells of a request besides what all have."""
    told = []
    if request.has_image:
        kind = request.image_reference
        named = text(f"images.reference_{kind}") if kind else text("gallery.yes")
        told.append((text("images.reference"), named))
    if request.image_fidelity is not None:
        told.append((text("images.fidelity"), f"{request.image_fidelity:g}"))
    if request.human_fidelity is not None:
        told.append((text("images.human_fidelity"), f"{request.human_fidelity:g}"))
    if request.element_ids:
        told.append((text("gallery.elements"), ", ".join(map(str, request.element_ids))))
    return told


def _draw_reference(model: ImageModel, taken: frozenset[str]) -> bool:
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
            is_given = KEYS["kind"] in taken
            st.segmented_control(
                text("images.reference_kind"),
                ["subject", "face"],
                default="subject" if model.needs_image_reference and not is_given else None,
                required=model.needs_image_reference,
                format_func=lambda kind: text(f"images.reference_{kind}"),
                key=KEYS["kind"],
            )
        if model.takes_image_fidelity:
            _draw_fidelity("images.fidelity", "fidelity", 0.5, taken)
        if model.takes_human_fidelity and value("kind") == "subject":
            _draw_fidelity("images.human_fidelity", "human", 0.45, taken)
        return True


def _draw_fidelity(label: str, name: str, usual: float, taken: frozenset[str]) -> None:
    default = None if KEYS[name] in taken else usual
    st.slider(text(label), 0.0, 1.0, value=default, step=0.05, key=KEYS[name])
