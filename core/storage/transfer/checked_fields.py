"""Fields of a stranger's JSON, each checked as it is read; a refusal names the place."""

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from core.errors import InputError

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_MAX_COUNT = 1 << 53


def malformed(where: str, problem: str) -> InputError:
    """Return the refusal of a file, naming place and problem; the problem is a word of the
    catalogue (`fact.problem`), the place is spelled as the file's own names are."""
    return InputError("file", "error.import_malformed", facts={"where": where, "problem": problem})


class CheckedFields:
    """A JSON object whose values are checked as they are taken."""

    def __init__(self, value: object, where: str) -> None:
        if not isinstance(value, Mapping):
            raise malformed(where, "not an object")
        self.value: Mapping[str, Any] = value
        self.where = where

    def wrong(self, key: str, problem: str) -> InputError:
        """Return the refusal of one of its values."""
        return malformed(f'{self.where}, "{key}"', problem)

    def has(self, key: str) -> bool:
        """Tell whether there is a value under that key."""
        return self.value.get(key) is not None

    def identifier(self, key: str) -> str:
        """Return an id."""
        text = self.text(key)
        if not _ID.fullmatch(text):
            raise self.wrong(key, "not an id")
        return text

    def text(self, key: str, default: str | None = None) -> str:
        """Return a text, or `default` where there is none."""
        value = self.value.get(key, default)
        if not isinstance(value, str):
            raise self.wrong(key, "not a text" if key in self.value else "missing")
        return value

    def entries(self, key: str) -> list[Any]:
        """Return a list; empty where there is none."""
        value = self.value[key] if self.has(key) else []
        if not isinstance(value, list):
            raise self.wrong(key, "not a list")
        return value

    def optional_text(self, key: str) -> str | None:
        """Return a text, or None."""
        return self.text(key) if self.has(key) else None

    def choice(self, key: str, choices: Any, default: str | None = None) -> Any:
        """Return a text that is one of the choices."""
        text = self.text(key, default)
        if text not in choices:
            raise self.wrong(key, "none of those there are")
        return text

    def truth(self, key: str, default: bool = False) -> bool:
        """Return a boolean."""
        value = self.value.get(key, default)
        if not isinstance(value, bool):
            raise self.wrong(key, "neither true nor false")
        return value

    def number(self, key: str) -> float | None:
        """Return a finite number, or None."""
        value = self.value.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.wrong(key, "not a number")
        if abs(value) > _MAX_COUNT or not math.isfinite(value):
            raise self.wrong(key, "out of range")
        return value

    def count(self, key: str) -> int | None:
        """Return a whole number from 0 on, or None."""
        value = self.number(key)
        if value is not None and (value < 0 or not isinstance(value, int)):
            raise self.wrong(key, "not a count")
        return None if value is None else int(value)

    def moment(self, key: str) -> datetime:
        """Return a moment, in UTC."""
        try:
            return datetime.fromisoformat(self.text(key)).astimezone(UTC)
        except (ValueError, OverflowError) as error:
            raise self.wrong(key, "not a moment") from error

    def inner(self, key: str) -> "CheckedFields | None":
        """Return the object under that key, or None."""
        return CheckedFields(self.value[key], f"{self.where}, {key}") if self.has(key) else None
