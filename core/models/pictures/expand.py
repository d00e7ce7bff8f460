"""Expansion: a picture continued beyond its edges (`POST /v1/images/editing/expand`).

How far is told as shares of the picture's own sides (kling.md section 11).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from core.models.generations import GenerationRequest
from core.models.pictures.rules import check_callback, check_count, check_prompt, refuse

SIDE_MOST = 2.0
AREA_MOST = 3.0
_DIGITS = 4
MODEL = "expand"  # the path names no model; the price list calls it so


@dataclass(frozen=True, slots=True)
class Sides:
    """How much is added on each side, as shares of the picture's height or width."""

    up: float = 0.0
    down: float = 0.0
    left: float = 0.0
    right: float = 0.0

    @property
    def area(self) -> float:
        """How many times the picture's area the whole has."""
        return (1 + self.up + self.down) * (1 + self.left + self.right)

    def size(self, width: int, height: int) -> tuple[int, int]:
        """Return the sides of the whole."""
        across, down = 1 + self.left + self.right, 1 + self.up + self.down
        return round(width * across), round(height * down)


@dataclass(frozen=True, slots=True)
class ExpandRequest(GenerationRequest):
    """What Kling is asked to continue, minus the picture's bytes; words are not needed."""

    kind: ClassVar[str] = "expand"
    package: ClassVar[str] = "image"

    prompt: str = ""
    model_name: str = MODEL
    has_image: bool = True
    up: float = 0.0
    down: float = 0.0
    left: float = 0.0
    right: float = 0.0
    watermark: bool = False
    callback_url: str | None = None

    @property
    def sides(self) -> Sides:
        """How far it goes on each side."""
        return Sides(self.up, self.down, self.left, self.right)

    @property
    def slots(self) -> int:
        """How many slots it takes: Kling counts pictures."""
        return self.n

    @property
    def price_key(self) -> tuple[str, str]:
        """Under which kind and model the price list has it."""
        return "image", MODEL

    @property
    def price_facts(self) -> Mapping[str, object]:
        """Nothing decides its price but the number."""
        return {}


def check_expand(request: ExpandRequest) -> None:
    """Raise InputError for the first rule broken by the fields alone, without the picture."""
    if not request.has_image:
        refuse("image", "error.reference_missing")
    check_prompt(request.prompt, is_needed=False)
    check_count(request.n)
    for name in ("up", "down", "left", "right"):
        share = getattr(request, name)
        if not 0 <= share <= SIDE_MOST:
            refuse(f"{name}_expansion_ratio", "error.expand_side", most=f"{SIDE_MOST:g}")
    area = request.sides.area
    if area > AREA_MOST:
        refuse("area", "error.expand_area", area=f"{area:.2f}", most=f"{AREA_MOST:g}")
    if area <= 1:
        refuse("area", "error.expand_nothing")
    check_callback(request.callback_url)


def least_area(width: int, height: int, ratio: float) -> float:
    """Return how many times the picture's area a frame of that ratio has at least around it."""
    own = width / height
    return max(ratio / own, own / ratio)


def centred(width: int, height: int, ratio: float, area: float) -> Sides:
    """Return the sides of a frame of that ratio and that many times the area, all around.

    The area is taken to lie between `least_area` and AREA_MOST; rounding never goes beyond it.
    """
    new_height = math.sqrt(area * width * height / ratio)
    up = _share(new_height / height)
    left = _share(new_height * ratio / width)
    return Sides(up, up, left, left)


def _share(times: float) -> float:
    """Return what is added on each of two sides for a side that many times as long."""
    scale = 10.0**_DIGITS
    return max(0.0, math.floor((times - 1) / 2 * scale + 1e-6) / scale)
