"""What `POST /v1/images/generations` accepts: checked here, before anything is sent or paid for.

Every rule of kling.md section 3 that can be known beforehand; each refusal is an InputError that
names the field. The table of models stands in `kling_catalogue`.
"""

from dataclasses import dataclass

from core.models.generations import ImageRequest
from core.models.kling_catalogue import OFFERED_MODELS, ImageModel, find_image_model, typed_model
from core.models.pictures.rules import (
    PROMPT_LIMIT,
    REFERENCES_MOST,
    check_callback,
    check_choice,
    check_count,
    check_prompt,
    count_characters,
    is_plausible_model,
    listed,
    refuse,
)

# The docs say "10 MB"; read as the larger of the two megabytes, since Kling's refusal is free.
REFERENCE_MOST_BYTES = 10 * 1024 * 1024
REFERENCE_LEAST_SIDE = 300
REFERENCE_WIDEST = 2.5
# Pillow's names; an MPO is a JPEG with a second picture behind it, as some phones write.
REFERENCE_FORMATS = ("PNG", "JPEG", "MPO")


@dataclass(frozen=True, slots=True)
class ReferenceFacts:
    """What is known about a reference picture; `format` is Pillow's name for it."""

    size_bytes: int
    format: str
    width: int
    height: int


def check_image_request(request: ImageRequest) -> None:
    """Raise InputError for the first rule broken by the fields alone, without the picture."""
    model = find_image_model(request.model_name)
    if model is None and request.is_typed and is_plausible_model(request.model_name):
        model = typed_model(request.model_name)
    if model is None:
        refuse(
            "model_name",
            "error.image_model_unknown",
            model=request.model_name,
            offered=listed(model.name for model in OFFERED_MODELS),
        )
    _check_words(request)
    _check_model(request, model)
    _check_reference_fields(request, model)
    check_callback(request.callback_url)


def check_reference(reference: ReferenceFacts) -> None:
    """Raise InputError when Kling would not take this reference picture."""
    if reference.format.upper() not in REFERENCE_FORMATS:
        refuse("image", "error.reference_format", format=reference.format or "?")
    if reference.size_bytes > REFERENCE_MOST_BYTES:
        refuse(
            "image",
            "error.reference_too_large",
            size_mb=f"{reference.size_bytes / 1024 / 1024:.1f}",
            limit_mb=REFERENCE_MOST_BYTES // (1024 * 1024),
        )
    sides = {"width": reference.width, "height": reference.height}
    if min(sides.values()) < REFERENCE_LEAST_SIDE:
        refuse("image", "error.reference_too_small", **sides, least=REFERENCE_LEAST_SIDE)
    if max(sides.values()) > REFERENCE_WIDEST * min(sides.values()):
        refuse("image", "error.reference_too_narrow", **sides, widest=REFERENCE_WIDEST)


def _check_words(request: ImageRequest) -> None:
    check_prompt(request.prompt)
    if (count := count_characters(request.negative_prompt)) > PROMPT_LIMIT:
        refuse("negative_prompt", "error.negative_prompt_too_long", count=count, limit=PROMPT_LIMIT)
    if request.negative_prompt and request.has_image:
        refuse("negative_prompt", "error.negative_prompt_with_image")


def _check_model(request: ImageRequest, model: ImageModel) -> None:
    has_image = request.has_image
    if not has_image and not model.text_to_image:
        refuse("model_name", "error.image_model_needs_image", model=model.name)
    check_count(request.n)
    ratios = model.ratios_for(has_image=has_image)
    if ratios:
        ratio = request.aspect_ratio
        check_choice("aspect_ratio", "error.image_ratio", model.name, ratio, ratios)
    resolutions = model.resolutions_for(has_image=has_image)
    chosen = request.resolution
    check_choice("resolution", "error.image_resolution", model.name, chosen, resolutions)


def _check_reference_fields(request: ImageRequest, model: ImageModel) -> None:
    reference = request.image_reference
    if reference is None:
        if request.has_image and model.needs_image_reference:
            refuse("image_reference", "error.image_reference_required", model=model.name)
    else:
        if reference not in ("subject", "face"):
            refuse("image_reference", "error.image_reference_unknown")
        _needs_image(request, "image_reference")
        _needs_support(model.takes_image_reference, model, "image_reference")
    if request.image_fidelity is not None:
        _needs_image(request, "image_fidelity")
        _needs_support(model.takes_image_fidelity, model, "image_fidelity")
        _needs_share(request.image_fidelity, "image_fidelity")
    if request.human_fidelity is not None:
        _needs_image(request, "human_fidelity")
        _needs_support(model.takes_human_fidelity, model, "human_fidelity")
        _needs_share(request.human_fidelity, "human_fidelity")
        if reference != "subject":
            refuse("human_fidelity", "error.human_fidelity_needs_subject")
    if request.element_ids:
        _needs_support(model.takes_elements, model, "element_ids")
        if (count := len(request.element_ids) + request.has_image) > REFERENCES_MOST:
            refuse("element_ids", "error.too_many_references", count=count, limit=REFERENCES_MOST)


def _needs_image(request: ImageRequest, field: str) -> None:
    if not request.has_image:
        refuse(field, "error.field_needs_image", field=field)


def _needs_support(is_supported: bool, model: ImageModel, field: str) -> None:
    if not is_supported:
        refuse(field, "error.field_not_offered", model=model.name, field=field)


def _needs_share(value: float, field: str) -> None:
    if not 0 <= value <= 1:
        refuse(field, "error.field_not_a_share", field=field)
