"""Kling's endpoints: where each kind is created, queried and listed, and in which words."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from core.models.generations import ImageRequest, ReferenceImage
from core.models.pictures.expand import ExpandRequest
from core.models.pictures.multi import MultiRequest
from core.models.pictures.omni import OmniRequest
from core.providers.kling.picture_bodies import expand_body, image_body, multi_body, omni_body


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One kind's place: `path` creates and lists, `path/{id}` queries (kling.md sections 3, 5)."""

    path: str
    body: Callable[[Any, Sequence[ReferenceImage]], dict[str, Any]]
    results: tuple[str, ...] = ("images",)  # lists of files in a finished task's `task_result`


ENDPOINTS: dict[str, Endpoint] = {
    ImageRequest.kind: Endpoint("/v1/images/generations", image_body),
    ExpandRequest.kind: Endpoint("/v1/images/editing/expand", expand_body),
    MultiRequest.kind: Endpoint("/v1/images/multi-image2image", multi_body),
    OmniRequest.kind: Endpoint("/v1/images/omni-image", omni_body, ("images", "series_images")),
}
