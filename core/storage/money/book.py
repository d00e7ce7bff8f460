"""Reserve and settle, inside the transaction that writes the row they belong to.

What each line counts towards is locked meanwhile (`totals`).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from core.models.money.amounts import PRACTICE_CURRENCY, exact
from core.models.money.ledger import (
    Budget,
    BudgetError,
    BudgetPlan,
    BudgetState,
    LedgerLine,
    LineState,
    Reservation,
    Scope,
    Settlement,
)
from core.models.money.periods import period_end, zone_of
from core.storage.db.schema import ledger_lines
from core.storage.money.rows import line_from, row_of, settled_values
from core.storage.money.totals import (
    add_to_totals,
    locked_totals,
    replace_totals,
    set_totals,
    total_key,
    totals_of,
)

# An answer that is cut to what is left is at least so long; a shorter one helps nobody.
LEAST_OUTPUT = 1_000
_NOTHING = Decimal(0)
_USED_UP: dict[Scope, str] = {
    "studio": "error.budget_studio",
    "user": "error.budget_user",
    "token": "error.budget_token",
}
_TOO_LITTLE: dict[Scope, str] = {
    "studio": "error.budget_studio_rest",
    "user": "error.budget_user_rest",
    "token": "error.budget_token_rest",
}

# What a line turns out to cost; None takes it back.
Settle = Callable[[LedgerLine], Settlement | None]


def reserve(
    connection: Connection, reservations: Sequence[Reservation], plan: BudgetPlan
) -> list[BudgetError | None]:
    """Write lines down as reserved, each only if every budget it counts against has room for it.

    Decided in their order; where the number of output tokens may be cut, it is, and noted. Returns
    for each why it was refused, or None.
    """
    keys = {key for one in reservations for key in totals_of(one.line, plan.zone)}
    totals = locked_totals(connection, keys)
    before = dict(totals)
    refusals: list[BudgetError | None] = []
    for one in reservations:
        refusal = _decide(one, plan, totals)
        refusals.append(refusal)
        if refusal is None:
            for key in totals_of(one.line, plan.zone):
                totals[key] += one.bound
    written = [one.line for one, refusal in zip(reservations, refusals, strict=True) if not refusal]
    if written:
        connection.execute(_NEW_LINES, [row_of(line) for line in written])
    set_totals(connection, {key: total for key, total in totals.items() if total != before[key]})
    return refusals


def settle(
    connection: Connection, settling: Mapping[str, Settle], plan: BudgetPlan, *, now: datetime
) -> int:
    """Settle reserved lines by their ids, each once and only once; return how many there were."""
    ids = sorted(settling)
    if not ids:
        return 0
    lines = [line_from(row) for row in connection.execute(_RESERVED, {"ids": ids}).mappings()]
    changes: list[tuple[LedgerLine, Settlement]] = []
    taken_back: list[str] = []
    deltas: dict[str, Decimal] = {}
    for line in lines:
        settled = settling[line.id](line)
        if settled is None:
            taken_back.append(line.id)
        else:
            changes.append((line, settled))
        _count(deltas, line, settled, plan.zone)
    if changes:
        connection.execute(
            _SETTLE,
            [
                settled_values(line, settled) | {"line_id": line.id, "settled_at": now}
                for line, settled in changes
            ],
        )
    if taken_back:
        connection.execute(delete(ledger_lines).where(ledger_lines.c.id.in_(taken_back)))
    add_to_totals(connection, deltas)
    return len(lines)


def correct(
    connection: Connection,
    line: LedgerLine,
    settled: Settlement,
    plan: BudgetPlan,
    *,
    now: datetime,
) -> None:
    """Put a better figure in a settled line's place, and in the totals it counts towards."""
    deltas: dict[str, Decimal] = {}
    _count(deltas, line, settled, plan.zone)
    values = settled_values(line, settled) | {"line_id": line.id, "settled_at": now}
    connection.execute(_SETTLE, [values])
    add_to_totals(connection, deltas)


def rebuild_totals(connection: Connection, plan: BudgetPlan, lines: Iterable[LedgerLine]) -> None:
    """Make all totals anew from lines; the caller keeps others from counting meanwhile."""
    counted: dict[str, Decimal] = {}
    for line in lines:
        for key in totals_of(line, plan.zone):
            counted[key] = counted.get(key, _NOTHING) + _counted(line)
    replace_totals(connection, counted)


def _counted(line: LedgerLine) -> Decimal:
    """Return what a line counts: its amount, or what was held back while that is not known."""
    if line.amount is not None:
        return line.amount
    return (line.bound or _NOTHING) if line.state is LineState.RESERVED else _NOTHING


def _count(
    deltas: dict[str, Decimal], line: LedgerLine, settled: Settlement | None, zone: str
) -> None:
    for key in totals_of(line, zone):
        deltas[key] = deltas.get(key, _NOTHING) - _counted(line)
    if settled is None or settled.amount is None:
        return
    after = replace(line, currency=settled.currency or line.currency)
    for key in totals_of(after, zone):
        deltas[key] = deltas.get(key, _NOTHING) + settled.amount


def _decide(
    one: Reservation, plan: BudgetPlan, totals: Mapping[str, Decimal]
) -> BudgetError | None:
    """Grant, cut or refuse one reservation by the totals as they stand."""
    line = one.line
    if plan.is_broken and line.currency != PRACTICE_CURRENCY:
        return BudgetError("error.budget_unreadable", None)
    if not one.is_known and line.currency == PRACTICE_CURRENCY:
        return None
    if not one.is_known:
        # What an unknown price comes to, no limit can hold.
        is_limited = plan.limits_any(line)
        return BudgetError("error.budget_price", None, model=line.model) if is_limited else None
    if one.bound and line.currency != PRACTICE_CURRENCY and (others := plan.lacking(line)):
        facts = {"others": ", ".join(others), "currency": line.currency, "model": line.model}
        return BudgetError("error.budget_currency", None, **facts)
    states = [state_of(budget, line.at, totals, plan.zone) for budget in plan.of(line)]
    tight = min(states, key=lambda state: state.left, default=None)
    if tight is None or one.bound <= tight.left:
        return None
    if tight.left <= 0:
        return BudgetError(_USED_UP[tight.budget.scope], tight)
    if one.per_token:
        fixed = one.bound - one.per_token * one.output_tokens
        granted = int((tight.left - fixed) / one.per_token)
        if granted >= LEAST_OUTPUT:
            # Its transaction may be tried again: it is then decided from here on.
            one.granted_tokens = one.output_tokens = granted
            bound = exact(fixed + one.per_token * granted)
            one.line = replace(line, amount=bound, bound=bound)
            return None
    return BudgetError(_TOO_LITTLE[tight.budget.scope], tight)


def state_of(budget: Budget, at: datetime, totals: Mapping[str, Decimal], zone: str) -> BudgetState:
    """Return where a budget stands by the totals of its period."""
    key = total_key(budget.scope, budget.name, budget.period, at, budget.currency, zone)
    until = period_end(budget.period, at, zone).astimezone(zone_of(zone))
    return BudgetState(budget, totals.get(key, _NOTHING), until)


# Built once: every call that is paid for runs them, and to build one takes longer than to run it.
_NEW_LINES = insert(ledger_lines)
_RESERVED = (
    select(ledger_lines)
    .where(
        ledger_lines.c.id.in_(bindparam("ids", type_=ledger_lines.c.id.type, expanding=True)),
        ledger_lines.c.state == LineState.RESERVED.value,
    )
    .order_by(ledger_lines.c.id)
    .with_for_update()
)
_SETTLE = (
    update(ledger_lines)
    .where(ledger_lines.c.id == bindparam("line_id"))
    .values(
        {
            name: bindparam(name)
            for name in (
                "state",
                "amount",
                "low",
                "mark",
                "currency",
                "hour",
                "pieces",
                "task_id",
                "until",
                "units",
                "hit",
                "miss",
                "completion",
                "reasoning",
                "settled_at",
            )
        }
    )
)
