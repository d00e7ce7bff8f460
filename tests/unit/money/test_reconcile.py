"""The ledger against the providers' books: what agrees, what differs and why, what is adopted."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from core.models.money.charges import BillingRow
from core.models.money.ledger import LedgerLine, LineState, Spender
from core.storage.money.filters import LedgerFilter
from core.storage.store import Store
from core.work.money.reconcile import Reconciliation, adopt, balance_drop, reconcile
from tests.unit.money.test_ledger import NOW, line

OWNER = Spender("local", "page", "recovered")


def task(number: int, amount: str | None, **more: object) -> LedgerLine:
    told: dict[str, object] = {
        "kind": "image",
        "provider": "kling",
        "task_id": f"T{number}",
        "state": LineState.COMPUTED,
    }
    return line(number, amount, **told | more)


def units(number: int, amount: str | None, **more: object) -> BillingRow:
    told = None if amount is None else Decimal(amount)
    row = BillingRow("units", f"T{number}", told, at=NOW, package="image", model_name="kling-v3")
    return replace(row, **more)  # type: ignore[arg-type]


def cash(number: int, amount: str, currency: str = "CNY") -> BillingRow:
    return BillingRow("cash", f"T{number}", Decimal(amount), at=NOW, currency=currency)


def compare(store: Store, *rows: BillingRow) -> Reconciliation:
    start = NOW - timedelta(days=30)
    return reconcile(store.ledger, rows, provider="kling", start=start, now=NOW)


def told(found: Reconciliation) -> list[tuple[str, str, Decimal | None, Decimal | None]]:
    return [(one.task_id, one.reason, one.ours, one.theirs) for one in found.differences]


def test_what_agrees_is_counted_and_cash_makes_it_the_providers(store: Store) -> None:
    store.ledger.add(task(1, "0.2"))
    store.ledger.add(task(2, "0.15"))
    found = compare(store, units(1, "8"), cash(2, "0.15"))
    assert (found.agreed, found.differences) == (2, ())
    states = {one.id: one.state for one in store.ledger.every(LedgerFilter())}
    assert states == {"line-1": LineState.COMPUTED, "line-2": LineState.PROVIDER}


@pytest.mark.parametrize(
    ("row", "amount", "currency"),
    [
        (units(1, "16"), "0.4", "CNY"),
        (units(1, "0"), "0", "CNY"),
        (cash(1, "0.17"), "0.17", "CNY"),
        (cash(1, "0.028", "USD"), "0.028", "USD"),
    ],
)
def test_a_better_figure_is_taken_and_told(
    store: Store, row: BillingRow, amount: str, currency: str
) -> None:
    store.ledger.add(task(1, "0.2"))
    found = compare(store, row)
    assert told(found) == [("T1", "corrected", Decimal("0.2"), Decimal(amount))]
    (kept,) = store.ledger.every(LedgerFilter())
    assert (kept.amount, kept.currency) == (Decimal(amount), currency)
    assert compare(store, row).differences == ()


def test_an_unknown_amount_is_known_after_it(store: Store) -> None:
    store.ledger.add(task(1, None, state=LineState.UNKNOWN))
    compare(store, units(1, "12"))
    (kept,) = store.ledger.every(LedgerFilter())
    assert (kept.amount, kept.units) == (Decimal("0.3"), Decimal(12))


def test_what_only_one_book_has_is_named_with_its_likely_reason(store: Store) -> None:
    store.ledger.add(task(1, "0.2", at=NOW - timedelta(hours=1)))
    store.ledger.add(task(2, "0.2", at=NOW - timedelta(days=3)))
    store.ledger.add(task(3, "0", at=NOW - timedelta(days=3)))  # failed: nothing was taken
    store.ledger.add(task(4, "0.2", provider="practice"))
    found = compare(store, units(9, "8"), units(8, "0"), units(7, None))
    assert told(found) == [
        ("T1", "delay", Decimal("0.2"), None),
        ("T2", "missing", Decimal("0.2"), None),
        ("T9", "foreign", None, Decimal("0.2")),
    ]


def test_what_runs_is_left_alone(store: Store) -> None:
    store.ledger.add(task(1, "0.2", state=LineState.RESERVED))
    assert compare(store, units(1, "8")).differences == ()
    (kept,) = store.ledger.every(LedgerFilter())
    assert kept.state is LineState.RESERVED


def test_a_task_that_only_kling_knows_is_adopted_once(store: Store) -> None:
    (foreign,) = compare(store, units(9, "8")).differences
    assert adopt(store.ledger, foreign, OWNER, "kling", NOW)
    assert not adopt(store.ledger, foreign, OWNER, "kling", NOW)
    (kept,) = store.ledger.every(LedgerFilter())
    assert (kept.amount, kept.units, kept.origin) == (Decimal("0.2"), Decimal(8), "recovered")
    assert compare(store, units(9, "8")).differences == ()


def test_of_cash_and_units_of_one_task_what_took_something_counts(store: Store) -> None:
    store.ledger.add(task(1, "0.2"))
    assert compare(store, units(1, "0"), cash(1, "0.2")).agreed == 1


def test_a_balance_is_compared_with_the_ledger_since_the_last_look(store: Store) -> None:
    since = NOW - timedelta(hours=2)
    store.ledger.add(line(1, "0.5", at=NOW - timedelta(hours=1), state=LineState.COMPUTED))
    store.ledger.add(line(2, "0.5", at=NOW - timedelta(hours=3), state=LineState.COMPUTED))
    store.ledger.add(line(3, "9", currency="USD", state=LineState.COMPUTED))
    note = {"at": since.isoformat(), "total": "100.00", "currency": "CNY"}
    drop = balance_drop(store.ledger, note, Decimal("99.25"), "CNY", "deepseek")
    assert drop is not None
    assert (drop.fell, drop.ledger, drop.since) == (Decimal("0.75"), Decimal("0.5"), since)
    assert balance_drop(store.ledger, note, Decimal(1), "USD", "deepseek") is None
    assert balance_drop(store.ledger, {"at": 5}, Decimal(1), "CNY", "deepseek") is None
