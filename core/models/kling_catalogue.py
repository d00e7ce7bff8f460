"""Kling's picture models as data: what each can do.

Rows follow kling.md section 3 (docs of Feb and autumn 2026). Where two vintages of the docs
disagree, the row allows what either of them allows: a refusal by Kling costs nothing, a rule of
ours that is too strict takes something away.
"""

from dataclasses import dataclass

from core.models.generations import AspectRatio, Resolution

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
    ),
    ImageModel("kling-v2", "Image 2.0", restyles=True),
    ImageModel(
        "kling-v1-5",
        "Image 1.5",
        resolutions=("1k",),
        takes_image_reference=True,
        needs_image_reference=True,
        takes_image_fidelity=True,
        takes_human_fidelity=True,
    ),
    ImageModel(
        "kling-v1",
        "Image 1.0",
        ratios=_NO_21_9,
        resolutions=("1k",),
        takes_image_fidelity=True,
    ),
)

_BY_NAME = {model.name: model for model in IMAGE_MODELS}


def find_image_model(name: str) -> ImageModel | None:
    """Return the model of that name, or None when this endpoint has none."""
    return _BY_NAME.get(name)
