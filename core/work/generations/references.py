"""Reference pictures: the one way from a file, a paste or a body to what a provider is sent."""

import io
from concurrent.futures import Future
from typing import Literal

from PIL import Image

from core.archive.uploads.encoding import Limits
from core.archive.uploads.normalizing import normalize
from core.errors import InputError
from core.models.generations import ReferenceImage
from core.models.image_rules import (
    REFERENCE_LEAST_SIDE,
    REFERENCE_MOST_BYTES,
    REFERENCE_WIDEST,
    ReferenceFacts,
)

_LIMITS = Limits(REFERENCE_MOST_BYTES, REFERENCE_LEAST_SIDE, REFERENCE_WIDEST)

Fit = Literal["shrink", "crop", "enlarge"]
# What can be done about a picture that is refused, by the refusal.
_CURES: dict[str, Fit] = {
    "error.reference_too_large": "shrink",
    "error.reference_too_narrow": "crop",
    "error.reference_too_small": "enlarge",
}


def prepare_reference(content: bytes, *, fit: bool = False) -> ReferenceImage:
    """Return an uploaded picture as it is sent: upright, without metadata, PNG or JPEG.

    InputError when it cannot be read. `fit` also brings it within the provider's limits.
    """
    return normalize(content, _LIMITS, fit=fit).result()


def prepare_reference_soon(content: bytes) -> Future[ReferenceImage]:
    """Return what `prepare_reference` does, as a future: an event loop waits for it, not in it."""
    return normalize(content, _LIMITS)


def cure_of(error: InputError) -> Fit | None:
    """Return what would make a refused picture one that is taken."""
    if error.text_id == "error.upload_too_many_pixels" and error.facts["can_shrink"]:
        return "shrink"
    return _CURES.get(error.text_id)


def reference_facts(reference: ReferenceImage) -> ReferenceFacts:
    """Return what the rules ask about a prepared picture, from its header."""
    try:
        with Image.open(io.BytesIO(reference.content), formats=("PNG", "JPEG")) as image:
            kind, width, height = image.format or "", image.width, image.height
    except OSError as error:
        raise InputError("image", "error.reference_missing") from error
    return ReferenceFacts(len(reference.content), kind, width, height)
