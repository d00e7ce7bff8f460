"""Lines of the ledger as rows and values."""

from collections.abc import Mapping
from dataclasses import fields
from decimal import Decimal
from typing import Any

from core.models.money.ledger import LedgerLine, LineState, Mark, Settlement

_NAMES = tuple(field.name for field in fields(LedgerLine))


def line_from(row: Mapping[Any, Any]) -> LedgerLine:
    """Return the value of a line's row."""
    values = {name: row[name] for name in _NAMES}
    units = values["units"]
    return LedgerLine(
        **values
        | {
            "state": LineState(values["state"]),
            "mark": Mark(values["mark"]),
            "units": None if units is None else Decimal(units),
        }
    )


def row_of(line: LedgerLine) -> dict[str, Any]:
    """Return a line as its columns."""
    values = {name: getattr(line, name) for name in _NAMES}
    units = line.units
    return values | {
        "state": line.state.value,
        "mark": line.mark.value,
        "units": None if units is None else f"{units:f}",
    }


def settled_values(line: LedgerLine, settled: Settlement) -> dict[str, Any]:
    """Return the columns that a settlement changes; what it does not tell stays."""
    values: dict[str, Any] = {
        "state": settled.state.value,
        "amount": settled.amount,
        "low": settled.low,
        "mark": settled.mark.value,
        "currency": settled.currency or line.currency,
        "hour": settled.hour or line.hour,
        "pieces": line.pieces if settled.pieces is None else settled.pieces,
        "task_id": settled.task_id or line.task_id,
        "until": None,
    }
    units = line.units if settled.units is None else settled.units
    values["units"] = None if units is None else f"{units:f}"
    tokens = settled.tokens
    values |= {
        "hit": tokens.hit if tokens else line.hit,
        "miss": tokens.miss if tokens else line.miss,
        "completion": tokens.completion if tokens else line.completion,
        "reasoning": tokens.reasoning if tokens else line.reasoning,
    }
    return values
