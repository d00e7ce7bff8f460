"""Kling's billing: what a task says that it cost, and the rows of the account's two books.

Packages are counted in units, the balance in cash; each has a book of its own, a row for each task
(money.md section 2.7). A figure that cannot be read is not told, and never 0.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from core.models.money.charges import BillingRow, Charge, ChargeKind
from core.providers.kling.fields import (
    currency,
    decimal,
    identifier,
    mapping,
    short_word,
    utc_from_ms,
    word,
)

Book = Literal["package", "balance"]
BILLING_PATHS: Mapping[Book, str] = {
    "package": "/account/billing/package",  # without /v1
    "balance": "/account/billing/balance",
}
ROWS_MOST = 500
_KINDS: Mapping[Book, ChargeKind] = {"package": "units", "balance": "cash"}
_CHARGE_TYPES: Mapping[str, ChargeKind] = {"unit": "units", "units": "units", "cash": "cash"}


@dataclass(frozen=True, slots=True)
class BillingPage:
    """One page of a book; without a cursor it is the last one."""

    rows: tuple[BillingRow, ...] = ()
    next_cursor: str | None = None


def charges_from_json(task: Mapping[str, Any]) -> tuple[Charge, ...]:
    """Return what a task says that it cost: by `billing[]`, or else by the older fields."""
    told = _billing(task.get("billing"))
    kinds = {charge.kind for charge in told}
    units = decimal(task.get("final_unit_deduction"))
    if units is not None and "units" not in kinds:
        told = (*told, Charge("units", units))
    balance = mapping(task.get("final_balance_deduction"))
    quota = decimal(balance.get("quota"))
    if quota is not None and "cash" not in kinds:
        code = currency(balance.get("currency"))
        told = (*told, Charge("cash", quota, code, decimal(balance.get("list_price"))))
    return told


def _billing(entries: Any) -> tuple[Charge, ...]:
    """Return the charges, or none at all where one cannot be read: the rest is not the sum."""
    charges: list[Charge] = []
    for entry in entries if isinstance(entries, list) else ():
        fields = mapping(entry)
        kind = _CHARGE_TYPES.get(word(fields.get("charge_type")).strip().lower())
        amount = decimal(fields.get("amount"))
        if kind is None or amount is None:
            return ()
        charges.append(
            Charge(
                kind,
                amount,
                currency(fields.get("currency")) if kind == "cash" else None,
                decimal(fields.get("list_price")),
                short_word(fields.get("package_type")) or None,
            )
        )
    return tuple(charges)


def billing_request(
    start: datetime, end: datetime, cursor: str | None, limit: int
) -> dict[str, object]:
    """Return the body that asks for a page; a cursor holds the span it was begun with."""
    body: dict[str, object] = {"limit": min(max(limit, 1), ROWS_MOST)}
    if cursor is not None:
        return body | {"cursor": cursor}
    return {"start_time": _milliseconds(start), "end_time": _milliseconds(end)} | body


def billing_from_json(book: Book, data: Any) -> BillingPage | None:
    """Return a page of a book, or None when `data` holds no rows or lacks where it goes on."""
    result = mapping(mapping(data).get("result"))
    detail = result.get("detail")
    if not isinstance(detail, list):
        return None
    rows = tuple(_row(book, mapping(entry)) for entry in detail)
    cursor = word(result.get("next_cursor"))
    has_more = str(result.get("has_more", "")).lower()
    if has_more in ("true", "1") and not cursor:
        return None  # a book cut short would lack what was spent
    return BillingPage(rows, cursor if cursor and has_more not in ("false", "0") else None)


def _row(book: Book, fields: Mapping[str, Any]) -> BillingRow:
    return BillingRow(
        kind=_KINDS[book],
        task_id=identifier(fields.get("task_id")) or "",
        amount=decimal(fields.get("deduction_amount"), may_be_negative=True),
        at=utc_from_ms(fields.get("deduction_time")),
        currency=currency(fields.get("currency")) if book == "balance" else None,
        list_price=decimal(fields.get("list_price")),
        balance_before=decimal(fields.get("balance_before_deduction"), may_be_negative=True),
        balance_after=decimal(fields.get("balance_after_deduction"), may_be_negative=True),
        api_key_name=short_word(fields.get("api_key_name")),
        product_function=short_word(fields.get("product_function")),
        model_name=short_word(fields.get("model_name")),
        resolution=short_word(fields.get("resolution")),
        package=short_word(fields.get("package_type")),
        cash_type=short_word(fields.get("cash_type")),
    )


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
