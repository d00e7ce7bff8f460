"""A body of `/v1/images/multi-image2image`, to the studio's own request."""

from collections.abc import Mapping
from typing import Annotated, Any

from msgspec import Struct

from core.models.pictures.multi import MultiRequest
from core.web.kling.creates.shared import (
    Count,
    ExternalId,
    KlingRequest,
    Picture,
    Watermark,
    described,
    is_signed,
    listed_pictures,
    own_id,
    posted,
    posted_picture,
)


class MultiBody(Struct):
    """Kling's own fields, as its page of several images lists them; null leaves one out."""

    subject_image_list: Annotated[
        list[Any] | None, described(description="One to four {subject_image: bare base64}")
    ] = None
    scene_image: Picture = None
    style_image: Picture = None
    prompt: Annotated[str, described(maxLength=2500)] | None = None
    model_name: str | None = None
    n: Count | None = None
    aspect_ratio: str | None = None
    watermark_info: bool | Watermark | None = None
    callback_url: str | None = None
    external_task_id: ExternalId | None = None


def multi_from_json(body: Mapping[str, Any]) -> KlingRequest:
    """Return the request in a create body; InputError names the field that is wrong."""
    name = "subject_image_list"
    subjects = listed_pictures(body.get(name), name, "subject_image")
    scene = posted_picture(body.get("scene_image"), "scene_image")
    style = posted_picture(body.get("style_image"), "style_image")
    fields = posted(body, MultiBody)
    request = MultiRequest(
        prompt=fields.prompt or "",
        model_name=fields.model_name or MultiRequest().model_name,
        # Checked against the list where every request is checked.
        aspect_ratio=fields.aspect_ratio or "1:1",  # type: ignore[arg-type]
        n=1 if fields.n is None else fields.n,
        subject_count=len(subjects),
        has_scene=scene is not None,
        has_style=style is not None,
        watermark=is_signed(fields.watermark_info),
        callback_url=fields.callback_url or None,
    )
    pictures = (*subjects, *(one for one in (scene, style) if one is not None))
    return KlingRequest(request, pictures, own_id(fields.external_task_id))
