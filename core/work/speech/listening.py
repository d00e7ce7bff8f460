"""Pacing by the listener: sound is handed over as fast as it is heard, and bought no faster.

Who stops after a sentence has paid for what was heard and for one portion more, not for the whole.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing

from core.wire.audio import seconds_of

# So much sound lies ready at the listener's: a network that stumbles is not heard.
AHEAD_S = 4.0

Sleep = Callable[[float], Awaitable[object]]


class Listening:
    """Somebody who hears what is given, one second a second, from when it is given."""

    def __init__(
        self, *, clock: Callable[[], float] = time.monotonic, sleep: Sleep = asyncio.sleep
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._given_s = 0.0
        self._silent_at = 0.0  # when all that was given has been heard

    @property
    def heard_s(self) -> float:
        """How much of the sound has been heard at most."""
        return self._given_s - max(0.0, self._silent_at - self._clock())

    async def reached_end(self) -> None:
        """Wait until all that was given so far has been heard."""
        end_s = self._given_s
        while (left_s := end_s - self.heard_s) > 0:
            await self._sleep(left_s)

    async def paced(self, sound: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
        """Yield samples, never more than `AHEAD_S` ahead of what has been heard."""
        async with aclosing(sound):
            async for pcm in sound:
                while (early_s := self._given_s - self.heard_s - AHEAD_S) > 0:
                    await self._sleep(early_s)
                self._given(pcm)
                yield pcm

    def _given(self, pcm: bytes) -> None:
        seconds = seconds_of(len(pcm))
        self._given_s += seconds
        self._silent_at = max(self._silent_at, self._clock()) + seconds
