"""What is told of pictures of messages: proposals, milder wordings, and what was drawn."""

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from core.models.generations import AspectRatio
from core.models.lineage import Whereabouts

# As text, so that the offset from UTC is written out.
_Moment = Annotated[str, Meta(extra_json_schema={"format": "date-time"})]


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
    created_at: _Moment
    prompt: str | None
    status: str | None
    task_id: str | None
    pictures: int
    error: str | UnsetType = UNSET


class DrawnPictures(Struct):
    """All that was drawn from a message, the oldest first."""

    message_id: str
    pictures: list[DrawnPicture]
