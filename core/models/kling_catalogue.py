"""Kling's picture models as data: what each can do.

Rows follow kling.md section 3 (docs of Feb and autumn 2026). Where two vintages of the docs
disagree, the row allows what either of them allows: a refusal by Kling costs nothing, a rule of
ours that is too strict takes something away. Models that Kling stopped keep their rows: what was
made with them has a name, and HTTP callers hear the refusal from Kling itself.
"""

from dataclasses import dataclass
from datetime import date, datetime

from core.models.generations import AspectRatio, Resolution
from core.models.money.hours import BEIJING

ALL_RATIOS: tuple[AspectRatio, ...] = (
    "1:1",
    "16:9",
    "9:16",
    "4:3",
    "3:4",
    "3:2",
    "2:3",
    "21:9",
)
_STOPPED_ON = date(2026, 9, 15)
_NO_21_9 = tuple(ratio for ratio in ALL_RATIOS if ratio != "21:9")


@dataclass(frozen=True, slots=True)
class ImageModel:
    """One `model_name`."""

    name: str
    title: str
    text_to_image: bool = True  # draws from words alone
    ratios: tuple[AspectRatio, ...] = ALL_RATIOS
    resolutions: tuple[Resolution, ...] = ("1k", "2k")
    # With a picture, v2 and v2-new restyle it: the result has the picture's own size.
    restyles: bool = False
    takes_image_reference: bool = False
    needs_image_reference: bool = False
    takes_image_fidelity: bool = False
    takes_human_fidelity: bool = False
    takes_elements: bool = False
    stopped_on: date | None = None  # the last day, by Beijing's clock (money.md section 2.1)
    successor: str = ""  # what the form takes in its place

    def is_stopped(self, at: datetime) -> bool:
        """Tell whether Kling has stopped serving it by that moment."""
        return self.stopped_on is not None and at.astimezone(BEIJING).date() > self.stopped_on

    def ratios_for(self, *, has_image: bool) -> tuple[AspectRatio, ...]:
        """Return the ratios to choose from; none means that the picture decides."""
        return () if has_image and self.restyles else self.ratios

    def resolutions_for(self, *, has_image: bool) -> tuple[Resolution, ...]:
        """Return the resolutions to choose from."""
        return ("1k",) if has_image and self.restyles else self.resolutions


IMAGE_MODELS: tuple[ImageModel, ...] = (
    ImageModel("kling-v3", "Image 3.0", takes_elements=True),
    ImageModel(
        "kling-v2-1",
        "Image 2.1",
        takes_image_reference=True,
        takes_image_fidelity=True,
        takes_human_fidelity=True,
    ),
    ImageModel(
        "kling-v2-new",
        "Image 2.0 New",
        text_to_image=False,
        resolutions=("1k",),
        restyles=True,
        stopped_on=_STOPPED_ON,
        successor="kling-v2-1",
    ),
    ImageModel(
        "kling-v2",
        "Image 2.0",
        restyles=True,
        stopped_on=_STOPPED_ON,
        successor="kling-v2-1",
    ),
    ImageModel(
        "kling-v1-5",
        "Image 1.5",
        resolutions=("1k",),
        takes_image_reference=True,
        needs_image_reference=True,
        takes_image_fidelity=True,
        takes_human_fidelity=True,
        stopped_on=_STOPPED_ON,
        successor="kling-v2-1",
    ),
    ImageModel(
        "kling-v1",
        "Image 1.0",
        ratios=_NO_21_9,
        resolutions=("1k",),
        takes_image_fidelity=True,
    ),
)

# What can be chosen; the first is the default.
OFFERED_MODELS = tuple(model for model in IMAGE_MODELS if model.stopped_on is None)
_BY_NAME = {model.name: model for model in IMAGE_MODELS}


def find_image_model(name: str) -> ImageModel | None:
    """Return the model of that name, or None when this endpoint has none."""
    return _BY_NAME.get(name)


def typed_model(name: str) -> ImageModel:
    """Return a model that this version does not know: Kling decides what it can do."""
    return ImageModel(name, name)


def offered_model(name: str) -> ImageModel:
    """Return what the form offers for a model's name: itself, its successor, or the default."""
    model = find_image_model(name)
    if model is not None and model.stopped_on is not None:
        model = find_image_model(model.successor)
    return model or OFFERED_MODELS[0]
