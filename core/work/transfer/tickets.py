"""Signed links to one person's transfers and voices: for one owner, one purpose, and a while.

The pages know whom they show; a request beside them does not. So the page signs what it may do.
"""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from core.storage.db.key_values import KeyValues

Purpose = Literal["export", "import", "speech", "sound"]

# An upload may take hours, and a page stays open; a download only has to begin.
LIFE_S: dict[Purpose, float] = {
    "export": 3600.0,
    "import": 12 * 3600.0,
    "speech": 12 * 3600.0,
    "sound": 30 * 24 * 3600.0,  # as long as Kling's own links
}

_PAGE = "page"  # who spends, where nothing else is known: the ledger's word for it
# Whoever knows what stands there signs links to everybody's conversations: it is in no backup.
SIGNING_KEY = "transfer.key"
_LONGEST = 2048


@dataclass(frozen=True, slots=True)
class Holder:
    """Whose things a ticket is for, and who was given it."""

    owner: str
    caller: str


class Tickets:
    """Signs and reads. The key is in the store: all processes on one database share it."""

    def __init__(self, values: KeyValues, *, clock: Callable[[], float] = time.time) -> None:
        self._values = values
        self._clock = clock

    def sign(self, owner: str, purpose: Purpose, *, caller: str = _PAGE) -> str:
        """Return a ticket with which whoever holds it may do that for this owner, as this caller.

        `caller` is who is let in and who spends by it, as the ledger names them.
        """
        told = json.dumps([owner, purpose, int(self._clock() + LIFE_S[purpose]), caller])
        head = base64.urlsafe_b64encode(told.encode()).decode().rstrip("=")
        return f"{head}.{self._mark(head)}"

    def owner_of(self, ticket: str, purpose: Purpose) -> str | None:
        """Return for whom the ticket is; None when it is not ours, not for this, or too old."""
        holder = self.holder_of(ticket, purpose)
        return None if holder is None else holder.owner

    def holder_of(self, ticket: str, purpose: Purpose) -> Holder | None:
        """Return for whom and to whom the ticket was given; None as for `owner_of`."""
        head, _, mark = ticket.partition(".")
        if len(ticket) > _LONGEST or not ticket.isascii():
            return None
        if not hmac.compare_digest(mark, self._mark(head)):
            return None
        told = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
        owner, for_what, until, *given_to = told
        if not given_to and purpose == "speech":  # of a version that did not say who would spend
            return None
        if for_what != purpose or until < self._clock():
            return None
        return Holder(str(owner), str(given_to[0]) if given_to else _PAGE)

    def _mark(self, head: str) -> str:
        return hmac.new(self._values.secret(SIGNING_KEY), head.encode(), hashlib.sha256).hexdigest()
