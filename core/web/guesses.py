"""Rate limit on wrong access tokens: who guesses from one address has to wait.

Only different ones count: a client that keeps sending an old token guesses nothing. A token that
was right from an address goes on being looked at there: strangers behind one proxy share its
address with the owner's phone, and must not be able to keep that out.
"""

import hashlib
import math
from collections import OrderedDict
from collections.abc import Callable, Iterable

WINDOW_S = 60.0
MOST_GUESSES = 10
MOST_ADDRESSES = 1_000

_Digests = dict[bytes, float]


class Guesses:
    """Counts wrong tokens of the last minute by the caller's address."""

    def __init__(self, *, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._wrong: OrderedDict[str, _Digests] = OrderedDict()
        self._right: OrderedDict[str, _Digests] = OrderedDict()

    def wait_s(self, address: str | None, tokens: Iterable[str]) -> int | None:
        """Return the seconds until these tokens are looked at from this address; None: now."""
        wrong = self._wrong.get(address or "", {})
        oldest = self._clock() - WINDOW_S
        for digest in [digest for digest, at in wrong.items() if at <= oldest]:
            del wrong[digest]
        if len(wrong) < MOST_GUESSES:
            return None
        right = self._right.get(address or "", {})
        if any(_digest(token) in right for token in tokens):
            return None
        return max(1, math.ceil(min(wrong.values()) - oldest))

    def note(self, address: str | None, tokens: Iterable[str]) -> None:
        """Count tokens that were wrong."""
        self._keep(self._wrong, address, tokens)

    def prove(self, address: str | None, tokens: Iterable[str]) -> None:
        """Remember tokens that were right."""
        self._keep(self._right, address, tokens)

    def _keep(
        self, kept: OrderedDict[str, _Digests], address: str | None, tokens: Iterable[str]
    ) -> None:
        digests = kept.setdefault(address or "", {})
        kept.move_to_end(address or "")
        for token in tokens:
            digests[_digest(token)] = self._clock()
        while len(kept) > MOST_ADDRESSES:
            kept.popitem(last=False)
        while len(digests) > MOST_GUESSES:
            del digests[min(digests, key=digests.__getitem__)]


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()
