"""Create bodies of pictures, one function for each kind; what says nothing is left out."""

import base64
from collections.abc import Iterable, Sequence
from typing import Any

from core.models.generations import ImageRequest, ReferenceImage
from core.models.kling_catalogue import find_image_model
from core.models.pictures.expand import ExpandRequest
from core.models.pictures.mentions import for_kling
from core.models.pictures.multi import MultiRequest
from core.models.pictures.omni import OmniRequest

Body = dict[str, Any]


def image_body(request: ImageRequest, references: Sequence[ReferenceImage]) -> Body:
    """Return the fields of `/v1/images/generations`."""
    body: Body = {
        "model_name": request.model_name,
        "prompt": request.prompt,
        "n": request.n,
    }
    model = find_image_model(request.model_name)
    if not (references and model is not None and model.restyles):
        # A restyled picture keeps its own size, and its endpoint offers no choice of one.
        body["aspect_ratio"] = request.aspect_ratio
        body["resolution"] = request.resolution
    if request.negative_prompt:
        body["negative_prompt"] = request.negative_prompt
    if references:
        body["image"] = bare_base64(references[0])
    for name in ("image_reference", "image_fidelity", "human_fidelity"):
        value = getattr(request, name)
        if value is not None:
            body[name] = value
    if request.element_ids:
        body["element_list"] = _elements(request.element_ids)
    return body | _common(watermark=request.watermark, callback_url=request.callback_url)


def omni_body(request: OmniRequest, references: Sequence[ReferenceImage]) -> Body:
    """Return the fields of `/v1/images/omni-image`; a series has an amount in place of `n`."""
    body: Body = {
        "model_name": request.model_name,
        "prompt": for_kling(request.prompt),
        "aspect_ratio": request.aspect_ratio,
        "resolution": request.resolution,
    }
    if request.is_series:
        body["result_type"] = "series"
        body["series_amount"] = "auto" if request.is_auto else request.n
    else:
        body["n"] = request.n
    if references:
        body["image_list"] = [{"image": bare_base64(one)} for one in references]
    if request.element_ids:
        body["element_list"] = _elements(request.element_ids)
    return body | _common(watermark=request.watermark, callback_url=request.callback_url)


def expand_body(request: ExpandRequest, references: Sequence[ReferenceImage]) -> Body:
    """Return the fields of `/v1/images/editing/expand`; all four sides are told."""
    body: Body = {"image": bare_base64(references[0]), "n": request.n}
    for side in ("up", "down", "left", "right"):
        body[f"{side}_expansion_ratio"] = getattr(request, side)
    if request.prompt:
        body["prompt"] = request.prompt
    return body | _common(watermark=request.watermark, callback_url=request.callback_url)


def multi_body(request: MultiRequest, references: Sequence[ReferenceImage]) -> Body:
    """Return the fields of `/v1/images/multi-image2image`."""
    encoded = [bare_base64(one) for one in references]
    subjects, rest = encoded[: request.subject_count], encoded[request.subject_count :]
    body: Body = {
        "model_name": request.model_name,
        "subject_image_list": [{"subject_image": one} for one in subjects],
        "n": request.n,
        "aspect_ratio": request.aspect_ratio,
    }
    if request.has_scene:
        body["scene_image"] = rest[0]
    if request.has_style:
        body["style_image"] = rest[-1]
    if request.prompt:
        body["prompt"] = request.prompt
    return body | _common(watermark=request.watermark, callback_url=request.callback_url)


def _common(*, watermark: bool, callback_url: str | None) -> Body:
    body: Body = {} if callback_url is None else {"callback_url": callback_url}
    return body | ({"watermark_info": {"enabled": True}} if watermark else {})


def _elements(element_ids: Iterable[int]) -> list[Body]:
    return [{"element_id": element_id} for element_id in element_ids]


def bare_base64(reference: ReferenceImage) -> str:
    """Return a picture as Kling takes it: a data: prefix is refused."""
    return base64.b64encode(reference.content).decode("ascii")
