"""What `POST /v1/images/generations` accepts: checked here, before anything is sent or paid for.

Every rule of kling.md section 3 that can be known beforehand; each refusal is an InputError that
names the field. The table of models stands in `image_models`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NoReturn

from core.errors import InputError
from core.models.generations import ImageRequest
from core.models.kling_catalogue import IMAGE_MODELS, ImageModel, find_image_model

PROMPT_LIMIT = 2500
COUNT_LEAST = 1
COUNT_MOST = 9
REFERENCES_MOST = 10

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


def count_characters(text: str) -> int:
    """Return the length of `text` as Kling counts it.

    The docs limit "characters" without saying which; code points are the plain reading, and none
    of the stored material contradicts it. One Chinese character counts as one either way; only an
    emoji would differ (two in UTF-16).
    """
    return len(text)


def check_image_request(request: ImageRequest, reference: ReferenceFacts | None) -> None:
    """Raise InputError for the first rule that `request` with its reference picture breaks."""
    check_request_fields(request)
    if request.has_image:
        if reference is None:
            _refuse("image", "error.reference_missing", "The reference picture is missing.")
        check_reference(reference)


def check_request_fields(request: ImageRequest) -> None:
    """Raise InputError for the first rule broken by the fields alone, without the picture."""
    model = find_image_model(request.model_name)
    if model is None:
        _refuse(
            "model_name",
            "error.image_model_unknown",
            "{model} is not a picture model of this endpoint; choose one of {offered}.",
            model=request.model_name,
            offered=_listed(model.name for model in IMAGE_MODELS),
        )
    _check_words(request)
    _check_model(request, model)
    _check_reference_fields(request, model)
    if request.callback_url is not None and not request.callback_url.startswith(
        ("https://", "http://")
    ):
        _refuse(
            "callback_url",
            "error.callback_url",
            "The callback address must begin with https:// or http://.",
        )


def check_reference(reference: ReferenceFacts) -> None:
    """Raise InputError when Kling would not take this reference picture."""
    if reference.format.upper() not in REFERENCE_FORMATS:
        _refuse(
            "image",
            "error.reference_format",
            "The reference picture is {format}; Kling takes PNG and JPEG only.",
            format=reference.format or "?",
        )
    if reference.size_bytes > REFERENCE_MOST_BYTES:
        _refuse(
            "image",
            "error.reference_too_large",
            "The reference picture has {size_mb} MB; at most {limit_mb} MB are accepted.",
            size_mb=f"{reference.size_bytes / 1024 / 1024:.1f}",
            limit_mb=REFERENCE_MOST_BYTES // (1024 * 1024),
        )
    sides = {"width": reference.width, "height": reference.height}
    if min(sides.values()) < REFERENCE_LEAST_SIDE:
        _refuse(
            "image",
            "error.reference_too_small",
            "The reference picture is {width} × {height} pixels; each side needs at least {least}.",
            **sides,
            least=REFERENCE_LEAST_SIDE,
        )
    if max(sides.values()) > REFERENCE_WIDEST * min(sides.values()):
        _refuse(
            "image",
            "error.reference_too_narrow",
            "The reference picture is {width} × {height} pixels; the longer side may be at most "
            "{widest} times the shorter.",
            **sides,
            widest=REFERENCE_WIDEST,
        )


def _check_words(request: ImageRequest) -> None:
    if not request.prompt.strip():
        _refuse("prompt", "error.prompt_empty", "Describe the picture: the prompt is empty.")
    if (count := count_characters(request.prompt)) > PROMPT_LIMIT:
        _refuse(
            "prompt",
            "error.prompt_too_long",
            "The prompt has {count} characters; shorten it to {limit}.",
            count=count,
            limit=PROMPT_LIMIT,
        )
    if (count := count_characters(request.negative_prompt)) > PROMPT_LIMIT:
        _refuse(
            "negative_prompt",
            "error.negative_prompt_too_long",
            "The negative prompt has {count} characters; shorten it to {limit}.",
            count=count,
            limit=PROMPT_LIMIT,
        )
    if request.negative_prompt and request.has_image:
        _refuse(
            "negative_prompt",
            "error.negative_prompt_with_image",
            "A negative prompt does not work together with a reference picture; remove one.",
        )


def _check_model(request: ImageRequest, model: ImageModel) -> None:
    has_image = request.has_image
    if not has_image and not model.text_to_image:
        _refuse(
            "model_name",
            "error.image_model_needs_image",
            "{model} works only from a reference picture; add one or choose another model.",
            model=model.name,
        )
    if isinstance(request.n, bool) or not COUNT_LEAST <= request.n <= COUNT_MOST:
        _refuse(
            "n",
            "error.image_count",
            "{n} pictures cannot be asked for at once; choose {least} to {most}.",
            n=request.n,
            least=COUNT_LEAST,
            most=COUNT_MOST,
        )
    ratios = model.ratios_for(has_image=has_image)
    if ratios and request.aspect_ratio not in ratios:
        _refuse(
            "aspect_ratio",
            "error.image_ratio",
            "{model} does not draw {ratio}; choose one of {offered}.",
            model=model.name,
            ratio=request.aspect_ratio,
            offered=_listed(ratios),
        )
    resolutions = model.resolutions_for(has_image=has_image)
    if request.resolution not in resolutions:
        _refuse(
            "resolution",
            "error.image_resolution",
            "{model} does not draw in {resolution} here; choose {offered}.",
            model=model.name,
            resolution=request.resolution,
            offered=_listed(resolutions),
        )


def _check_reference_fields(request: ImageRequest, model: ImageModel) -> None:
    reference = request.image_reference
    if reference is None:
        if request.has_image and model.needs_image_reference:
            _refuse(
                "image_reference",
                "error.image_reference_required",
                "{model} must be told what to take from the picture: the subject or the face.",
                model=model.name,
            )
    else:
        if reference not in ("subject", "face"):
            _refuse(
                "image_reference",
                "error.image_reference_unknown",
                "A reference picture is used for its subject or its face, nothing else.",
            )
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
            _refuse(
                "human_fidelity",
                "error.human_fidelity_needs_subject",
                "human_fidelity works only when the picture is used for its subject.",
            )
    if request.element_ids:
        _needs_support(model.takes_elements, model, "element_ids")
        if (count := len(request.element_ids) + request.has_image) > REFERENCES_MOST:
            _refuse(
                "element_ids",
                "error.too_many_references",
                "{count} elements and pictures are too many; at most {limit} together.",
                count=count,
                limit=REFERENCES_MOST,
            )


def _needs_image(request: ImageRequest, field: str) -> None:
    if not request.has_image:
        _refuse(
            field,
            "error.field_needs_image",
            "{field} has a meaning only with a reference picture; add one or leave it out.",
            field=field,
        )


def _needs_support(is_supported: bool, model: ImageModel, field: str) -> None:
    if not is_supported:
        _refuse(
            field,
            "error.field_not_offered",
            "{model} does not know {field}; leave it out or choose another model.",
            model=model.name,
            field=field,
        )


def _needs_share(value: float, field: str) -> None:
    if not 0 <= value <= 1:
        _refuse(
            field,
            "error.field_not_a_share",
            "{field} must lie between 0 and 1.",
            field=field,
        )


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)


def _refuse(name: str, text_id: str, sentence: str, /, **facts: object) -> NoReturn:
    raise InputError(name, sentence.format(**facts), text_id=text_id, facts=facts)
