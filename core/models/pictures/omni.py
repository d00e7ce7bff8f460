"""Omni pictures: drawn from words, several reference pictures and elements; single or a series.

`POST /v1/images/omni-image` (kling.md section 11).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

from core.models.generations import GenerationRequest
from core.models.kling_catalogue import ALL_RATIOS
from core.models.pictures.mentions import for_kling, mentioned
from core.models.pictures.rules import (
    COUNT_MOST,
    REFERENCES_MOST,
    check_callback,
    check_choice,
    check_count,
    check_prompt,
    is_plausible_model,
    listed,
    refuse,
)

OmniRatio = Literal["auto", "16:9", "9:16", "1:1", "4:3", "3:4", "3:2", "2:3", "21:9"]
OmniResolution = Literal["1k", "2k", "4k"]

OMNI_RATIOS: tuple[OmniRatio, ...] = ("auto", *ALL_RATIOS)
SERIES_LEAST = 2
SERIES_MOST = 9


@dataclass(frozen=True, slots=True)
class OmniModel:
    """One `model_name` of the endpoint."""

    name: str
    title: str
    resolutions: tuple[OmniResolution, ...] = ("1k", "2k")
    takes_series: bool = False


OMNI_MODELS: tuple[OmniModel, ...] = (
    OmniModel("kling-image-o1", "Image O1"),
    OmniModel("kling-v3-omni", "Image 3.0 Omni", ("1k", "2k", "4k"), takes_series=True),
)
_BY_NAME = {model.name: model for model in OMNI_MODELS}


@dataclass(frozen=True, slots=True)
class OmniRequest(GenerationRequest):
    """What Kling is asked to draw from several references, minus the pictures' bytes.

    A series of `n` hangs together; with `is_auto` Kling chooses how many it needs, at most `n`.
    """

    kind: ClassVar[str] = "omni"
    package: ClassVar[str] = "image"

    model_name: str = "kling-image-o1"
    aspect_ratio: OmniRatio = "auto"
    resolution: OmniResolution = "1k"
    image_count: int = 0
    element_ids: tuple[int, ...] = ()
    is_series: bool = False
    is_auto: bool = False
    watermark: bool = False
    callback_url: str | None = None
    is_typed: bool = False  # a person typed the model's name, which this version does not know

    @property
    def slots(self) -> int:
        """How many slots it takes: Kling counts pictures, those of a series too."""
        return self.n

    @property
    def reference_count(self) -> int:
        """How many reference pictures go with it."""
        return self.image_count

    @property
    def n_least(self) -> int:
        """How many it brings at least: a series that ends by itself has two or more."""
        return SERIES_LEAST if self.is_auto else self.n

    @property
    def price_key(self) -> tuple[str, str]:
        """Under which kind and model the price list has it: pictures go by their models."""
        return "image", self.model_name

    @property
    def price_facts(self) -> Mapping[str, object]:
        """What decides the price of a picture; references are free."""
        return {"resolution": self.resolution}


def find_omni_model(name: str) -> OmniModel | None:
    """Return the model of that name, or None when this endpoint has none."""
    return _BY_NAME.get(name)


def typed_model(name: str) -> OmniModel:
    """Return a model that this version does not know: it may do what any does, Kling decides."""
    return OmniModel(name, name, ("1k", "2k", "4k"), takes_series=True)


def check_omni(request: OmniRequest) -> None:
    """Raise InputError for the first rule broken by the fields alone, without the pictures."""
    model = find_omni_model(request.model_name)
    if model is None and request.is_typed and is_plausible_model(request.model_name):
        model = typed_model(request.model_name)
    if model is None:
        offered = listed(_BY_NAME)
        refuse("model_name", "error.image_model_unknown", model=request.model_name, offered=offered)
    check_prompt(for_kling(request.prompt))
    name = model.name
    check_choice("aspect_ratio", "error.image_ratio", name, request.aspect_ratio, OMNI_RATIOS)
    check_choice(
        "resolution", "error.image_resolution", name, request.resolution, model.resolutions
    )
    _check_series(request, model)
    _check_references(request)
    check_callback(request.callback_url)


def _check_series(request: OmniRequest, model: OmniModel) -> None:
    if not request.is_series:
        if request.is_auto:
            refuse("series_amount", "error.series_amount", least=SERIES_LEAST, most=SERIES_MOST)
        check_count(request.n)
        return
    if not model.takes_series:
        refuse("result_type", "error.field_not_offered", model=model.name, field="result_type")
    is_number = not isinstance(request.n, bool) and SERIES_LEAST <= request.n <= SERIES_MOST
    if not is_number or (request.is_auto and request.n != COUNT_MOST):
        refuse("series_amount", "error.series_amount", least=SERIES_LEAST, most=SERIES_MOST)


def _check_references(request: OmniRequest) -> None:
    count = request.image_count + len(request.element_ids)
    if count > REFERENCES_MOST:
        refuse("image_list", "error.too_many_references", count=count, limit=REFERENCES_MOST)
    there = {"image": request.image_count, "element": len(request.element_ids)}
    for word, number in sorted(mentioned(request.prompt)):
        if not 1 <= number <= there[word]:
            refuse("prompt", "error.mentioned_missing", name=f"@{word}{number}", count=there[word])
