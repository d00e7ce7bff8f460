"""Readers who leave: an answer that nobody comes back for is stopped, and its upstream closed.

Where several processes share a database, a reader may come back to another one. It leaves a sign
in the store, a new one every few seconds: while the sign changes, the answer goes on.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from core.errors import StoreError

RETRY_MS = 1_000


def audience_key(answer_id: str) -> str:
    """Return where in the store the sign of an answer's readers in other processes stands."""
    return f"watched.{answer_id}"


@dataclass(slots=True)
class _Audience:
    readers: int = 0
    farewell: asyncio.TimerHandle | None = None
    sign: object = None  # of readers elsewhere, as it was seen last


class Audiences:
    """Counts the readers of each answer. One event loop.

    `sign_of` reads the sign of readers in other processes. An answer is stopped `grace_s` after its
    last reader left.
    """

    def __init__(
        self,
        stop: Callable[[str], object],
        sign_of: Callable[[str], Awaitable[object]],
        *,
        grace_s: float,
    ) -> None:
        self._stop = stop
        self._sign_of = sign_of
        self._grace_s = grace_s
        self._audiences: dict[str, _Audience] = {}
        self._endings: set[asyncio.Task[None]] = set()

    def begin(self, answer_id: str) -> None:
        """Have an answer end with its readers; of other answers readers come and go unnoticed."""
        self._audiences[answer_id] = _Audience()

    def add_reader(self, answer_id: str) -> None:
        """Count a reader, who may be one that comes back."""
        audience = self._audiences.get(answer_id)
        if audience is None:
            return
        audience.readers += 1
        if audience.farewell is not None:
            audience.farewell.cancel()
            audience.farewell = None

    def remove_reader(self, answer_id: str, *, is_over: bool) -> None:
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
            self._await_return(answer_id, audience)

    def _await_return(self, answer_id: str, audience: _Audience) -> None:
        loop = asyncio.get_running_loop()
        audience.farewell = loop.call_later(self._grace_s, self._give_up, answer_id, audience)

    def _give_up(self, answer_id: str, audience: _Audience) -> None:
        ending = asyncio.get_running_loop().create_task(self._end_unread(answer_id, audience))
        self._endings.add(ending)
        ending.add_done_callback(self._endings.discard)

    async def _end_unread(self, answer_id: str, audience: _Audience) -> None:
        farewell = audience.farewell
        try:
            sign = await self._sign_of(answer_id)
        except StoreError:
            sign = object()  # nobody knows: no sign like any other
        if audience.readers or audience.farewell is not farewell:
            return  # somebody came back while the store was asked
        if sign != audience.sign:
            audience.sign = sign
            self._await_return(answer_id, audience)
            return
        self._audiences.pop(answer_id, None)
        self._stop(answer_id)
