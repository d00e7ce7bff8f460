"""A checked request for pictures, of whatever kind."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from core.models.money.amounts import CNY
from core.models.money.prices import PRICES
from core.practice.painting.brush import Rgb


@dataclass(frozen=True, slots=True)
class PictureRequest:
    """What a task is made of, once Kling would take it."""

    prompt: str
    model_name: str
    n: int
    aspect_ratio: str
    resolution: str
    has_image: bool
    units: int | None  # None where the table of prices does not tell
    list_price: Decimal | None  # CNY
    watermark: bool
    external_task_id: str | None
    tint: Rgb | None = None  # of the pictures that came with it
    own_size: tuple[int, int] | None = None  # where a picture decides it
    is_series: bool = False


def priced(
    model: str, facts: dict[str, object], n: int, at: datetime
) -> tuple[int | None, Decimal | None]:
    """Return units and list price in CNY of so many pictures; None where the table is silent."""
    price = PRICES.pieces("image", model, facts, at)
    if price is None:
        return None, None
    units = int(price.units * n) if price.units else None
    return units, price.amount(CNY, pieces=n)
