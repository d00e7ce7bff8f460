"""Elements: subjects that Kling keeps, made from pictures, and named in omni pictures by their ids.

`/v1/general/advanced-custom-elements` (kling.md section 11).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from core.models.pictures.rules import refuse

NAME_MOST = 20
DESCRIPTION_MOST = 100
PICTURES_LEAST = 2  # one from the front, one from elsewhere
PICTURES_MOST = 4

State = Literal["making", "ready", "failed", "deleted"]


@dataclass(frozen=True, slots=True)
class Element:
    """One element of the account; `id` is a text: it is larger than numbers of a browser."""

    id: str
    name: str
    description: str = ""
    state: State = "ready"
    reason: str = ""  # why it failed, in Kling's words


def check_element(name: str, description: str, pictures: Sequence[object]) -> None:
    """Raise InputError where Kling would not make an element of these."""
    if not 1 <= len(name.strip()) <= NAME_MOST:
        refuse("element_name", "error.element_name", limit=NAME_MOST)
    if not 1 <= len(description.strip()) <= DESCRIPTION_MOST:
        refuse("element_description", "error.element_description", limit=DESCRIPTION_MOST)
    if not PICTURES_LEAST <= len(pictures) <= PICTURES_MOST:
        refuse(
            "element_image_list",
            "error.element_pictures",
            count=len(pictures),
            least=PICTURES_LEAST,
            most=PICTURES_MOST,
        )
