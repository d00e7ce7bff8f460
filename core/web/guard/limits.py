"""How much may be asked: requests under way and per minute, for each caller and for all."""

import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace

WINDOW_S = 60.0
# An answer that is under way ends some time: nobody can say when.
FULL_RETRY_S = 2


@dataclass(frozen=True, slots=True)
class Allowance:
    """The most requests under way at once, and begun within a minute."""

    under_way: int
    per_minute: int


# Hundreds of streams are normal, and so are fifty pages that poll; what these stop is a loop gone
# wild, or a page that means harm, long before it has spent much.
EACH = Allowance(under_way=600, per_minute=6_000)
ALL = Allowance(under_way=1_000, per_minute=12_000)


@dataclass(slots=True)
class _Account:
    allowance: Allowance
    under_way: int = 0
    begun: deque[float] = field(default_factory=deque)

    def retry_after_s(self, now: float) -> int | None:
        while self.begun and self.begun[0] <= now - WINDOW_S:
            self.begun.popleft()
        if self.under_way >= self.allowance.under_way:
            return FULL_RETRY_S
        if len(self.begun) >= self.allowance.per_minute:
            return max(1, math.ceil(self.begun[0] + WINDOW_S - now))
        return None


class Limits:
    """Counts requests. Callers are few: this machine, and the names of access tokens."""

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        each: Allowance = EACH,
        all_: Allowance = ALL,
    ) -> None:
        self._clock = clock
        self._each = each
        self._all = _Account(all_)
        self._accounts: dict[str, _Account] = {}

    def begin(self, caller: str, per_minute: int | None = None) -> int | None:
        """Count a request that begins; return the seconds to wait when it may not.

        `per_minute` is this caller's own limit, where it is lower than everybody's.
        """
        now = self._clock()
        account = self._accounts.setdefault(caller, _Account(self._each))
        most = self._each.per_minute if per_minute is None else per_minute
        account.allowance = replace(self._each, per_minute=min(most, self._each.per_minute))
        waits = (account.retry_after_s(now), self._all.retry_after_s(now))
        longest = max((wait for wait in waits if wait is not None), default=None)
        if longest is None:
            for one in (account, self._all):
                one.under_way += 1
                one.begun.append(now)
        return longest

    def end(self, caller: str) -> None:
        """Count a request that has ended."""
        self._accounts[caller].under_way -= 1
        self._all.under_way -= 1
