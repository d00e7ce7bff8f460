"""How long an answer is waited for, and what is said when a patience ends.

The socket lives while anything comes, comments included; the answer moves only when data comes
(deepseek.md sections 4 and 8). Both are measured while we wait, not while the reader thinks.
"""

import asyncio
from dataclasses import dataclass
from typing import NamedTuple

import httpx

from core.errors import UnavailableError
from core.providers.deepseek_wire import PROVIDER, ChatServer


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


def default_timers(server: ChatServer) -> StreamTimers:
    """Return the timers that suit a server: DeepSeek sends comments while one waits."""
    return StreamTimers() if server.speaks_deepseek else _PATIENT


class Limit(NamedTuple):
    """A patience: how long, and what to say when it ends."""

    seconds: float
    text_id: str
    sentence: str


class TimedBody:
    """Reads the body of a reply, and says which patience ended."""

    def __init__(
        self, response: httpx.Response, *, host: str, timers: StreamTimers, waited_s: float
    ) -> None:
        self._bytes = response.aiter_bytes()
        self._host = host
        self._socket_silence_s = timers.socket_silence_s
        self._limit = queue_limit(timers)
        self._waited_s = waited_s

    def wait_for(self, limit: Limit, *, waited_s: float = 0.0) -> None:
        """Wait up to `limit` from now on."""
        self._limit = limit
        self._waited_s = waited_s

    async def read(self) -> bytes:
        """Return what came next; empty at the end of the body."""
        clock = asyncio.get_running_loop().time
        began = clock()
        left_s = self._limit.seconds - self._waited_s
        try:
            # The client's read timeout watches the socket; our own is armed only when it is due
            # first, which spares every stream a timer for every read.
            if left_s > self._socket_silence_s:
                chunk = await anext(self._bytes, b"")
            else:
                async with asyncio.timeout(left_s):
                    chunk = await anext(self._bytes, b"")
        except TimeoutError as error:
            raise silence(self._limit, host=self._host) from error
        except httpx.ReadTimeout as error:
            raise silence(socket_limit(self._socket_silence_s), host=self._host) from error
        except httpx.HTTPError as error:
            raise cut_off(self._host) from error
        self._waited_s += clock() - began
        return chunk


def queue_limit(timers: StreamTimers) -> Limit:
    """Return the patience with an answer that has not begun."""
    return Limit(
        timers.first_data_s,
        "error.queue_too_long",
        "{host} kept the request waiting for {seconds} seconds without beginning; try again later.",
    )


def next_data_limit(timers: StreamTimers) -> Limit:
    """Return the patience with an answer that has begun."""
    return Limit(
        timers.data_silence_s,
        "error.answer_stalled",
        "The answer from {host} stopped moving for {seconds} seconds; what came is kept, try "
        "again.",
    )


def whole_answer_limit(timers: StreamTimers) -> Limit:
    """Return the patience with an answer that comes in one piece."""
    return Limit(
        timers.whole_answer_s,
        "error.answer_too_slow",
        "{host} did not finish the answer within {seconds} seconds; try again, streaming.",
    )


def socket_limit(seconds: float) -> Limit:
    """Return the patience with a connection on which nothing comes at all."""
    return Limit(
        seconds,
        "error.socket_silent",
        "Nothing came from {host} for {seconds} seconds; the connection seems dead, try again.",
    )


def silence(limit: Limit, *, host: str) -> UnavailableError:
    """Return the error for a patience that ended."""
    facts = {"host": host, "seconds": round(limit.seconds, 1)}
    return UnavailableError(
        limit.sentence.format(**facts), provider=PROVIDER, text_id=limit.text_id, facts=facts
    )


def cut_off(host: str) -> UnavailableError:
    """Return the error for an answer that ended without saying that it had."""
    return UnavailableError(
        f"The answer from {host} was cut off before its end; what came is kept, try again.",
        provider=PROVIDER,
        text_id="error.cut_off",
        facts={"host": host},
    )
