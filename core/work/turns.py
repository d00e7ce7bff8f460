"""Turns on a loop: many who begin at once do not hold up those who are under way."""

import asyncio
from collections import deque

AT_ONCE = 2
# Where a round takes long there is much to do for others too: newcomers get their share of it.
PER_MS = 1.0


class Turns:
    """Lets a few go on in each round of the loop, in the order in which they came. One loop.

    `at_once` in a round, or `per_ms` for each millisecond that the round before took.
    """

    def __init__(self, at_once: int = AT_ONCE, *, per_ms: float = PER_MS) -> None:
        self._at_once = at_once
        self._per_s = per_ms * 1000
        self._began_at = 0.0  # this round, as the loop counts
        self._left = at_once  # of this round
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._is_counting = False

    async def take(self) -> None:
        """Wait for a turn; the first of a round have it at once."""
        loop = asyncio.get_running_loop()
        if not self._is_counting:
            self._is_counting = True
            self._left = self._at_once
            self._began_at = loop.time()
            loop.call_soon(self._next_round, loop)
        if self._left and not self._waiting:
            self._left -= 1
            return
        turn = loop.create_future()
        self._waiting.append(turn)
        await turn

    def _next_round(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        share = max(self._at_once, int((now - self._began_at) * self._per_s))
        self._left, self._began_at = share, now
        while self._left and self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                self._left -= 1
        self._is_counting = self._left < share
        if self._is_counting:
            loop.call_soon(self._next_round, loop)
