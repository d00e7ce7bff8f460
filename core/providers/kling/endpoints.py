"""Kling's endpoints: where each kind is created, queried and listed, and in which words."""

import base64
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from core.models.generations import ImageRequest, ReferenceImage
from core.models.kling_catalogue import find_image_model


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One kind's place: `path` creates and lists, `path/{id}` queries (kling.md sections 3, 5)."""

    path: str
    body: Callable[[Any, ReferenceImage | None], dict[str, Any]]
    results: str = "images"  # where a finished task's files stand in `task_result`


def image_body(request: ImageRequest, reference: ReferenceImage | None) -> dict[str, Any]:
    """Return the fields of `/v1/images/generations`; those that say nothing are left out."""
    body: dict[str, Any] = {
        "model_name": request.model_name,
        "prompt": request.prompt,
        "n": request.n,
    }
    model = find_image_model(request.model_name)
    if not (reference is not None and model is not None and model.restyles):
        # A restyled picture keeps its own size, and its endpoint offers no choice of one.
        body["aspect_ratio"] = request.aspect_ratio
        body["resolution"] = request.resolution
    if request.negative_prompt:
        body["negative_prompt"] = request.negative_prompt
    if reference is not None:
        # Bare base64: a data: prefix is refused.
        body["image"] = base64.b64encode(reference.content).decode("ascii")
    for name in ("image_reference", "image_fidelity", "human_fidelity", "callback_url"):
        value = getattr(request, name)
        if value is not None:
            body[name] = value
    if request.element_ids:
        body["element_list"] = [{"element_id": element_id} for element_id in request.element_ids]
    if request.watermark:
        body["watermark_info"] = {"enabled": True}
    return body


ENDPOINTS: dict[str, Endpoint] = {
    ImageRequest.kind: Endpoint("/v1/images/generations", image_body),
}
