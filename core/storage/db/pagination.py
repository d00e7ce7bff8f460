"""One page of a long list, and the cursor that leads to the next."""

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, literal, tuple_

from core.errors import InputError
from core.storage.db.column_types import microseconds, moment

T = TypeVar("T")

MAX_LIMIT = 500


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some items, and where to go on; None when these were the last."""

    items: tuple[T, ...]
    next_cursor: str | None = None


def encode_cursor(position: Sequence[datetime | bool | int | str]) -> str:
    """Return an opaque word for the place behind an item."""
    plain = [microseconds(part) if isinstance(part, datetime) else part for part in position]
    return base64.urlsafe_b64encode(json.dumps(plain).encode()).decode().rstrip("=")


def decode_cursor(cursor: str, *kinds: type) -> list[Any]:
    """Return the place a cursor names, one value of each kind."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        plain = json.loads(base64.urlsafe_b64decode(padded.encode("ascii")))
        if not isinstance(plain, list):
            raise ValueError
        return [_part(value, kind) for value, kind in zip(plain, kinds, strict=True)]
    except (binascii.Error, ValueError, OverflowError) as error:
        raise InputError("cursor", "error.cursor_malformed") from error


def behind(columns: Sequence[ColumnElement[Any]], position: Sequence[Any]) -> ColumnElement[bool]:
    """Return the condition for rows behind `position`, all columns descending.

    A row comparison, because both databases seek to it in an index.
    """
    values = [literal(value, column.type) for value, column in zip(position, columns, strict=True)]
    return tuple_(*columns) < tuple_(*values)


def bounded(limit: int) -> int:
    """Return a limit that no caller can make unreasonable."""
    return max(1, min(limit, MAX_LIMIT))


def _part(value: object, kind: type) -> object:
    if kind is datetime and type(value) is int:
        return moment(value)
    if type(value) is kind:
        return value
    raise ValueError
