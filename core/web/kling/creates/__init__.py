"""Kling's create bodies as other front ends post them: for each path its kind, one file each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from msgspec import Struct

from core.web.kling.creates.expand import ExpandBody, expand_from_json
from core.web.kling.creates.image import PictureBody, image_from_json
from core.web.kling.creates.multi import MultiBody, multi_from_json
from core.web.kling.creates.omni import OmniBody, omni_from_json
from core.web.kling.creates.shared import KlingRequest
from core.web.kling.creates.speech import SpeechBody, speech_from_json


@dataclass(frozen=True, slots=True)
class Create:
    """What may be posted to a path: its fields, what it asks for, and what it cannot do without."""

    body: type[Struct]
    read: Callable[[Mapping[str, Any]], KlingRequest]
    title: str  # in /openapi.json
    required: tuple[str, ...] = ("prompt",)
    is_looked_up: bool = True  # its path also lists (GET) and queries (GET path/{task_id})


SPEECH_PATH = "/v1/audio/tts"
# By the path behind the prefix.
CREATES: dict[str, Create] = {
    "/v1/images/generations": Create(
        PictureBody, image_from_json, "Buy pictures: once, archived, in the gallery"
    ),
    "/v1/images/omni-image": Create(
        OmniBody, omni_from_json, "Buy pictures from several references, or a series of them"
    ),
    "/v1/images/editing/expand": Create(
        ExpandBody,
        expand_from_json,
        "Continue a picture beyond its edges",
        ("image", *(f"{side}_expansion_ratio" for side in ("up", "down", "left", "right"))),
    ),
    "/v1/images/multi-image2image": Create(
        MultiBody, multi_from_json, "Put one to four subjects together", ("subject_image_list",)
    ),
    SPEECH_PATH: Create(
        SpeechBody,
        speech_from_json,
        "Have a text said: once, archived, answered with its file",
        ("text", "voice_id"),
        is_looked_up=False,
    ),
}
LOOKED_UP = frozenset(path for path, create in CREATES.items() if create.is_looked_up)
