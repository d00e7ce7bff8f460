"""The exchange hook: whoever observes is told of each exchange with a provider, masked.

With no observer nothing is noted, and a request costs one look at an empty tuple.
"""

import logging
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx

from core.providers.http.aiohttp_transport import BODY, ReplyBody
from core.providers.http.bearer_facts import BearerFacts, bearer_facts
from core.providers.http.redaction import SECRET_MOST, clean_text
from core.providers.http.split_secrets import blanked
from core.wire.secrets import MASK

logger = logging.getLogger(__name__)

# Pictures travel in bodies; of a longer one the beginning tells enough.
BODY_MOST = 256 * 1024
_CHUNKS_MOST = 20_000
_HIDDEN = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key"})

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and what came of it, without secrets; times in seconds after `began_at`."""

    began_at: datetime
    method: str
    url: str  # without user, query and fragment
    request_headers: Headers
    request_body: str
    status_code: int | None  # None: no reply came
    response_headers: Headers
    response_body: str
    chunks: tuple[tuple[float, int], ...]  # when bytes of a streamed body came, and how many
    first_byte_s: float | None  # of the headers
    duration_s: float
    error: str  # the class of what broke it off, or empty
    is_cut: bool  # a body was longer than BODY_MOST
    subject: str = ""  # what it was for, as `mark_exchanges` said
    bearer: BearerFacts | None = None  # of a token that tells of itself


Observer = Callable[[Exchange], None]

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
    def __init__(self, request: httpx.Request) -> None:
        self._request = request
        self._subject = _subject.get()
        self._began_at = datetime.now(UTC)
        self._began = time.perf_counter()
        self._response: httpx.Response | None = None
        self._first_byte_s: float | None = None
        self._body = bytearray()
        self._chunks: list[tuple[float, int]] = []
        self.packing = ""
        self._has_ended = False

    def answered(self, response: httpx.Response) -> None:
        self._response = response
        self._first_byte_s = self._elapsed()

    def add(self, chunk: bytes) -> None:
        if len(self._chunks) < _CHUNKS_MOST:
            self._chunks.append((self._elapsed(), len(chunk)))
        self._body += chunk[: max(BODY_MOST + 1 - len(self._body), 0)]

    def end(self, error: BaseException | None = None) -> None:
        if self._has_ended:
            return
        self._has_ended = True
        exchange = self._exchange(error)
        for observer in _observers:
            try:
                observer(exchange)
            except Exception:  # whatever it is, it must not harm what is paid for
                logger.exception("an observer of exchanges failed")

    def _exchange(self, error: BaseException | None) -> Exchange:
        request, response = self._request, self._response
        sent = _content(request)
        return Exchange(
            began_at=self._began_at,
            method=request.method,
            url=clean_text(str(request.url)),
            request_headers=_headers(request.headers),
            request_body=_text(sent),
            status_code=None if response is None else response.status_code,
            response_headers=() if response is None else _headers(response.headers),
            response_body="" if response is None else _text(blanked(self._unpacked())),
            chunks=tuple(self._chunks),
            first_byte_s=self._first_byte_s,
            duration_s=self._elapsed(),
            error="" if error is None else type(error).__name__,
            is_cut=max(len(sent), len(self._body)) > BODY_MOST,
            subject=self._subject,
            bearer=bearer_facts(request.headers.get("authorization", "")),
        )

    def _unpacked(self) -> bytes:
        """Return the body that came: packed, no secret in it could be seen."""
        body = bytes(self._body)
        if not self.packing:
            return body
        try:
            headers = {"content-encoding": self.packing}
            return httpx.Response(200, headers=headers, content=body).content
        except httpx.DecodingError:
            return b""

    def _elapsed(self) -> float:
        return time.perf_counter() - self._began


class _RecordedBody(httpx.AsyncByteStream):
    """A streamed body whose chunks are noted as they are read."""

    def __init__(self, response: httpx.Response, recording: _Recording) -> None:
        assert isinstance(response.stream, httpx.AsyncByteStream)
        self._stream = response.stream
        self._body: ReplyBody | None = response.extensions.get(BODY)
        self._recording = recording
        recording.packing = response.headers.get("content-encoding", "")

    async def read(self) -> bytes:
        """Return whatever has come, as ReplyBody does; empty at the end."""
        assert self._body is not None
        try:
            chunk = await self._body.read()
        except BaseException as error:
            self._recording.end(error)
            raise
        if chunk:
            self._recording.add(chunk)
        return chunk

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
        recording.add(response.content)
        recording.end()
        return response
    body = _RecordedBody(response, recording)
    response.stream = body
    if BODY in response.extensions:
        response.extensions[BODY] = body
    return response


def _content(request: httpx.Request) -> bytes:
    try:
        return request.content
    except httpx.RequestNotRead:  # it went out in pieces
        return b""


def _headers(headers: httpx.Headers) -> Headers:
    return tuple(
        (name, MASK if name in _HIDDEN else clean_text(value))
        for name, value in headers.multi_items()
    )


def _text(body: bytes) -> str:
    """Return a body as masked text; a secret that the bound cuts is not half shown."""
    shown = clean_text(body[:BODY_MOST].decode("utf-8", "replace"))
    return shown if len(body) <= BODY_MOST else shown[:-SECRET_MOST]
