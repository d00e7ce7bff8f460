"""What `/v1/images/omni-image` takes (kling.md section 11)."""

import re
from datetime import datetime

from core.models.pictures.omni import (
    OMNI_RATIOS,
    SERIES_LEAST,
    SERIES_MOST,
    OmniModel,
    find_omni_model,
)
from core.practice.kling.creates import fields as read
from core.practice.kling.creates.picture_request import PictureRequest, priced
from core.practice.kling.refusal import bad_parameter

DEFAULT_MODEL = "kling-image-o1"
_USUAL_SERIES = 4
_MENTION = re.compile(r"<<<(image|element)_(\d+)>>>")


def omni_from_fields(fields: read.Fields, at: datetime) -> PictureRequest:
    """Return the request in a body, or raise the refusal Kling would send at that moment."""
    model = _model(fields.get("model_name", DEFAULT_MODEL))
    prompt = read.prompt(fields)
    references = read.pictures(fields, "image_list", "image")
    elements = read.elements(fields, pictures=len(references))
    _check_mentions(prompt, images=len(references), elements=len(elements))
    is_series = read.one_of(fields, "result_type", ("single", "series"), "single") == "series"
    if is_series and not model.takes_series:
        raise bad_parameter("result_type", f"series is not supported by {model.name}")
    n = _series(fields) if is_series else read.count(fields)
    ratio = read.one_of(fields, "aspect_ratio", OMNI_RATIOS, "auto")
    resolution = read.one_of(fields, "resolution", ("1k", "2k", "4k"), "1k")
    if resolution not in model.resolutions:
        raise bad_parameter("resolution", f"value '{resolution}' is not supported by {model.name}")
    read.check_words(prompt)
    units, list_price = priced(model.name, {"resolution": resolution}, n, at)
    first = references[0] if references else read.Reference()
    width, height = first.size or (1, 1)
    return PictureRequest(
        prompt=prompt,
        model_name=model.name,
        n=n,
        aspect_ratio=f"{width}:{height}" if ratio == "auto" else ratio,
        resolution=resolution,
        has_image=bool(references),
        units=units,
        list_price=list_price,
        watermark=read.watermark(fields),
        external_task_id=read.external_task_id(fields),
        tint=first.tint,
        is_series=is_series,
    )


def _model(name: object) -> OmniModel:
    model = find_omni_model(name) if isinstance(name, str) else None
    if model is None:
        raise bad_parameter("model_name", f"value '{name}' is invalid")
    return model


def _series(fields: read.Fields) -> int:
    amount = fields.get("series_amount", _USUAL_SERIES)
    if amount == "auto":
        return _USUAL_SERIES  # as many as it needs; here always the same
    return read.whole({"series_amount": amount}, "series_amount", SERIES_LEAST, SERIES_MOST)


def _check_mentions(prompt: str, *, images: int, elements: int) -> None:
    there = {"image": images, "element": elements}
    for word, number in _MENTION.findall(prompt):
        if not 1 <= int(number) <= there[word]:
            raise bad_parameter("prompt", f"<<<{word}_{number}>>> is not in the request")
