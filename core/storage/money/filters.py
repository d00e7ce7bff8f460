"""Which lines of the ledger are asked for."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement

from core.models.money.ledger import LineKind, LineState
from core.storage.db.schema import ledger_lines


@dataclass(frozen=True, slots=True)
class LedgerFilter:
    """What to show; None leaves a condition out. `start` is included, `end` is not."""

    owner: str | None = None
    caller: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    kinds: Collection[LineKind] | None = None
    model: str | None = None
    origin: str | None = None
    currency: str | None = None
    state: LineState | None = None
    conversation_id: str | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """Return the filter as conditions of a query."""
        columns: Any = ledger_lines.c
        same = ("owner", "caller", "model", "origin", "currency", "conversation_id")
        found = [columns[name] == value for name in same if (value := getattr(self, name))]
        if self.start is not None:
            found.append(columns.at >= self.start)
        if self.end is not None:
            found.append(columns.at < self.end)
        if self.kinds is not None:
            found.append(columns.kind.in_(sorted(self.kinds)))
        if self.state is not None:
            found.append(columns.state == self.state.value)
        return found
