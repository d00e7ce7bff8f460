"""A body of `/v1/images/generations`, to the studio's own request."""

from collections.abc import Mapping
from typing import Annotated, Any

from msgspec import Meta, Struct

from core.models.generations import ImageRequest
from core.web.kling.creates.shared import (
    Count,
    Element,
    ExternalId,
    KlingRequest,
    Picture,
    Prompt,
    Watermark,
    described,
    is_signed,
    own_id,
    posted,
    posted_picture,
)

# What Kling takes where a field is missing (kling.md section 3).
DEFAULT_RATIO = "16:9"
DEFAULT_RESOLUTION = "1k"

_Fidelity = Annotated[float, Meta(gt=-1e9, lt=1e9), described(minimum=0, maximum=1)] | None


class PictureBody(Struct):
    """Kling's own fields, as its page of image generation lists them; null leaves one out."""

    # The fields are looked at in this order, `image` before all.
    prompt: Prompt | None = None
    model_name: str | None = None
    negative_prompt: Annotated[str, described(maxLength=2500)] | None = None
    aspect_ratio: str | None = None
    resolution: str | None = None
    n: Count | None = None
    image: Picture = None
    image_reference: Annotated[str, described(enum=["subject", "face"])] | None = None
    image_fidelity: _Fidelity = None
    human_fidelity: _Fidelity = None
    element_list: list[Element] | None = None
    watermark_info: bool | Watermark | None = None
    callback_url: str | None = None
    external_task_id: ExternalId | None = None
    # Ours: the message that it is drawn from, which then has it among its pictures.
    message_id: Annotated[str, described(maxLength=64)] | None = None


def image_from_json(body: Mapping[str, Any]) -> KlingRequest:
    """Return the request in a create body; InputError names the field that is wrong."""
    picture = posted_picture(body.get("image"))
    fields = posted(body, PictureBody)
    request = ImageRequest(
        prompt=fields.prompt or "",
        model_name=fields.model_name or ImageRequest(prompt="").model_name,
        negative_prompt=fields.negative_prompt or "",
        # These three are checked against the model's own lists where every request is checked.
        aspect_ratio=fields.aspect_ratio or DEFAULT_RATIO,  # type: ignore[arg-type]
        resolution=fields.resolution or DEFAULT_RESOLUTION,  # type: ignore[arg-type]
        n=1 if fields.n is None else fields.n,
        has_image=picture is not None,
        image_reference=fields.image_reference or None,  # type: ignore[arg-type]
        image_fidelity=fields.image_fidelity,
        human_fidelity=fields.human_fidelity,
        element_ids=tuple(one.element_id for one in fields.element_list or ()),
        watermark=is_signed(fields.watermark_info),
        callback_url=fields.callback_url or None,
    )
    pictures = () if picture is None else (picture,)
    message_id = fields.message_id or None
    return KlingRequest(request, pictures, own_id(fields.external_task_id), message_id)
