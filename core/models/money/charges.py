"""Charges: what a provider says that it took for a task, in units of a package or in cash.

Both can be told of one task. Which of them is the money is said here and nowhere else.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

ChargeKind = Literal["units", "cash"]


@dataclass(frozen=True, slots=True)
class Charge:
    """One deduction: `amount` is units of a package, or money; None is what was not told."""

    kind: ChargeKind
    amount: Decimal
    currency: str | None = None
    list_price: Decimal | None = None  # before a discount
    package: str | None = None


@dataclass(frozen=True, slots=True)
class BillingRow:
    """A deduction in the provider's own books; None is what was not told, an id may be empty."""

    kind: ChargeKind
    task_id: str
    amount: Decimal | None
    at: datetime | None = None
    currency: str | None = None
    list_price: Decimal | None = None
    balance_before: Decimal | None = None
    balance_after: Decimal | None = None
    api_key_name: str = ""
    product_function: str = ""
    model_name: str = ""
    resolution: str = ""
    package: str = ""  # which kind of units
    cash_type: str = ""  # `balance`, `test_balance`


def charged(charges: Iterable[Charge]) -> tuple[Charge, ...]:
    """Return which charges are the money: the cash if there is any, else the units, added up.

    One for each currency or package. A figure of 0 beside one of the other kind says only that
    it was not paid that way; alone it says that nothing was taken. None told is an empty tuple.
    """
    told = tuple(charges)
    cash, units = (tuple(one for one in told if one.kind == kind) for kind in ("cash", "units"))
    has_cash, has_units = (any(one.amount for one in some) for some in (cash, units))
    return _added_up(cash if has_cash or (cash and not has_units) else units)


def _added_up(charges: tuple[Charge, ...]) -> tuple[Charge, ...]:
    sums: dict[tuple[str | None, str | None], Charge] = {}
    for one in charges:
        key = (one.currency, None if one.kind == "cash" else one.package)
        if (sofar := sums.get(key)) is None:
            sums[key] = one
            continue
        lists = (sofar.list_price, one.list_price)
        sums[key] = Charge(
            one.kind,
            sofar.amount + one.amount,
            one.currency,
            None if lists[0] is None or lists[1] is None else lists[0] + lists[1],
            sofar.package if sofar.package == one.package else None,
        )
    return tuple(sums.values())
