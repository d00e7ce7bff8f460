"""Column types: what the database keeps of moments, texts, amounts and JSON."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, Dialect, Text, TypeDecorator

from core.models.money.amounts import from_units, to_units
from core.wire.masking.secrets import known_secrets

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def microseconds(at: datetime) -> int:
    """Return whole microseconds since 1970."""
    return (at - _EPOCH) // _MICROSECOND


def moment(value: int) -> datetime:
    """Return the moment `value` microseconds after 1970 began."""
    return _EPOCH + value * _MICROSECOND


class Moment(TypeDecorator[datetime]):
    """An aware UTC datetime as whole microseconds since 1970: the same order in every database."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """Return what the database keeps (SQLAlchemy's interface of a type)."""
        return None if value is None else microseconds(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        """Return the value that was kept."""
        return None if value is None else moment(value)


class Words(TypeDecorator[str]):
    """Text as it came, less what PostgreSQL cannot keep: NUL and lone surrogates become U+FFFD."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Return what the database keeps (SQLAlchemy's interface of a type)."""
        if value is None:
            return None
        return clean(value)


class Amount(TypeDecorator[Decimal]):
    """An amount of money as a whole number of 10⁻¹²: added up without a rest in every database."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> int | None:
        """Return what the database keeps (SQLAlchemy's interface of a type)."""
        return None if value is None else to_units(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> Decimal | None:
        """Return the value that was kept; PostgreSQL's sums are of another type."""
        return None if value is None else from_units(int(value))


class Json(TypeDecorator[Any]):
    """A JSON value, ASCII on disk."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """Return what the database keeps (SQLAlchemy's interface of a type)."""
        return None if value is None else json.dumps(value, separators=(",", ":"))

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        """Return the value that was kept."""
        return None if value is None else json.loads(value)


class MaskedText(str):
    """A parameter in which known secrets are masked already."""

    __slots__ = ()


class MaskedObjects(Json):
    """A list of objects whose values are texts, masked before JSON escapes them.

    To look through the JSON of a long file took ten times as long as to write it.
    """

    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """Return what the database keeps (SQLAlchemy's interface of a type)."""
        if value is None:
            return None
        washed = [{name: known_secrets.wash(text) for name, text in one.items()} for one in value]
        return MaskedText(json.dumps(washed, separators=(",", ":")))


def clean(text: str) -> str:
    """Return `text` without what no database keeps."""
    if "\x00" in text:
        text = text.replace("\x00", "\ufffd")
    try:
        text.encode()
    except UnicodeEncodeError:
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
