"""Read-ahead: notices that a caller has gone, and keeps what came of the body meanwhile."""

import asyncio
from collections import deque

from starlette.types import Message, Receive

AHEAD_BYTES = 64 * 1024


class ReadAhead:
    """An ASGI `receive` whose messages can be read before their time. One reader at a time."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._kept: deque[Message] = deque()

    async def __call__(self) -> Message:
        """Return the next message, first those that were read ahead (ASGI's receive)."""
        return self._kept.popleft() if self._kept else await self._receive()

    async def left(self) -> None:
        """Return when the caller has gone; may be cancelled at any time, nothing is lost by it."""
        kept_bytes = 0
        while (message := await self._receive())["type"] != "http.disconnect":
            self._kept.append(message)
            kept_bytes += len(message.get("body", b""))
            if kept_bytes > AHEAD_BYTES and message.get("more_body", False):
                # The rest of a large body waits in the line; so does the caller's going.
                await asyncio.get_running_loop().create_future()
        self._kept.append(message)
