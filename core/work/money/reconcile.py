"""Reconciliation: the ledger against the books that Kling and DeepSeek keep of the account.

Both are asked for free. A better figure takes a computed one's place; what differs is told with its
likely reason; a task that Kling bills and nobody here knows can be taken into the ledger.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal

from core.models.money.amounts import CNY, PRACTICE_CURRENCY, exact
from core.models.money.charges import BillingRow
from core.models.money.ledger import LedgerLine, LineKind, LineState, Settlement, Spender
from core.models.money.prices import unit_costs
from core.storage.money.filters import LedgerFilter
from core.storage.money.ledger import Ledger

# Rows of the books were seen to come late; how late is not known (money.md §2.7).
DELAY = timedelta(hours=24)
Reason = Literal["foreign", "delay", "missing", "corrected"]


@dataclass(frozen=True, slots=True)
class Difference:
    """Where the two books do not agree, and the likely reason."""

    task_id: str
    reason: Reason
    ours: Decimal | None
    theirs: Decimal | None
    currency: str
    row: BillingRow | None = None


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """What a comparison came to."""

    at: datetime
    agreed: int
    differences: tuple[Difference, ...]

    def of(self, reason: Reason) -> tuple[Difference, ...]:
        """Return the differences of one kind."""
        return tuple(one for one in self.differences if one.reason == reason)


@dataclass(frozen=True, slots=True)
class BalanceDrop:
    """By how much a balance fell between two looks at it, and what the ledger says of that time."""

    since: datetime
    currency: str
    fell: Decimal
    ledger: Decimal


def reconcile(
    ledger: Ledger, rows: Iterable[BillingRow], *, provider: str, start: datetime, now: datetime
) -> Reconciliation:
    """Compare tasks one by one; better figures go into the ledger. Blocking."""
    of_task = _by_task(rows)
    wanted = LedgerFilter(start=start, kinds=["image", "speech", "forwarded"])
    agreed, found = 0, list[Difference]()
    known: set[str] = set()
    for line in ledger.every(wanted):
        if line.provider != provider or line.task_id is None:
            continue
        if line.state is LineState.RESERVED:
            known.add(line.task_id)
            continue
        known.add(line.task_id)
        row = of_task.get(line.task_id)
        if row is None:
            if line.amount:
                reason: Reason = "delay" if now - line.at < DELAY else "missing"
                found.append(Difference(line.task_id, reason, line.amount, None, line.currency))
            continue
        figure = _figure(row, line.currency)
        if figure is None or figure == (line.amount, line.currency):
            agreed += 1
            if row.kind == "cash" and line.state is not LineState.PROVIDER:
                ledger.correct(line.id, _settlement(line.amount, line.currency, row))
            continue
        amount, currency = figure
        ledger.correct(line.id, _settlement(amount, currency, row))
        found.append(Difference(line.task_id, "corrected", line.amount, amount, currency, row))
    for task_id, row in of_task.items():
        if task_id not in known and row.amount:
            usual = PRACTICE_CURRENCY if provider == "practice" else CNY
            billed = _figure(row, usual)
            theirs = None if billed is None else billed[0]
            currency = usual if billed is None else billed[1]
            found.append(Difference(task_id, "foreign", None, theirs, currency, row))
    return Reconciliation(now, agreed, tuple(found))


def adopt(ledger: Ledger, one: Difference, spender: Spender, provider: str, now: datetime) -> bool:
    """Take a task that only the provider knows into the ledger; False where it is there already."""
    row = one.row
    if row is None:
        return False
    return ledger.add(
        LedgerLine(
            id=f"{provider}-{one.task_id}",
            at=row.at or now,
            kind="forwarded",
            state=LineState.UNKNOWN if one.theirs is None else LineState.PROVIDER,
            provider=provider,
            model=row.model_name or row.product_function,
            owner=spender.owner,
            caller=spender.caller,
            origin="recovered",
            currency=one.currency,
            amount=one.theirs,
            units=row.amount if row.kind == "units" else None,
            task_id=one.task_id,
            settled_at=now,
        )
    )


def balance_drop(
    ledger: Ledger, before: Mapping[str, object], total: Decimal, currency: str, provider: str
) -> BalanceDrop | None:
    """Compare a balance with the one noted before; None where there is nothing to compare."""
    try:
        since = datetime.fromisoformat(str(before["at"]))
        earlier = Decimal(str(before["total"]))
        if before["currency"] != currency:
            return None
    except (KeyError, ValueError, ArithmeticError):
        return None
    words: list[LineKind] = ["chat", "title", "prompt"]
    lines = ledger.every(LedgerFilter(start=since, currency=currency, kinds=words))
    own = [line.amount or Decimal(0) for line in lines if line.provider == provider]
    spent = sum(own, Decimal(0))
    return BalanceDrop(since, currency, earlier - total, spent)


def _by_task(rows: Iterable[BillingRow]) -> dict[str, BillingRow]:
    """Return a row for each task: of cash and units of one task the one that took something."""
    found: dict[str, BillingRow] = {}
    for row in rows:
        if row.task_id and (row.task_id not in found or not found[row.task_id].amount):
            found[row.task_id] = row
    return found


def _figure(row: BillingRow, currency: str) -> tuple[Decimal, str] | None:
    """Return what a row comes to in money; None where it does not tell."""
    if row.amount is None:
        return None
    if row.kind == "cash":
        is_practice = currency == PRACTICE_CURRENCY
        return exact(row.amount), currency if is_practice else row.currency or currency
    listed = "CNY" if currency == PRACTICE_CURRENCY else currency
    unit = unit_costs(row.package or "image").get(listed)
    return None if unit is None else (exact(unit * row.amount), currency)


def _settlement(amount: Decimal | None, currency: str, row: BillingRow) -> Settlement:
    is_cash = row.kind == "cash"
    return Settlement(
        LineState.PROVIDER if is_cash else LineState.COMPUTED,
        amount,
        currency=currency,
        units=None if is_cash else row.amount,
    )
