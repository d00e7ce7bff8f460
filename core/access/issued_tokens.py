"""Access tokens that the owner makes on the page: shown once, kept hashed, revocable at once.

Each is one row under its hash, and a call is judged by that row as it stands, so that what one
process makes or takes back holds in all at once. Only what begins like one of ours is looked for.
"""

import hashlib
import logging
import secrets
import time
from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass, replace
from decimal import Decimal, InvalidOperation
from typing import Any, get_args

from core.access.passes import NAME_LENGTH, Rows, tidy_name
from core.errors import InputError
from core.models.access_scopes import AccessScopes, scopes_from
from core.models.money.amounts import plain
from core.models.money.ledger import Budget, Period

logger = logging.getLogger(__name__)

TOKEN_PREFIX = "ink_"
NOTED_EVERY_S = 60.0
_KEY_PREFIX = "access_token."


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """What is known of a token: everything but the token."""

    digest: str
    name: str
    scopes: AccessScopes
    made_at: float
    used_at: float | None = None
    per_minute: int | None = None  # requests; None: as many as anybody
    budget: Budget | None = None


class IssuedTokens:
    """Makes tokens, finds them by what is presented, takes them back. Raises StoreError."""

    def __init__(
        self,
        rows: Rows,
        taken: Callable[[], Collection[str]],
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._rows = rows
        self._taken = taken  # names of tokens that stand in the settings
        self._clock = clock

    def issue(
        self,
        name: str,
        scopes: AccessScopes,
        *,
        per_minute: int | None = None,
        limit: tuple[Period, Decimal, str] | None = None,
    ) -> str:
        """Make a token and return it: it is kept nowhere here. InputError where it cannot be.

        `limit` is what its bearer may spend in a day or month.
        """
        name = tidy_name(name)
        if name == "?" or set(name) & set(":,()"):
            raise InputError("name", "error.token_name")
        if name in self._taken() or any(name == one.name for one in self.all()):
            raise InputError("name", "error.token_name_taken", facts={"name": name})
        if not scopes:
            raise InputError("scopes", "error.token_scopes")
        token = TOKEN_PREFIX + secrets.token_urlsafe(32)
        budget = None if limit is None else Budget("token", name, *limit)
        one = IssuedToken(_digest(token), name, scopes, self._clock(), None, per_minute, budget)
        self._rows.set(_KEY_PREFIX + one.digest, _written(one))
        logger.info("An access token was made for %s", name)
        return token

    def find(self, presented: Collection[str]) -> IssuedToken | None:
        """Return the token that is among those presented, as the store has it now."""
        for token in presented:
            if not token.startswith(TOKEN_PREFIX):
                continue
            key = _KEY_PREFIX + _digest(token)
            if (one := _read(self._rows.get(key))) is not None:
                return self._noted(one, key)
        return None

    def all(self) -> list[IssuedToken]:
        """Return all, the newest first."""
        found = map(_read, self._rows.starting_with(_KEY_PREFIX).values())
        return sorted((one for one in found if one), key=lambda one: one.made_at, reverse=True)

    def revoke(self, digest: str) -> None:
        """Take a token back, in all processes at once."""
        self._rows.take(_KEY_PREFIX + digest)

    def _noted(self, one: IssuedToken, key: str) -> IssuedToken:
        now = self._clock()
        if one.used_at is not None and now - one.used_at < NOTED_EVERY_S:
            return one
        used = replace(one, used_at=now)
        self._rows.replace(key, _written(used))  # one taken back meanwhile stays so
        return used


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def _written(one: IssuedToken) -> dict[str, Any]:
    budget = None
    if one.budget is not None:
        budget = asdict(one.budget) | {"limit": plain(one.budget.limit)}
    return asdict(one) | {"scopes": sorted(one.scopes), "budget": budget}


def _read(row: Any) -> IssuedToken | None:
    """Read a row; None for one that this version does not understand."""
    if not isinstance(row, dict):
        return None
    try:
        kept = row["budget"]
        budget = None if kept is None else _budget(kept, row["name"])
        one = IssuedToken(**{**row, "scopes": scopes_from(row["scopes"]), "budget": budget})
    except (TypeError, KeyError, ValueError, InvalidOperation):
        return None
    is_plain = isinstance(one.name, str) and len(one.name) <= NAME_LENGTH
    return one if is_plain and isinstance(one.made_at, float | int) else None


def _budget(kept: dict[str, Any], name: str) -> Budget:
    limit = Decimal(kept["limit"])
    if kept["period"] not in get_args(Period) or not limit.is_finite():
        raise ValueError(kept)
    return Budget("token", name, kept["period"], limit, str(kept["currency"]))
