"""Passes: session cookies of the devices that somebody let in, kept hashed and revocable.

A request is judged from memory alone, so that neither a slow database nor a stranger with a made-up
cookie holds up the server's event loop. What another process has given out or taken back is known
here after at most REFRESH_S.
"""

import asyncio
import hashlib
import hmac
import logging
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Protocol

from core.errors import AppError
from core.settings import Secret

logger = logging.getLogger(__name__)

COOKIE = "inkling_pass"
COOKIE_S = 400 * 24 * 3600  # browsers keep none longer
UNUSED_S = 90 * 24 * 3600.0
REFRESH_S = 5.0
NOTED_EVERY_S = 60.0
NAME_LENGTH = 40
_MOST_COOKIES = 5  # of this name in one request: what follows is no browser's
_PREFIX = "pass."


class Rows(Protocol):
    """Where passes and links are kept: small JSON values by key, shared by all processes."""

    def get(self, key: str) -> Any:
        """Return a key's value; None where there is none."""

    def set(self, key: str, value: Any) -> None:
        """Keep a value under a key."""

    def replace(self, key: str, value: Any) -> bool:
        """Overwrite a key's value; False where there is none."""

    def take(self, key: str) -> Any:
        """Remove a key and return its value."""

    def starting_with(self, prefix: str) -> dict[str, Any]:
        """Return the values of all keys with a prefix."""


@dataclass(frozen=True, slots=True)
class Pass:
    """One device's way in. `token` names the access token it was made with, if it was one.

    `manages`: its bearer may let others in and take passes back, as the owner may.
    """

    id: str
    name: str
    made_at: float
    used_at: float
    digest: str = field(repr=False)
    token: str | None = None
    fingerprint: str | None = field(default=None, repr=False)
    manages: bool = False


class Passes:
    """Gives out passes, finds them in cookies, takes them back. Thread-safe."""

    def __init__(
        self,
        rows: Rows,
        tokens: Callable[[], Mapping[str, Secret]],
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._rows = rows
        self._tokens = tokens
        self._clock = clock
        self._writing = threading.Lock()  # of the index; who reads it takes what stands there
        self._index: dict[str, Pass] = {}
        self._used: dict[str, float] = {}
        self._refreshed_at = float("-inf")

    # -- judging a request -------------------------------------------------------------------------

    def name_of_cookie(self, cookie_header: str | None) -> str | None:
        """Return whose valid pass a Cookie header holds; never waits, never raises."""
        found = self.of_cookie(cookie_header)
        return found.name if found else None

    def of_cookie(self, cookie_header: str | None) -> Pass | None:
        """Return the valid pass that a Cookie header holds; never waits, never raises."""
        for pass_id, secret in _presented(cookie_header):
            one = self._index.get(pass_id)
            if one is None or not hmac.compare_digest(one.digest, _digest(secret)):
                continue
            if self._is_valid(one):
                self._used[pass_id] = self._clock()
                return one
        return None

    def look_up(self, cookie_header: str | None) -> Pass | None:
        """Return it as `of_cookie` does, after a look at the store where it is not known here.

        May wait for the database, at most once a second: not for the event loop.
        """
        found = self.of_cookie(cookie_header)
        is_due = time.monotonic() - self._refreshed_at > 1.0
        if found is None and is_due and any(_presented(cookie_header)):
            self._refresh_quietly()
            found = self.of_cookie(cookie_header)
        return found

    # -- giving out, taking back -------------------------------------------------------------------

    def issue(self, name: str, *, token: str | None = None, manages: bool = False) -> str:
        """Make a pass and return its cookie's value, which is kept nowhere here.

        `token` names the access token that was presented for it: with that it ends.
        """
        pass_id, secret = secrets.token_hex(8), secrets.token_urlsafe(32)
        now = self._clock()
        shown = None if token is None else self._tokens().get(token)
        mark = None if shown is None else _fingerprint(pass_id, shown)
        one = Pass(
            *(pass_id, tidy_name(name), now, now, _digest(secret)),
            token=token,
            fingerprint=mark,
            manages=manages,
        )
        with self._writing:
            self._rows.set(_PREFIX + pass_id, asdict(one))
            self._index = {**self._index, pass_id: one}
        logger.info("A device was let in as %s", one.name)
        return f"{pass_id}.{secret}"

    def revoke(self, pass_id: str) -> None:
        """Take a pass back: here at once, in other processes after REFRESH_S at the latest."""
        with self._writing:
            self._rows.take(_PREFIX + pass_id)
            self._index = {key: one for key, one in self._index.items() if key != pass_id}

    def valid(self) -> list[Pass]:
        """Return the passes that let somebody in, the last used first."""
        known = [
            replace(one, used_at=max(one.used_at, self._used.get(one.id, 0.0)))
            for one in self._index.values()
        ]
        return sorted(filter(self._is_valid, known), key=lambda one: one.used_at, reverse=True)

    # -- keeping up with other processes -----------------------------------------------------------

    async def run(self) -> None:
        """Read again and again what the store holds, until cancelled."""
        while True:
            await asyncio.to_thread(self._refresh_quietly)
            await asyncio.sleep(REFRESH_S)

    def refresh(self) -> None:
        """Read what the store holds, and write down what was used; raises StoreError."""
        with self._writing:
            rows = self._rows.starting_with(_PREFIX).items()
            found = (_read(value) for key, value in rows if key.startswith(_PREFIX))
            index = {one.id: one for one in found if one is not None}
            for one in list(index.values()):
                index[one.id] = self._noted(one)
            self._used = {key: at for key, at in self._used.items() if key in index}
            self._index = index
            self._refreshed_at = time.monotonic()

    def _noted(self, one: Pass) -> Pass:
        """Forget a pass that has ended, and write down now and then that one was used."""
        if not self._is_valid(one):
            # One whose token is missing stays: it may be missing in this process alone.
            if self._clock() - one.used_at > UNUSED_S:
                self._rows.take(_PREFIX + one.id)
            return one
        used_at = self._used.get(one.id, 0.0)
        if used_at - one.used_at < NOTED_EVERY_S:
            return one
        used = replace(one, used_at=used_at)
        self._rows.replace(_PREFIX + one.id, asdict(used))  # one taken back meanwhile stays so
        return used

    def _refresh_quietly(self) -> None:
        try:
            self.refresh()
        except AppError as error:
            self._refreshed_at = time.monotonic()
            logger.warning("The passes are not up to date: %s", error)

    def _is_valid(self, one: Pass) -> bool:
        used_at = max(one.used_at, self._used.get(one.id, 0.0))
        if self._clock() - used_at > UNUSED_S:
            return False
        if one.token is None:
            return True
        token = self._tokens().get(one.token)
        if token is None or one.fingerprint is None:
            return False
        return hmac.compare_digest(one.fingerprint, _fingerprint(one.id, token))


def tidy_name(name: str) -> str:
    """Return a device's or person's name as it is kept and shown: one short printable line."""
    printable = "".join(sign for sign in " ".join(name.split()) if sign.isprintable())
    return printable[:NAME_LENGTH].strip() or "?"


def _presented(cookie_header: str | None) -> Iterator[tuple[str, str]]:
    """Yield id and secret of each pass in a Cookie header, whatever else stands there."""
    seen = 0
    for pair in (cookie_header or "").split(";"):
        name, _, value = pair.strip().partition("=")
        if name != COOKIE:
            continue
        pass_id, dot, secret = value.strip().strip('"').partition(".")
        seen += 1
        if seen > _MOST_COOKIES:
            return
        if pass_id and dot and secret:
            yield pass_id, secret


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def _fingerprint(pass_id: str, token: Secret) -> str:
    """Tell a token's value from its next one, without keeping it."""
    value = token.reveal().encode("utf-8", "replace")
    return hmac.new(pass_id.encode(), value, hashlib.sha256).hexdigest()


def _read(value: Any) -> Pass | None:
    """Read a row; None for one that this version does not understand."""
    try:
        one = Pass(**value)
    except TypeError:
        return None
    words = (one.id, one.name, one.digest, one.token or "", one.fingerprint or "")
    times = (one.made_at, one.used_at)
    is_plain = all(isinstance(word, str) for word in words) and all(
        isinstance(at, int | float) for at in times
    )
    return one if is_plain else None
