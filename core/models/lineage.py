"""Lineage: what ties a generation to the message of a conversation that it was drawn from."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from core.models.generations import Generation, ImageRequest

# Where a linked generation is: in the gallery, taken out of it, or in another studio.
Whereabouts = Literal["here", "deleted", "elsewhere"]


@dataclass(frozen=True, slots=True)
class PictureLink:
    """One tie; either end may be gone. Without a request what was asked for is gone with it."""

    generation_id: str
    message_id: str
    created_at: datetime
    request: ImageRequest | None = None


@dataclass(frozen=True, slots=True)
class DrawnFrom:
    """A generation that was drawn from a message, as far as it is still there."""

    link: PictureLink
    whereabouts: Whereabouts
    generation: Generation | None = None


@dataclass(frozen=True, slots=True)
class Origin:
    """The message that a generation was drawn from; no conversation: it was deleted."""

    message_id: str
    conversation_id: str | None = None
    title: str = ""
