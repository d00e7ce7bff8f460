"""Reads single fields of Kling's JSON, leniently: None where a value is nonsense or missing.

Numbers and digits in quotes are both taken; ids are never parsed.
"""

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from core.providers.http.redaction import OTHER, clean_detail, opaque_id

_NAME_MOST = 200
_NUMBER_MOST = 10**40
_MONEY_MOST = Decimal(10) ** 12
_AMOUNT = re.compile(r"-?[0-9]{1,20}(?:\.[0-9]{1,20})?(?:[eE][+-]?[0-9]{1,2})?")
_CURRENCY = re.compile(r"[A-Z]{3}")


def code_from_json(value: Any) -> int | None:
    """Return a service code, given as number or digits; None when it is neither."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and value.strip().isdecimal() and len(value) < 10:
        return int(value)
    return value if isinstance(value, int) else None


def utc_from_ms(value: Any) -> datetime | None:
    """Return a moment given in Unix milliseconds, as number or digits; None when it is neither."""
    milliseconds = number(value)
    if not milliseconds:
        return None
    try:
        return datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def mapping(value: Any) -> dict[str, Any]:
    """Return an object, an empty one in place of anything else."""
    return value if isinstance(value, dict) else {}


def identifier(value: Any) -> str | None:
    """Return an opaque id; digits without quotes are still only a name."""
    if isinstance(value, int) and not isinstance(value, bool):
        return opaque_id(str(value)) if abs(value) < _NUMBER_MOST else None
    return opaque_id(value)


def word(value: Any) -> str:
    """Return a text, an empty one in place of anything else."""
    return value if isinstance(value, str) else ""


def short_word(value: Any) -> str:
    """Return a text that is meant to be a plain word or a name, washed and cut short."""
    return clean_detail(value, limit=_NAME_MOST)


def amount_text(value: Any) -> str | None:
    """Return an amount as it was written; another word in place of what is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str) or value == "":
        return None
    if isinstance(value, int):
        return str(value) if abs(value) < _NUMBER_MOST else OTHER
    return str(value) if _AMOUNT.fullmatch(str(value)) else OTHER


def number(value: Any) -> float | None:
    """Return a number, given as one or as text."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None


def decimal(value: Any, *, may_be_negative: bool = False) -> Decimal | None:
    """Return an exact amount, given as number or text, of a size that money or units can have."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if isinstance(value, int) and abs(value) >= _NUMBER_MOST:
        return None
    text = str(value).strip()
    if not _AMOUNT.fullmatch(text):
        return None
    amount = Decimal(text)
    if abs(amount) >= _MONEY_MOST or (amount < 0 and not may_be_negative):
        return None
    return amount


def currency(value: Any) -> str | None:
    """Return a currency's code in capitals."""
    code = value.strip().upper() if isinstance(value, str) else ""
    return code if _CURRENCY.fullmatch(code) else None
