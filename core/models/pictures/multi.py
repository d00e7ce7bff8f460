"""Multi-image pictures: one to four subjects put together, in a scene and a style of their own.

`POST /v1/images/multi-image2image` (kling.md section 11).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from core.models.generations import AspectRatio, GenerationRequest
from core.models.kling_catalogue import ALL_RATIOS
from core.models.pictures.rules import (
    check_callback,
    check_choice,
    check_count,
    check_prompt,
    listed,
    refuse,
)

SUBJECTS_LEAST = 1
SUBJECTS_MOST = 4
MULTI_MODELS: Mapping[str, str] = {"kling-v2-1": "Image 2.1"}
# The path's own name: the same model costs otherwise at the other path.
_PRICED_AS = "multi-image2image"


@dataclass(frozen=True, slots=True)
class MultiRequest(GenerationRequest):
    """What Kling is asked to put together, minus the pictures' bytes.

    The pictures go in this order: the subjects, then the scene, then the style.
    """

    kind: ClassVar[str] = "multi"
    package: ClassVar[str] = "image"

    prompt: str = ""
    model_name: str = "kling-v2-1"
    aspect_ratio: AspectRatio = "1:1"
    subject_count: int = 0
    has_scene: bool = False
    has_style: bool = False
    watermark: bool = False
    callback_url: str | None = None

    @property
    def slots(self) -> int:
        """How many slots it takes: Kling counts pictures."""
        return self.n

    @property
    def reference_count(self) -> int:
        """How many pictures go with it."""
        return self.subject_count + self.has_scene + self.has_style

    @property
    def price_key(self) -> tuple[str, str]:
        """Under which kind and model the price list has it."""
        return "image", _PRICED_AS

    @property
    def price_facts(self) -> Mapping[str, object]:
        """Nothing decides its price but the number."""
        return {}


def check_multi(request: MultiRequest) -> None:
    """Raise InputError for the first rule broken by the fields alone, without the pictures."""
    name = request.model_name
    if name not in MULTI_MODELS:
        offered = listed(MULTI_MODELS)
        refuse("model_name", "error.image_model_unknown", model=name, offered=offered)
    check_prompt(request.prompt, is_needed=False)
    if not SUBJECTS_LEAST <= request.subject_count <= SUBJECTS_MOST:
        refuse(
            "subject_image_list",
            "error.subject_count",
            count=request.subject_count,
            least=SUBJECTS_LEAST,
            most=SUBJECTS_MOST,
        )
    check_count(request.n)
    check_choice("aspect_ratio", "error.image_ratio", name, request.aspect_ratio, ALL_RATIOS)
    check_callback(request.callback_url)
