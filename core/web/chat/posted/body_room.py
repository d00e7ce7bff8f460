"""Memory limit of posted chats: how many bytes of large bodies may be under way at once.

A body is held as text, as turns and as what is sent, until its answer has come.
"""

from types import TracebackType
from typing import Self

from core.web.http_call import BODY_BYTES, CLOSING, HttpCallError

# DeepSeek takes 48 MiB, its pictures counted as base64; of words a million tokens (deepseek.md §3).
CHAT_BODY_BYTES = 48 * 1024 * 1024
CHAT_TEXT_BYTES = 16 * 1024 * 1024
ROOM_BYTES = 2 * CHAT_BODY_BYTES
_RETRY_AFTER_S = 5


class BodyRoom:
    """Counts the bytes of bodies that are larger than usual. One event loop."""

    def __init__(self, most_bytes: int = ROOM_BYTES) -> None:
        self._left = most_bytes

    def hold(self) -> "HeldBody":
        """Return what holds the place of one body while it is under way."""
        return HeldBody(self)

    def take(self, size: int) -> None:
        """Take room; HttpCallError where there is none."""
        if size > self._left:
            headers = (("Retry-After", str(_RETRY_AFTER_S)), *CLOSING)
            raise HttpCallError(503, "http.bodies_full", headers=headers)
        self._left -= size

    def give_back(self, size: int) -> None:
        """Give room back."""
        self._left += size


class HeldBody:
    """The room that one body takes; usual sizes take none. A context manager."""

    def __init__(self, room: BodyRoom) -> None:
        self._room = room
        self._size = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.give_back()

    def give_back(self) -> None:
        """Give the room back, where the body is let go before its call has ended."""
        self._room.give_back(self._size)
        self._size = 0

    def grow(self, size: int) -> None:
        """Note that so much of it has come."""
        if size > max(self._size, BODY_BYTES):
            self._room.take(size - self._size)
            self._size = size
