"""How long an answer is waited for, and what is said when a patience ends.

The socket lives while anything comes, comments included; the answer moves only when data comes
(deepseek.md sections 4 and 8). Both are measured while we wait, not while the reader thinks.
"""

import asyncio
from dataclasses import dataclass
from typing import Any, NamedTuple

import httpx

from core.errors import UnavailableError
from core.providers.deepseek.endpoint import ChatEndpoint
from core.providers.deepseek.errors import cut_off
from core.providers.deepseek.wire import PROVIDER
from core.providers.http.aiohttp_transport import chunk_reader


@dataclass(frozen=True, slots=True)
class StreamTimers:
    """How long we wait for what.

    None of them is 600: DeepSeek closes a request still queued after ten minutes, and one must be
    able to tell its close from ours.
    """

    connect_s: float = 10
    # Comments keep coming while a request is queued; their interval is not published.
    socket_silence_s: float = 90
    # The server gives up a queued request after 600 s: let it, and be late only when it forgets.
    first_data_s: float = 660
    # A few streams in a hundred stop for good while thinking; those that go on pause for less.
    data_silence_s: float = 180
    # A whole answer moves only once: thinking at length takes many minutes.
    whole_answer_s: float = 1500


# Local servers load a model and read a long prompt without sending a single byte.
_PATIENT = StreamTimers(socket_silence_s=540)


def default_timers(server: ChatEndpoint) -> StreamTimers:
    """Return the timers that suit a server: DeepSeek sends comments while one waits."""
    return StreamTimers() if server.speaks_deepseek else _PATIENT


class Limit(NamedTuple):
    """A patience: how long, and what to say when it ends."""

    seconds: float
    text_id: str


class _Alarm:
    """Cancels its task when a moment passes. One timer watches many short waits: a timer for
    each read of each stream would cost more than the reading."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._task: asyncio.Task[Any] | None = None
        self._due: float | None = None
        self._timer: asyncio.Handle | None = None
        self._timer_at = 0.0  # uvloop's handle does not tell when it is due at once
        self._rang = False
        self._cancelling = 0

    def set(self, due: float) -> None:
        """Ring at `due` unless cleared; in the task that waits."""
        self._due, self._rang = due, False
        self._task = task = asyncio.current_task()
        assert task is not None
        self._cancelling = task.cancelling()
        if self._timer is None or due < self._timer_at:
            self.cancel()
            self._start(due)

    def clear(self) -> None:
        """Do not ring."""
        self._due = None

    def has_rung(self) -> bool:
        """Tell whether a cancellation is this alarm's own, and take it back (as asyncio does)."""
        if not self._rang or self._task is None:
            return False
        return self._task.uncancel() <= self._cancelling

    def cancel(self) -> None:
        """Drop the timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _start(self, at: float) -> None:
        self._timer_at = at
        self._timer = self._loop.call_at(at, self._look)

    def _look(self) -> None:
        self._timer = None
        if self._due is None or self._task is None:
            return
        if self._due > self._loop.time():
            self._start(self._due)
            return
        self._rang = True
        self._task.cancel()


class TimedBody:
    """Reads the body of a reply, and says which patience ended."""

    def __init__(
        self, response: httpx.Response, *, host: str, timers: StreamTimers, waited_s: float
    ) -> None:
        self._read = chunk_reader(response)
        self._host = host
        self._socket_silence_s = timers.socket_silence_s
        self._limit = queue_limit(timers)
        self._waited_s = waited_s
        self._alarm = _Alarm()

    def wait_for(self, limit: Limit, *, waited_s: float = 0.0) -> None:
        """Wait up to `limit` from now on."""
        self._limit = limit
        self._waited_s = waited_s

    async def read(self) -> bytes:
        """Return what came next; empty at the end of the body."""
        clock = asyncio.get_running_loop().time
        began = clock()
        left_s = self._limit.seconds - self._waited_s
        is_socket = left_s > self._socket_silence_s
        self._alarm.set(began + (self._socket_silence_s if is_socket else left_s))
        try:
            chunk = await self._read()
        except asyncio.CancelledError as error:
            if not self._alarm.has_rung():
                raise
            limit = socket_limit(self._socket_silence_s) if is_socket else self._limit
            raise silence(limit, host=self._host) from error
        except httpx.ReadTimeout as error:
            raise silence(socket_limit(self._socket_silence_s), host=self._host) from error
        except httpx.HTTPError as error:
            raise cut_off(self._host) from error
        finally:
            self._alarm.clear()
        self._waited_s += clock() - began
        return chunk

    def close(self) -> None:
        """Stop watching the clock."""
        self._alarm.cancel()


def queue_limit(timers: StreamTimers) -> Limit:
    """Return the patience with an answer that has not begun."""
    return Limit(timers.first_data_s, "error.queue_too_long")


def next_data_limit(timers: StreamTimers) -> Limit:
    """Return the patience with an answer that has begun."""
    return Limit(timers.data_silence_s, "error.answer_stalled")


def whole_answer_limit(timers: StreamTimers) -> Limit:
    """Return the patience with an answer that comes in one piece."""
    return Limit(timers.whole_answer_s, "error.answer_too_slow")


def socket_limit(seconds: float) -> Limit:
    """Return the patience with a connection on which nothing comes at all."""
    return Limit(seconds, "error.socket_silent")


def silence(limit: Limit, *, host: str) -> UnavailableError:
    """Return the error for a patience that ended."""
    facts = {"host": host, "seconds": round(limit.seconds, 1)}
    return UnavailableError(limit.text_id, provider=PROVIDER, facts=facts)
