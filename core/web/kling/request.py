"""Kling's create body as other front ends post it, to the studio's own request."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, NoReturn

from msgspec import Meta, Struct

from core.archive.uploads.decoding import FORMATS
from core.errors import InputError
from core.models.generations import GenerationRequest, ImageRequest
from core.web.posted_fields import FieldError, validated

# What Kling takes where a field is missing (kling.md section 3).
DEFAULT_RATIO = "16:9"
DEFAULT_RESOLUTION = "1k"
EXTERNAL_ID_MOST = 200

_IMAGE = f"Bare base64 of a picture ({', '.join(FORMATS)}); sent on upright, without metadata."


def _described(**schema: object) -> Meta:
    """Return what `/openapi.json` adds: looked at elsewhere, with the model's own lists."""
    return Meta(extra_json_schema=schema)


_Fidelity = Annotated[float, Meta(gt=-1e9, lt=1e9), _described(minimum=0, maximum=1)] | None


class Element(Struct):
    """One of the account's elements."""

    element_id: int


class Watermark(Struct):
    """Whether Kling is to sign the picture."""

    enabled: bool = False


class PictureBody(Struct):
    """Kling's own fields, as its page of image generation lists them; null leaves one out."""

    # The fields are looked at in this order, `image` before all.
    prompt: Annotated[str, _described(minLength=1, maxLength=2500)] | None = None
    model_name: str | None = None
    negative_prompt: Annotated[str, _described(maxLength=2500)] | None = None
    aspect_ratio: str | None = None
    resolution: str | None = None
    n: Annotated[int, _described(minimum=1, maximum=9)] | None = None
    image: Annotated[Any, _described(type=["string", "null"], description=_IMAGE)] = None
    image_reference: Annotated[str, _described(enum=["subject", "face"])] | None = None
    image_fidelity: _Fidelity = None
    human_fidelity: _Fidelity = None
    element_list: list[Element] | None = None
    watermark_info: bool | Watermark | None = None
    callback_url: str | None = None
    external_task_id: Annotated[str, _described(maxLength=EXTERNAL_ID_MOST)] | None = None


@dataclass(frozen=True, slots=True)
class KlingRequest:
    """A request for pictures in Kling's words."""

    request: GenerationRequest
    pictures: tuple[bytes, ...]  # the references, as posted
    external_task_id: str | None


def kling_request_from_json(body: Mapping[str, Any]) -> KlingRequest:
    """Return the request in a create body; InputError names the field that is wrong."""
    picture = posted_picture(body.get("image"))
    posted = _posted(body)
    watermark = posted.watermark_info
    request = ImageRequest(
        prompt=posted.prompt or "",
        model_name=posted.model_name or ImageRequest(prompt="").model_name,
        negative_prompt=posted.negative_prompt or "",
        # These three are checked against the model's own lists where every request is checked.
        aspect_ratio=posted.aspect_ratio or DEFAULT_RATIO,  # type: ignore[arg-type]
        resolution=posted.resolution or DEFAULT_RESOLUTION,  # type: ignore[arg-type]
        n=1 if posted.n is None else posted.n,
        has_image=picture is not None,
        image_reference=posted.image_reference or None,  # type: ignore[arg-type]
        image_fidelity=posted.image_fidelity,
        human_fidelity=posted.human_fidelity,
        element_ids=tuple(one.element_id for one in posted.element_list or ()),
        watermark=watermark.enabled if isinstance(watermark, Watermark) else bool(watermark),
        callback_url=posted.callback_url or None,
    )
    external_task_id = posted.external_task_id or ""
    if len(external_task_id) > EXTERNAL_ID_MOST or not external_task_id.isprintable():
        raise InputError(
            "external_task_id",
            "error.external_task_id_malformed",
            facts={"limit": EXTERNAL_ID_MOST},
        )
    return KlingRequest(request, () if picture is None else (picture,), external_task_id or None)


def _posted(body: Mapping[str, Any]) -> PictureBody:
    # What is empty leaves a watermark out, as null does.
    fields = {**body, "watermark_info": body.get("watermark_info") or None}
    try:
        return validated(fields, PictureBody)
    except FieldError as error:
        name = error.field
        if name == "n":
            _refuse(name, "whole_number")
        if name in ("image_fidelity", "human_fidelity"):
            _refuse(name, "number")
        if name == "element_list":
            _refuse(name, "elements" if error.path else "list")
        if name == "watermark_info":
            _refuse(name, "watermark")
        _refuse(name, "string")


def posted_picture(image: object) -> bytes | None:
    """Return the bytes of a picture in a body, whatever they are; InputError if it is no base64."""
    if image is None or image == "":
        return None
    if not isinstance(image, str):
        _refuse("image", "string")
    if image.startswith(("http://", "https://")):
        _refuse("image", "base64_here")
    if image.startswith("data:"):
        _refuse("image", "base64_bare")
    try:
        return base64.b64decode(image, validate=True)
    except (binascii.Error, ValueError):
        _refuse("image", "base64")


def _refuse(name: str, expected: str) -> NoReturn:
    raise InputError(name, "error.kling_field", facts={"field": name, "expected": expected})
