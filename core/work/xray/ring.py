"""A ring buffer of exchanges with providers: the newest, bounded by number and by bytes."""

import threading
from collections import deque
from dataclasses import dataclass
from typing import Protocol

from core.providers.http.kept_exchange import Exchange, KeptExchange

EXCHANGES_MOST = 2_000
BYTES_MOST = 16 * 1024 * 1024


class Masking(Protocol):
    """What gives out an exchange masked: as it was, or as it was kept."""

    memory_bytes: int

    def head(self) -> Exchange:
        """Return it without its bodies and chunks."""

    def view(self) -> Exchange:
        """Return the whole of it."""


@dataclass(frozen=True, slots=True)
class Trace:
    """A kept exchange and its number, which never comes twice in a process."""

    number: int
    kept: Masking

    @property
    def head(self) -> Exchange:
        """The exchange, masked, without its bodies and chunks."""
        return self.kept.head()

    @property
    def exchange(self) -> Exchange:
        """The whole exchange, masked."""
        return self.kept.view()


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

    def add(self, kept: KeptExchange) -> None:
        """Keep an exchange; the oldest go where there is no room."""
        with self._lock:
            self._last += 1
            self._traces.append(Trace(self._last, kept))
            self._size_bytes += kept.memory_bytes
            while len(self._traces) > self._most or self._size_bytes > self._bytes_most:
                self._size_bytes -= self._traces.popleft().kept.memory_bytes

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
            if any(_is_about(trace.head, word) for word in wanted)
        )

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._traces.clear()
            self._size_bytes = 0


def _is_about(exchange: Exchange, word: str) -> bool:
    return exchange.subject == word or word in exchange.url.split("/")
