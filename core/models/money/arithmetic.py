"""The arithmetic of a ledger line: counts times rates, as a bill has it."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from core.models.money.ledger import LedgerLine
from core.models.money.prices import PriceList

TermName = Literal["hit", "miss", "completion", "pieces"]
_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Term:
    """One row of the bill: so many, at this rate (for tokens per million), make that amount."""

    name: TermName
    count: int
    rate: Decimal
    amount: Decimal


def terms_of(line: LedgerLine, prices: PriceList) -> tuple[Term, ...]:
    """Return how an amount came about; nothing where the price or the counts are not known.

    Of pictures the rate is what one of them came to.
    """
    if line.pieces and line.amount is not None and line.kind != "chat":
        each = line.amount / line.pieces
        return (Term("pieces", line.pieces, each, line.amount),)
    price = prices.chat_by_id(line.price_id)
    if price is None or line.hour is None:
        return ()
    rates = price.rates(line.hour)
    counted: tuple[tuple[TermName, int | None, Decimal], ...] = (
        ("hit", line.hit, rates.input_hit),
        ("miss", line.miss, rates.input_miss),
        ("completion", line.completion, rates.output),
    )
    return tuple(
        Term(name, count, rate, rate * count / _MILLION)
        for name, count, rate in counted
        if count is not None
    )
