"""Invitations: one-time links, each of which makes one pass and expires soon.

The code stands in the link alone; the store holds its hash. Taking the row out is what redeems it,
so that of two processes, or two people, only one gets in.
"""

import hashlib
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from core.access.passes import Rows, tidy_name

LIFETIME_S = 600.0
CODE_PARAMETER = "code"
PATH = "/enter"
_KEPT_S = 86_400.0  # behind its end, or before: longer than clocks differ
_PREFIX = "invitation."


@dataclass(frozen=True, slots=True)
class Invitation:
    """A link's code, until when it is good, and what its pass will be."""

    code: str = field(repr=False)
    expires_at: float
    name: str
    manages: bool = False


class Invitations:
    """Makes one-time codes and redeems them. Thread-safe; raises StoreError."""

    def __init__(self, rows: Rows, *, clock: Callable[[], float] = time.time) -> None:
        self._rows = rows
        self._clock = clock

    def make(self, name: str, *, manages: bool = False) -> Invitation:
        """Make a code for one device."""
        self._sweep()
        code = secrets.token_urlsafe(16)
        made = Invitation(code, self._clock() + LIFETIME_S, tidy_name(name), manages)
        row = {"name": made.name, "expires_at": made.expires_at, "manages": manages}
        self._rows.set(_key(code), row)
        return made

    def redeem(self, code: str) -> Invitation | None:
        """Return what a code is good for, once; None when it is used, expired or made up."""
        key = _key(code)
        # A look first: codes that are made up are not worth a place among the writers, and what is
        # over by this machine's clock may be good by that of another one on the same database.
        if self._is_over(self._rows.get(key)) or (row := self._rows.take(key)) is None:
            return None
        return Invitation(code, row["expires_at"], str(row["name"]), row.get("manages") is True)

    def is_open(self, invitation: Invitation) -> bool:
        """Tell whether a code can still be redeemed."""
        row = self._rows.get(_key(invitation.code))
        return row is not None and not self._is_over(row)

    def _sweep(self) -> None:
        # What is over by this machine's clock may be good by that of another one.
        for key, row in self._rows.starting_with(_PREFIX).items():
            left_s = self._left_s(row)
            if left_s is None or abs(left_s) > _KEPT_S:
                self._rows.take(key)

    def _is_over(self, row: Any) -> bool:
        left_s = self._left_s(row)
        # A clock that was set back makes none good for longer.
        return left_s is None or not 0 <= left_s <= LIFETIME_S

    def _left_s(self, row: Any) -> float | None:
        expires_at = row.get("expires_at") if isinstance(row, dict) else None
        return expires_at - self._clock() if isinstance(expires_at, int | float) else None


def _key(code: str) -> str:
    return _PREFIX + hashlib.sha256(code.encode("utf-8", "replace")).hexdigest()
