"""What `/v1/images/generations` takes, by the rules of Kling's image page."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from core.models.kling_catalogue import ALL_RATIOS, ImageModel, find_image_model
from core.models.pictures.omni import find_omni_model
from core.practice.kling.creates import fields as read
from core.practice.kling.creates.picture_request import PictureRequest, priced
from core.practice.kling.refusal import KlingRefusal, bad_parameter

DEFAULT_MODEL = "kling-v3"  # by the docs of autumn 2026


def image_from_fields(fields: Mapping[str, Any], at: datetime) -> PictureRequest:
    """Return the request in a body, or raise the refusal Kling would send at that moment."""
    # `model`, the older name, is ignored without a word (Kling's image page).
    model = _model(fields.get("model_name"))
    if model.is_stopped(at):
        # What Kling answers was not found (money.md section 2.1); its code table says 1203.
        raise KlingRefusal(1203, f"The model {model.name} is no longer available")
    prompt = read.prompt(fields)
    reference = read.picture(fields, "image")
    has_image = reference is not None
    if has_image and read.text(fields, "negative_prompt"):
        raise bad_parameter("negative_prompt", "is not supported together with image")
    read.text(fields, "negative_prompt")
    _check_reference_fields(fields, model, has_image=has_image)
    n = read.count(fields)
    if not has_image and not model.text_to_image:
        raise bad_parameter("image", f"is required by {model.name}")
    read.check_words(prompt)
    resolution = _resolution(fields.get("resolution"), model, has_image=has_image)
    facts: dict[str, object] = {"has_image": has_image, "resolution": resolution}
    units, list_price = priced(model.name, facts, n, at)
    return PictureRequest(
        prompt=prompt,
        model_name=model.name,
        n=n,
        aspect_ratio=_ratio(fields.get("aspect_ratio"), model, has_image=has_image),
        resolution=resolution,
        has_image=has_image,
        units=units,
        list_price=list_price,
        watermark=read.watermark(fields),
        external_task_id=read.external_task_id(fields),
        tint=reference.tint if reference else None,
        own_size=reference.size if reference and model.restyles else None,
    )


def _model(name: object) -> ImageModel:
    if isinstance(name, str) and find_omni_model(name) is not None:
        raise bad_parameter("model_name", f"{name} is served by /v1/images/omni-image")
    model = find_image_model(name) if isinstance(name, str) and name else None
    if model is None and name is None:
        model = find_image_model(DEFAULT_MODEL)
    if model is None:
        raise bad_parameter("model_name", f"value '{name}' is invalid")
    return model


def _ratio(ratio: object, model: ImageModel, *, has_image: bool) -> str:
    if ratio is None:
        return "16:9"
    if ratio not in ALL_RATIOS:
        raise bad_parameter("aspect_ratio", f"value '{ratio}' is invalid")
    offered = model.ratios_for(has_image=has_image)
    if offered and ratio not in offered:
        raise bad_parameter("aspect_ratio", f"value '{ratio}' is not supported by {model.name}")
    return str(ratio)


def _resolution(resolution: object, model: ImageModel, *, has_image: bool) -> str:
    if resolution is None:
        return "1k"
    if resolution not in ("1k", "2k"):
        raise bad_parameter("resolution", f"value '{resolution}' is invalid")
    if resolution not in model.resolutions_for(has_image=has_image):
        raise bad_parameter("resolution", f"value '{resolution}' is not supported by {model.name}")
    return str(resolution)


def _check_reference_fields(
    fields: Mapping[str, Any], model: ImageModel, *, has_image: bool
) -> None:
    kind = fields.get("image_reference")
    if kind not in (None, "", "subject", "face"):
        raise bad_parameter("image_reference", f"value '{kind}' is invalid")
    if kind and not has_image:
        raise bad_parameter("image", "is required when image_reference is set")
    if kind and not model.takes_image_reference:
        raise bad_parameter("image_reference", f"is not supported by {model.name}")
    if has_image and model.needs_image_reference and not kind:
        raise bad_parameter("image_reference", f"is required by {model.name} with image")
    offers = {
        "image_fidelity": model.takes_image_fidelity,
        "human_fidelity": model.takes_human_fidelity,
    }
    for name, offered in offers.items():
        value = fields.get(name)
        if value is None:
            continue
        if not offered:
            raise bad_parameter(name, f"is not supported by {model.name}")
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
            raise bad_parameter(name, "must be a number from 0 to 1")
    if read.elements(fields, pictures=int(has_image)) and not model.takes_elements:
        raise bad_parameter("element_list", f"is not supported by {model.name}")
