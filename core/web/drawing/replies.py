"""What is told of pictures of messages: proposals, milder wordings, and what was drawn."""

from datetime import datetime

from msgspec import UNSET, Struct, UnsetType

from core.models.generations import AspectRatio
from core.models.lineage import Whereabouts


class Price(Struct):
    """What something costs; `amount` is a decimal."""

    amount: str
    currency: str


class Proposal(Struct):
    """What to draw, as the create path takes it, and its price where that is known."""

    message_id: str
    model_name: str
    prompt: str
    negative_prompt: str
    aspect_ratio: AspectRatio
    n: int
    price: Price | None


class Wordings(Struct):
    """Milder wordings of a prompt."""

    wordings: list[str]


class DrawnPicture(Struct):
    """What was drawn from a message; of what is gone only what was asked for."""

    generation_id: str
    whereabouts: Whereabouts
    created_at: datetime
    prompt: str | None
    status: str | None
    task_id: str | None
    pictures: int
    error: str | UnsetType = UNSET


class DrawnPictures(Struct):
    """All that was drawn from a message, the oldest first."""

    message_id: str
    pictures: list[DrawnPicture]
