"""Totals of the ledger: what counts towards a budget, by period and spender.

A total's row is locked from the decision to the commit: however many calls in however many
processes decide at once, one after another does.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select, update
from sqlalchemy.dialects import sqlite

from core.models.money.ledger import LedgerLine, Period, scopes_of
from core.models.money.periods import period_key
from core.storage.db.schema import budget_totals

_PERIODS: tuple[Period, ...] = ("day", "month")
_NOTHING = Decimal(0)
# Built once, as the lines' (core/storage/money/book.py).
_LOCKED = (
    select(budget_totals)
    .where(
        budget_totals.c.key.in_(bindparam("keys", type_=budget_totals.c.key.type, expanding=True))
    )
    .order_by(budget_totals.c.key)
    .with_for_update()
)
_SET_TOTAL = (
    update(budget_totals)
    .where(budget_totals.c.key == bindparam("total_key"))
    .values(spent=bindparam("total"))
)


def total_key(scope: str, name: str, period: Period, at: datetime, currency: str, zone: str) -> str:
    """Return the key of a total: who, when, in which currency."""
    return f"{zone}|{period_key(period, at, zone)}|{currency}|{scope}|{name}"


def totals_of(line: LedgerLine, zone: str) -> tuple[str, ...]:
    """Return the keys of all totals that a line counts towards."""
    return tuple(
        total_key(scope, name, period, line.at, line.currency, zone)
        for scope, name in scopes_of(line)
        for period in _PERIODS
    )


def spent(connection: Connection, keys: Iterable[str]) -> dict[str, Decimal]:
    """Return totals by key; what is not there is not in it."""
    query = select(budget_totals).where(budget_totals.c.key.in_(sorted(keys)))
    return {row.key: row.spent for row in connection.execute(query)}


def locked_totals(connection: Connection, keys: Iterable[str]) -> dict[str, Decimal]:
    """Return totals, made where they are missing, and lock their rows until the commit.

    In one order, so that two processes cannot wait for each other.
    """
    named = {"keys": sorted(keys)}
    found = {row.key: row.spent for row in connection.execute(_LOCKED, named)}
    if missing := [key for key in named["keys"] if key not in found]:
        making = _insert_total(connection.dialect.name).on_conflict_do_nothing()
        connection.execute(making, [{"key": key, "spent": _NOTHING} for key in missing])
        found = {row.key: row.spent for row in connection.execute(_LOCKED, named)}
    return found


def set_totals(connection: Connection, totals: Mapping[str, Decimal]) -> None:
    """Put totals in the place of what `locked_totals` returned of them."""
    if totals:
        rows = [{"total_key": key, "total": totals[key]} for key in sorted(totals)]
        connection.execute(_SET_TOTAL, rows)


def add_to_totals(connection: Connection, deltas: Mapping[str, Decimal]) -> None:
    """Add to totals, which begin at nothing."""
    rows = [{"key": key, "spent": deltas[key]} for key in sorted(deltas) if deltas[key]]
    if rows:
        connection.execute(_add_total(connection.dialect.name), rows)


@cache
def _add_total(dialect: str) -> Any:
    adding = _insert_total(dialect)
    return adding.on_conflict_do_update(
        index_elements=["key"], set_={"spent": budget_totals.c.spent + adding.excluded.spent}
    )


def _insert_total(dialect: str) -> Any:
    """Return the insert of a database's own kind, which knows what to do where a row stands."""
    if dialect == "sqlite":
        return sqlite.insert(budget_totals)
    # Read in by the engine in any case, where there is one.
    from sqlalchemy.dialects import postgresql  # noqa: PLC0415

    return postgresql.insert(budget_totals)


def replace_totals(connection: Connection, totals: Mapping[str, Decimal]) -> None:
    """Put these in the place of all totals; the caller keeps others from counting meanwhile."""
    connection.execute(delete(budget_totals))
    if totals:
        rows = [{"key": key, "spent": totals[key]} for key in sorted(totals)]
        connection.execute(insert(budget_totals), rows)
