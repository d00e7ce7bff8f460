"""Sums of the ledger's lines by whatever they are told apart by, added up in the database."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

from sqlalchemy import Connection, Integer, case, func, literal_column, select

from core.models.money.amounts import from_units
from core.storage.db.schema import ledger_lines
from core.storage.money.filters import LedgerFilter

Column = Literal[
    "kind", "model", "owner", "caller", "origin", "hour", "price_id", "conversation_id", "quarter"
]
# Every zone's days begin at some quarter of an hour.
QUARTER = timedelta(minutes=15)
_QUARTER_US = QUARTER // timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Sums:
    """What lines come to that have `by` in common; what is unknown is counted, not added."""

    by: tuple[str | None, ...]
    currency: str
    amount: Decimal
    low: Decimal  # the lower end, where some are ranges
    lines: int
    unknown: int
    reserved: int
    estimated: int
    hit: int
    miss: int
    completion: int
    reasoning: int
    pieces: int


def sums(connection: Connection, wanted: LedgerFilter, by: Sequence[Column]) -> tuple[Sums, ...]:
    """Return the sums of lines, the dearest first."""
    lines: Any = ledger_lines.c
    groups = [_group(name) for name in by]

    def count(state: str) -> Any:
        return func.sum(case((lines.state == state, 1), else_=0))

    amount = func.sum(func.coalesce(lines.amount, 0))
    query = (
        select(
            *[group.label(f"by_{place}") for place, group in enumerate(groups)],
            lines.currency,
            # As whole numbers: PostgreSQL adds these up as numerics.
            amount.label("amount"),
            func.sum(func.coalesce(lines.low, lines.amount, 0)).label("low"),
            func.count().label("lines"),
            func.sum(case((lines.amount.is_(None), 1), else_=0)).label("unknown"),
            count("reserved").label("reserved"),
            count("estimated").label("estimated"),
            *[
                func.sum(func.coalesce(lines[name], 0)).label(name)
                for name in ("hit", "miss", "completion", "reasoning", "pieces")
            ],
        )
        .where(*wanted.conditions())
        .group_by(lines.currency, *groups)
        .order_by(amount.desc())
    )
    found: list[Sums] = []
    for row in connection.execute(query).mappings():
        values = tuple(row[f"by_{place}"] for place in range(len(groups)))
        shown = tuple(None if value is None else str(value) for value in values)
        counts = {
            name: int(row[name])
            for name in (
                "lines",
                "unknown",
                "reserved",
                "estimated",
                "hit",
                "miss",
                "completion",
                "reasoning",
                "pieces",
            )
        }
        amount_of, low = _amount(row["amount"]), _amount(row["low"])
        found.append(Sums(by=shown, currency=row["currency"], amount=amount_of, low=low, **counts))
    return tuple(found)


def quarter_start(number: str) -> datetime:
    """Return when a quarter of an hour begins, by the number that `sums` gives it."""
    return datetime(1970, 1, 1, tzinfo=UTC) + QUARTER * int(number)


def _group(name: Column) -> Any:
    if name == "quarter":
        return literal_column(f"(ledger_lines.at / {_QUARTER_US})", Integer)
    return ledger_lines.c[name]


def _amount(value: object) -> Decimal:
    return value if isinstance(value, Decimal) else from_units(int(str(value)))
