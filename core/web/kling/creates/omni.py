"""A body of `/v1/images/omni-image`, to the studio's own request."""

from collections.abc import Mapping
from typing import Annotated, Any

from msgspec import Struct

from core.models.pictures.omni import SERIES_MOST, OmniRequest
from core.web.kling.creates.shared import (
    Count,
    Element,
    ExternalId,
    KlingRequest,
    Prompt,
    Watermark,
    described,
    is_signed,
    listed_pictures,
    own_id,
    posted,
    refuse,
)

USUAL_SERIES = 4  # Kling's own, where no amount is told
_AUTO = "auto"


class OmniBody(Struct):
    """Kling's own fields, as its page of the omni model lists them; null leaves one out."""

    prompt: Prompt | None = None
    model_name: str | None = None
    image_list: Annotated[
        list[Any] | None,
        described(description="Up to ten {image: bare base64}; named in the prompt <<<image_1>>>"),
    ] = None
    element_list: list[Element] | None = None
    resolution: Annotated[str, described(enum=["1k", "2k", "4k"])] | None = None
    result_type: Annotated[str, described(enum=["single", "series"])] | None = None
    n: Count | None = None
    series_amount: (
        Annotated[int | str, described(description="2 to 9, or auto; of a series")] | None
    ) = None
    aspect_ratio: str | None = None
    watermark_info: bool | Watermark | None = None
    callback_url: str | None = None
    external_task_id: ExternalId | None = None


def omni_from_json(body: Mapping[str, Any]) -> KlingRequest:
    """Return the request in a create body; InputError names the field that is wrong."""
    pictures = listed_pictures(body.get("image_list"), "image_list", "image")
    fields = posted(body, OmniBody)
    if fields.result_type not in (None, "", "single", "series"):
        refuse("result_type", "result_type")
    is_series = fields.result_type == "series"
    amount = USUAL_SERIES if fields.series_amount is None else fields.series_amount
    if isinstance(amount, str) and amount != _AUTO:
        refuse("series_amount", "series_amount")
    is_auto = is_series and amount == _AUTO
    n = 1 if fields.n is None else fields.n  # ignored for a series
    if is_series:
        n = SERIES_MOST if isinstance(amount, str) else amount
    request = OmniRequest(
        prompt=fields.prompt or "",
        model_name=fields.model_name or OmniRequest(prompt="").model_name,
        # Both are checked against the model's own lists where every request is checked.
        aspect_ratio=fields.aspect_ratio or "auto",  # type: ignore[arg-type]
        resolution=fields.resolution or "1k",  # type: ignore[arg-type]
        n=n,
        image_count=len(pictures),
        element_ids=tuple(one.element_id for one in fields.element_list or ()),
        is_series=is_series,
        is_auto=is_auto,
        watermark=is_signed(fields.watermark_info),
        callback_url=fields.callback_url or None,
    )
    return KlingRequest(request, pictures, own_id(fields.external_task_id))
