"""What `/v1/images/editing/expand` takes (kling.md section 11)."""

from datetime import datetime

from core.models.pictures.expand import AREA_MOST, MODEL, SIDE_MOST, Sides
from core.practice.kling.creates import fields as read
from core.practice.kling.creates.picture_request import PictureRequest, priced
from core.practice.kling.refusal import bad_parameter

_NAMES = ("up", "down", "left", "right")


def expand_from_fields(fields: read.Fields, at: datetime) -> PictureRequest:
    """Return the request in a body, or raise the refusal Kling would send at that moment."""
    reference = read.picture(fields, "image")
    if reference is None:
        raise bad_parameter("image", "must not be empty")
    sides = Sides(*(_share(fields, f"{name}_expansion_ratio") for name in _NAMES))
    if sides.area > AREA_MOST:
        raise bad_parameter("expansion_ratio", f"the area must not exceed {AREA_MOST:g} times")
    prompt, n = read.text(fields, "prompt"), read.count(fields)
    read.check_words(prompt)
    units, list_price = priced(MODEL, {}, n, at)
    return PictureRequest(
        prompt=prompt,
        model_name=MODEL,
        n=n,
        aspect_ratio="1:1",
        resolution="",
        has_image=True,
        units=units,
        list_price=list_price,
        watermark=read.watermark(fields),
        external_task_id=read.external_task_id(fields),
        tint=reference.tint,
        own_size=None if reference.size is None else sides.size(*reference.size),
    )


def _share(fields: read.Fields, name: str) -> float:
    value = fields.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= SIDE_MOST:
        raise bad_parameter(name, f"must be a number from 0 to {SIDE_MOST:g}")
    return float(value)
