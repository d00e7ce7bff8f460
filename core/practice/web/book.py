"""What practice charged for searches and pages; only those that brought something are charged."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from core.models.money.amounts import CNY, plain
from core.models.money.prices import PRICES, WEB
from core.practice.chat.book import ChatBook
from core.practice.clock import PracticeClock

_KEPT = 100_000


@dataclass(frozen=True, slots=True)
class WebCharge:
    """A line of the book."""

    look: str  # search, or fetch
    query: str
    cost: Decimal
    at: datetime

    def as_json(self) -> dict[str, object]:
        """Return the line with JSON's own types."""
        return {
            "look": self.look,
            "query": self.query,
            "cost": plain(self.cost),
            "currency": CNY,
            "at": self.at.isoformat(),
        }


class WebBook:
    """All charges of one practice server; written on its loop only, read from any thread."""

    def __init__(self, clock: PracticeClock, purse: ChatBook) -> None:
        self._clock = clock
        self._purse = purse
        self._lines: list[WebCharge] = []

    def charge(self, look: str, query: str) -> None:
        """Write down what a look costs that brought something, and take it from the purse."""
        at = self._clock.moment()
        price = PRICES.pieces(WEB, look, {}, at)
        cost = price.amount(CNY) if price is not None else None
        line = WebCharge(look, query, cost or Decimal(0), at)
        self._lines = [*self._lines[-_KEPT:], line]
        self._purse.charge_other(line.cost)

    def lines(self) -> tuple[WebCharge, ...]:
        """Return the book, oldest first."""
        return tuple(self._lines)
