"""Rate limit on wrong access tokens: who guesses from one address has to wait.

After some, tokens from there are looked at one after another, with a pause before each. Only
different ones count: a client that keeps sending an old token guesses nothing. A token that was
right from an address waits for nobody there: strangers behind one proxy share its address with the
owner's phone.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Iterable

WINDOW_S = 60.0
MOST_GUESSES = 10
MOST_ADDRESSES = 1_000
PAUSE_S = 0.25
MOST_WAIT_S = 5.0

_Digests = dict[bytes, float]


class Guesses:
    """Counts wrong tokens of the last minute by the caller's address."""

    def __init__(self, *, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._wrong: OrderedDict[str, _Digests] = OrderedDict()
        self._right: OrderedDict[str, _Digests] = OrderedDict()
        self._turns: OrderedDict[str, float] = OrderedDict()

    def are_many(self, address: str | None, tokens: Iterable[str]) -> bool:
        """Tell whether these tokens have to wait for their turn before they are looked at."""
        wrong = self._wrong.get(address or "", {})
        oldest = self._clock() - WINDOW_S
        for digest in [digest for digest, at in wrong.items() if at <= oldest]:
            del wrong[digest]
        right = self._right.get(address or "", {})
        return len(wrong) >= MOST_GUESSES and not any(_digest(token) in right for token in tokens)

    def turn_in_s(self, address: str | None) -> float | None:
        """Take the next turn of an address: in how many seconds it comes; None: too many wait."""
        now = self._clock()
        turn = max(now, self._turns.get(address or "", 0.0)) + PAUSE_S
        if turn - now > MOST_WAIT_S:
            return None
        self._turns[address or ""] = turn
        self._turns.move_to_end(address or "")
        while len(self._turns) > MOST_ADDRESSES:
            self._turns.popitem(last=False)
        return turn - now

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
