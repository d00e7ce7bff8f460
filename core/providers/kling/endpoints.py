"""Kling's endpoints: where each kind is created, queried and listed, and in which words."""

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from core.models.generations import ImageRequest, ReferenceImage
from core.models.kling_catalogue import find_image_model
from core.models.speech import SpeechRequest


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One kind's place: `path` creates and lists, `path/{id}` queries (kling.md sections 3, 5)."""

    path: str
    body: Callable[[Any, Sequence[ReferenceImage]], dict[str, Any]]
    results: tuple[str, ...] = ("images",)  # lists of files in a finished task's `task_result`
    takes_own_id: bool = True


def bare_base64(reference: ReferenceImage) -> str:
    """Return a picture as Kling takes it: a data: prefix is refused."""
    return base64.b64encode(reference.content).decode("ascii")


def image_body(request: ImageRequest, references: Sequence[ReferenceImage]) -> dict[str, Any]:
    """Return the fields of `/v1/images/generations`; those that say nothing are left out."""
    body: dict[str, Any] = {
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
    for name in ("image_reference", "image_fidelity", "human_fidelity", "callback_url"):
        value = getattr(request, name)
        if value is not None:
            body[name] = value
    if request.element_ids:
        body["element_list"] = [{"element_id": element_id} for element_id in request.element_ids]
    if request.watermark:
        body["watermark_info"] = {"enabled": True}
    return body


def speech_body(request: SpeechRequest, _references: Sequence[ReferenceImage]) -> dict[str, Any]:
    """Return the fields of `/v1/audio/tts`."""
    return {
        "text": request.prompt,
        "voice_id": request.voice_id,
        "voice_language": request.voice_language,
        "voice_speed": round(request.voice_speed, 1),
    }


ENDPOINTS: dict[str, Endpoint] = {
    ImageRequest.kind: Endpoint("/v1/images/generations", image_body),
    SpeechRequest.kind: Endpoint("/v1/audio/tts", speech_body, ("audios",), takes_own_id=False),
}
