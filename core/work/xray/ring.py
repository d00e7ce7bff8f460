"""A ring buffer of exchanges with providers: the newest, bounded by number and by bytes."""

import threading
from collections import deque
from dataclasses import dataclass

from core.providers.http.exchanges import Exchange

EXCHANGES_MOST = 2_000
BYTES_MOST = 16 * 1024 * 1024
# What an exchange takes beside its texts, roughly; a chunk is a tuple of two numbers.
_EACH_BYTES, _CHUNK_BYTES = 2_000, 120


@dataclass(frozen=True, slots=True)
class Trace:
    """A kept exchange and its number, which never comes twice in a process."""

    number: int
    exchange: Exchange


class ExchangeRing:
    """Keeps what it is told, and forgets the oldest. From any thread."""

    def __init__(self, *, most: int = EXCHANGES_MOST, bytes_most: int = BYTES_MOST) -> None:
        self._most = most
        self._bytes_most = bytes_most
        self._traces: deque[Trace] = deque()
        self._size_bytes = 0
        self._last = 0
        self._lock = threading.Lock()

    @property
    def size_bytes(self) -> int:
        """About how much memory is taken."""
        return self._size_bytes

    def add(self, exchange: Exchange) -> None:
        """Keep an exchange; the oldest go where there is no room."""
        with self._lock:
            self._last += 1
            self._traces.append(Trace(self._last, exchange))
            self._size_bytes += _size(exchange)
            while len(self._traces) > self._most or self._size_bytes > self._bytes_most:
                self._size_bytes -= _size(self._traces.popleft().exchange)

    def newest(self) -> tuple[Trace, ...]:
        """Return all that is kept, the newest first."""
        with self._lock:
            return tuple(reversed(self._traces))

    def about(self, *words: str) -> tuple[Trace, ...]:
        """Return what was for one of these subjects, or names one in its address, oldest first."""
        wanted = [word for word in words if word]
        return tuple(
            trace
            for trace in reversed(self.newest())
            if any(_is_about(trace.exchange, word) for word in wanted)
        )

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._traces.clear()
            self._size_bytes = 0


def _is_about(exchange: Exchange, word: str) -> bool:
    return exchange.subject == word or word in exchange.url.split("/")


def _size(exchange: Exchange) -> int:
    texts = len(exchange.request_body) + len(exchange.response_body)
    return _EACH_BYTES + 2 * texts + _CHUNK_BYTES * len(exchange.chunks)
