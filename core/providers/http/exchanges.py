"""The exchange hook: whoever observes is handed each exchange with a provider that ended.

With no observer nothing is noted, and a request costs one look at an empty tuple. With one, each
piece of a streamed body costs an append: masking waits until somebody looks (`kept_exchange`).
"""

import logging
from collections.abc import AsyncIterator, Callable, Coroutine
from contextvars import ContextVar
from datetime import UTC, datetime
from time import perf_counter
from typing import Any
from weakref import WeakSet

import httpx

from core.providers.http.aiohttp_transport import BODY, ReplyBody
from core.providers.http.kept_exchange import CHUNK_BYTES, KeptExchange, RawExchange

logger = logging.getLogger(__name__)

# What is kept of a body, with what its pieces take beside their bytes: some 1,200 events.
BODY_MOST = 512 * 1024
# Of more that are open at once only the times and sizes are kept: they are all in memory together.
OPEN_MOST = 64
_NOT_TEXT = ("image/", "video/", "audio/", "application/octet-stream")
_NO_HEADERS = httpx.Headers()

Observer = Callable[[KeptExchange], None]

_observers: tuple[Observer, ...] = ()
_subject: ContextVar[str] = ContextVar("subject of exchanges", default="")


def observe(observer: Observer) -> Callable[[], None]:
    """Tell `observer` of each exchange that ends from now on; return what takes it off again.

    It is called where the request ran: it must be quick, and what it raises is logged only.
    """
    global _observers
    _observers = (*_observers, observer)

    def remove() -> None:
        global _observers
        _observers = tuple(one for one in _observers if one is not observer)

    return remove


def mark_exchanges(subject: str) -> None:
    """Mark what this asyncio task asks from now on, and tasks begun in it, as about a subject."""
    _subject.set(subject)


def observed(
    request: httpx.Request, sending: Coroutine[Any, Any, httpx.Response]
) -> Coroutine[Any, Any, httpx.Response]:
    """Return what sends the request, noted down where anyone observes."""
    return _noted(_Recording(request), sending) if _observers else sending


class _Recording:
    """What is noted while an exchange goes on, unmasked."""

    def __init__(self, request: httpx.Request) -> None:
        self._request = request
        self._subject = _subject.get()
        self._began_at = datetime.now(UTC)
        self._began = perf_counter()
        # Not the reply itself: what reads its body holds this.
        self._status_code: int | None = None
        self._response_headers = _NO_HEADERS
        self._first_byte_s: float | None = None
        # Two lists and no pairs: what the garbage collector follows would grow with each piece.
        self._times: list[float] = []
        self._pieces: list[bytes] = []
        self._room = BODY_MOST if len(_open) < OPEN_MOST else 0
        self._note_time, self._note_piece = self._times.append, self._pieces.append
        self._left_out = 0  # bytes that were not kept
        self.packing = ""
        self._has_ended = False
        _open.add(self)

    def answered(self, response: httpx.Response) -> None:
        self._status_code, self._response_headers = response.status_code, response.headers
        self._first_byte_s = perf_counter() - self._began
        if response.headers.get("content-type", "").startswith(_NOT_TEXT):
            self._room = 0

    def add(self, chunk: bytes) -> None:
        """Keep a piece and when it came, while there is room: this is all that a stream pays."""
        room = self._room
        if room > 0:
            self._note_time(perf_counter())
            self._note_piece(chunk)
            self._room = room - len(chunk) - CHUNK_BYTES
        else:
            self._left_out += len(chunk)

    def add_whole(self, body: bytes) -> None:
        """Keep a body that came in one piece, as far as there is room."""
        kept = body[: max(self._room, 0)]
        if kept:
            self._note_time(perf_counter())
            self._note_piece(kept)
        self._left_out += len(body) - len(kept)

    def end(self, error: BaseException | None = None) -> None:
        if self._has_ended:
            return
        self._has_ended = True
        _open.discard(self)
        try:
            kept = KeptExchange(self._raw(error))
            for observer in _observers:
                observer(kept)
        except Exception:  # whatever it is, it must not harm what is paid for
            logger.exception("an observer of exchanges failed")

    def _raw(self, error: BaseException | None) -> RawExchange:
        request = self._request
        sent = _content(request)
        return RawExchange(
            began_at=self._began_at,
            method=request.method,
            url=request.url,
            request_headers=request.headers,
            request_body=sent[:BODY_MOST],
            status_code=self._status_code,
            response_headers=self._response_headers,
            began=self._began,
            times=self._times,
            pieces=self._pieces,
            packing=self.packing,
            first_byte_s=self._first_byte_s,
            duration_s=perf_counter() - self._began,
            error="" if error is None else type(error).__name__,
            size_bytes=self._left_out + sum(map(len, self._pieces)),
            is_request_cut=len(sent) > BODY_MOST,
            is_reply_cut=self._left_out > 0,
            subject=self._subject,
        )


# Those whose reply is still coming; one that is dropped without an end leaves by itself.
_open: WeakSet[_Recording] = WeakSet()


class _RecordedBody(httpx.AsyncByteStream):
    """A streamed body of httpx's own transport, whose chunks are noted as they are read."""

    def __init__(self, stream: httpx.AsyncByteStream, recording: _Recording) -> None:
        self._stream = stream
        self._recording = recording

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._stream:
                self._recording.add(chunk)
                yield chunk
        except GeneratorExit:  # nobody reads on
            raise
        except BaseException as error:
            self._recording.end(error)
            raise

    async def aclose(self) -> None:
        """End the exchange, and let the connection go."""
        self._recording.end()
        await self._stream.aclose()


async def _noted(
    recording: _Recording, sending: Coroutine[Any, Any, httpx.Response]
) -> httpx.Response:
    try:
        response = await sending
    except BaseException as error:
        recording.end(error)
        raise
    recording.answered(response)
    if response.is_closed:  # read whole by httpx
        recording.add_whole(response.content)
        recording.end()
        return response
    recording.packing = response.headers.get("content-encoding", "")
    body: ReplyBody | None = response.extensions.get(BODY)
    if body is not None:
        body.tap = recording
    else:
        assert isinstance(response.stream, httpx.AsyncByteStream)
        response.stream = _RecordedBody(response.stream, recording)
    return response


def _content(request: httpx.Request) -> bytes:
    try:
        return request.content
    except httpx.RequestNotRead:  # it went out in pieces
        return b""
