"""A rate limit of our own: calls of one sort, at most so many a second, each waiting its turn."""

import asyncio
import time
from collections.abc import Awaitable, Callable


class Pace:
    """Lets one call begin every `interval_s` seconds; callers that come together queue."""

    def __init__(
        self,
        interval_s: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._interval_s = interval_s
        self._clock = clock
        self._sleep = sleep
        self._free_at = clock()

    async def turn(self) -> None:
        """Return when the caller may begin; its turn is used up even if it gives up waiting."""
        now = self._clock()
        begins_at = max(self._free_at, now)
        # Taken before the wait, so that the next caller queues behind this one.
        self._free_at = begins_at + self._interval_s
        if begins_at > now:
            await self._sleep(begins_at - now)
