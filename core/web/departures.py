"""Readers who leave: an answer that nobody comes back for is stopped, and its upstream closed."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

# Browsers reconnect after RETRY_MS, and once more at that pace if the line is still down.
GRACE_S = 10.0
RETRY_MS = 1_000


@dataclass(slots=True)
class _Audience:
    readers: int = 0
    farewell: asyncio.TimerHandle | None = None


class Departures:
    """Counts the readers of each answer. One event loop."""

    def __init__(self, stop: Callable[[str], object]) -> None:
        self._stop = stop
        self._audiences: dict[str, _Audience] = {}

    def begin(self, answer_id: str) -> None:
        """Have an answer end with its readers; of other answers readers come and go unnoticed."""
        self._audiences[answer_id] = _Audience()

    def arrive(self, answer_id: str) -> None:
        """Count a reader, who may be one that comes back."""
        audience = self._audiences.get(answer_id)
        if audience is None:
            return
        audience.readers += 1
        if audience.farewell is not None:
            audience.farewell.cancel()
            audience.farewell = None

    def leave(self, answer_id: str, *, is_over: bool) -> None:
        """Count a reader out; the last one's going ends an answer that is not over, in a while."""
        audience = self._audiences.get(answer_id)
        if audience is None:
            return
        audience.readers -= 1
        if audience.readers:
            return
        if is_over:
            del self._audiences[answer_id]
        else:
            loop = asyncio.get_running_loop()
            audience.farewell = loop.call_later(GRACE_S, self._give_up, answer_id)

    def _give_up(self, answer_id: str) -> None:
        del self._audiences[answer_id]
        self._stop(answer_id)
