"""A body of `/v1/images/editing/expand`, to the studio's own request."""

from collections.abc import Mapping
from typing import Annotated, Any

from msgspec import Meta, Struct

from core.models.pictures.expand import ExpandRequest
from core.web.kling.creates.shared import (
    Count,
    ExternalId,
    KlingRequest,
    Picture,
    Watermark,
    described,
    is_signed,
    own_id,
    posted,
    posted_picture,
    refuse,
)

_Share = Annotated[float, Meta(gt=-1e9, lt=1e9), described(minimum=0, maximum=2)] | None


class ExpandBody(Struct):
    """Kling's own fields, as its page of expansion lists them; null leaves one out."""

    image: Picture = None
    up_expansion_ratio: _Share = None
    down_expansion_ratio: _Share = None
    left_expansion_ratio: _Share = None
    right_expansion_ratio: _Share = None
    prompt: Annotated[str, described(maxLength=2500)] | None = None
    n: Count | None = None
    watermark_info: bool | Watermark | None = None
    callback_url: str | None = None
    external_task_id: ExternalId | None = None


def expand_from_json(body: Mapping[str, Any]) -> KlingRequest:
    """Return the request in a create body; InputError names the field that is wrong."""
    picture = posted_picture(body.get("image"))
    fields = posted(body, ExpandBody)
    shares: dict[str, float] = {}
    for side in ("up", "down", "left", "right"):
        share = getattr(fields, f"{side}_expansion_ratio")
        if share is None:
            refuse(f"{side}_expansion_ratio", "number")
        shares[side] = float(share)
    request = ExpandRequest(
        prompt=fields.prompt or "",
        n=1 if fields.n is None else fields.n,
        has_image=picture is not None,
        watermark=is_signed(fields.watermark_info),
        callback_url=fields.callback_url or None,
        up=shares["up"],
        down=shares["down"],
        left=shares["left"],
        right=shares["right"],
    )
    pictures = () if picture is None else (picture,)
    return KlingRequest(request, pictures, own_id(fields.external_task_id))
