"""httpx over aiohttp's sockets: a streamed reply costs a third of what httpx's own transport takes.

Only for chat. What became of a request that failed must be told exactly where money is at stake,
and there httpx's own transport stays.
"""

import io
import socket
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress
from contextvars import ContextVar
from functools import partial
from typing import Any, Protocol
from weakref import WeakSet

import aiohttp
import httpx
from aiohttp.client_proto import ResponseHandler

from core.providers.http.reply import Reply

# A new connection costs two or three ways to the provider and back before each question. One that
# the server drops (Node and uvicorn do so after 5 s) is noticed; who sends at that very moment asks
# once more.
KEEP_ALIVE_S = 30
# A kept connection that the server had closed fails within one way there and back. Who is hung up
# on later was heard, and may be billed.
STALE_S = 0.5
# A fast answer must not hold up the loop, and with it everyone who is asking just now; twice this
# much may lie here for each stream.
READ_BYTES = 8 * 1024
# What an upstream sends ahead waits in the system's buffer and comes in one piece, up to a quarter
# of a megabyte for each stream, in small parts: answers at full speed filled the memory with it.
RECEIVE_BYTES = 48 * 1024

# A larger body is sent in pieces: written at once, it holds up the loop.
SENT_AT_ONCE_BYTES = 512 * 1024

# A request's extension: sent on a connection of its own, so that a server which hangs up is never
# taken for one that had closed a kept connection. What is paid for by the call is asked so.
ONCE = "once"
BODY = "body"  # where a reply keeps its ReplyBody

# aiohttp's errors as httpx's, the more special before the more general.
_ERRORS: tuple[tuple[type[Exception], type[httpx.TransportError]], ...] = (
    (aiohttp.ConnectionTimeoutError, httpx.ConnectTimeout),
    (aiohttp.ClientConnectorError, httpx.ConnectError),
    (aiohttp.ServerTimeoutError, httpx.ReadTimeout),
    (aiohttp.InvalidURL, httpx.UnsupportedProtocol),
    (aiohttp.NonHttpUrlClientError, httpx.UnsupportedProtocol),
    (aiohttp.ClientResponseError, httpx.RemoteProtocolError),
    (aiohttp.ClientError, httpx.ReadError),
)

Read = Callable[[], Awaitable[bytes]]


class FastTransport(httpx.AsyncBaseTransport):
    """Sends whole requests, and streams the replies. Keeps no cookies, follows nothing.

    Failures say how far the request had come: ConnectError and ConnectTimeout only where it was not
    sent. The read timeout covers the wait for the reply's headers; whoever reads the body watches
    the clock: aiohttp would start a timer for every read.
    """

    def __init__(self, *, verify: ssl.SSLContext) -> None:
        self._verify = verify
        self._session: aiohttp.ClientSession | None = None  # made on the loop it is used on

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request (httpx's interface of a transport)."""
        if self._session is None:
            self._session = self._open_session()
        _wants_new.set(bool(request.extensions.get(ONCE)))
        began = time.monotonic()
        try:
            reply = await self._send(self._session, request)
        except aiohttp.ClientError as error:
            if not _was_stale(error) or time.monotonic() - began > STALE_S:
                raise _as_httpx(error, request) from error
            _wants_new.set(True)
            try:
                reply = await self._send(self._session, request)
            except aiohttp.ClientError as again:
                raise _as_httpx(again, request) from again
        if reply.connection is not None and reply.connection.protocol is not None:
            reply.connection.protocol.read_timeout = None
            reply.connection.protocol.start_timeout()
        body = ReplyBody(reply)
        return Reply(
            reply.status,
            headers=httpx.Headers(list(reply.raw_headers), encoding="latin-1"),
            stream=body,
            extensions={"http_version": b"HTTP/1.1", BODY: body},
        )

    async def aclose(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()

    async def _send(
        self, session: aiohttp.ClientSession, request: httpx.Request
    ) -> aiohttp.ClientResponse:
        return await session.request(
            request.method,
            str(request.url),
            headers=[(name.decode(), value.decode()) for name, value in request.headers.raw],
            data=_payload(await request.aread()),
            allow_redirects=False,
            timeout=_timeout(request.extensions.get("timeout", {})),
        )

    def _open_session(self) -> aiohttp.ClientSession:
        # Of itself aiohttp would allow 100 connections: the 101st answer would wait.
        connector = _Connector(
            limit=0, keepalive_timeout=KEEP_ALIVE_S, ssl=self._verify, socket_factory=_small_socket
        )
        return aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            read_bufsize=READ_BYTES,
        )


# Of the request that is being sent: whether its connection was a kept one, and must not be one.
_is_kept: ContextVar["_HearingProtocol | None"] = ContextVar("is_kept", default=None)
_wants_new: ContextVar[bool] = ContextVar("wants_new", default=False)


class _HearingProtocol(ResponseHandler):
    """aiohttp's protocol, which knows whether any byte has come since the request began."""

    has_heard = False

    def data_received(self, data: bytes) -> None:
        """Take in bytes (asyncio's interface of a protocol)."""
        self.has_heard = True
        super().data_received(data)


class _Connector(aiohttp.TCPConnector):
    """A connection pool that tells kept connections from new ones."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._used: WeakSet[object] = WeakSet()
        # Typed by the class itself, where anything that makes one would do.
        self._factory = partial(_HearingProtocol, loop=self._loop)  # type: ignore[assignment]

    async def connect(self, *request: Any, **how: Any) -> Any:
        """Return a connection (aiohttp's interface of a connector)."""
        while True:
            connection = await super().connect(*request, **how)
            is_kept = connection.protocol in self._used
            if not (is_kept and _wants_new.get()):
                break
            connection.close()
        protocol = connection.protocol
        assert isinstance(protocol, _HearingProtocol)
        self._used.add(protocol)
        protocol.has_heard = False
        _is_kept.set(protocol if is_kept else None)
        return connection


class Tap(Protocol):
    """Who is shown the pieces of a body as they come."""

    def add(self, chunk: bytes) -> None:
        """Take a piece."""

    def end(self, error: BaseException | None = None) -> None:
        """Know that nothing more will come; it may be told twice."""


class ReplyBody(httpx.AsyncByteStream):
    """The body of a reply, as it comes."""

    def __init__(self, reply: aiohttp.ClientResponse) -> None:
        self.reply = reply
        self.tap: Tap | None = None

    async def read(self) -> bytes:
        """Return whatever has come, some READ_BYTES at most; empty at the end."""
        try:
            chunk = await self.reply.content.readany()
        except aiohttp.ClientError as error:
            raise self._read_error(error) from error
        except BaseException as error:
            if self.tap is not None:
                self.tap.end(error)
            raise
        if (tap := self.tap) is not None and chunk:
            tap.add(chunk)
        return chunk

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while chunk := await self.read():
            yield chunk

    # Not made where it is raised: a frame that holds what it raises is a reference cycle.
    def _read_error(self, error: aiohttp.ClientError) -> httpx.ReadError:
        told = httpx.ReadError(str(error))
        if self.tap is not None:
            self.tap.end(told)
        return told

    async def aclose(self) -> None:
        """Keep the connection when the body was read to its end, else close it."""
        if (tap := self.tap) is not None:
            self.tap = None
            tap.end()
        self.reply.release()


def chunk_reader(response: httpx.Response) -> Read:
    """Return what reads the next bytes of a body, whatever has come; empty at its end."""
    body: ReplyBody | None = response.extensions.get(BODY)
    if body is not None and "content-encoding" not in response.headers:
        return body.read  # past five layers of generators
    chunks = response.aiter_bytes()

    async def read() -> bytes:
        return await anext(chunks, b"")

    return read


def _payload(body: bytes) -> aiohttp.payload.Payload:
    """Return a body as it is written: a large one in pieces, which does not hold up the loop."""
    if len(body) <= SENT_AT_ONCE_BYTES:
        return aiohttp.BytesPayload(body)
    return aiohttp.BytesIOPayload(io.BytesIO(body))


def _timeout(seconds: Mapping[str, float | None]) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(
        connect=seconds.get("pool"),
        sock_connect=seconds.get("connect"),
        sock_read=seconds.get("read"),
    )


def _as_httpx(error: aiohttp.ClientError, request: httpx.Request) -> httpx.TransportError:
    kind = next(ours for theirs, ours in _ERRORS if isinstance(error, theirs))
    return kind(str(error), request=request)


def _was_stale(error: aiohttp.ClientError) -> bool:
    """Tell whether a kept connection had been closed: no byte of an answer came on it."""
    kept = _is_kept.get()
    if kept is None or kept.has_heard:
        return False
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return isinstance(error.message, str)  # else it is what came of the reply's head
    return isinstance(error, aiohttp.ClientOSError) and not isinstance(
        error, aiohttp.ClientConnectorError
    )


def _small_socket(address: "aiohttp.AddrInfoType") -> socket.socket:
    family, kind, protocol, *_ = address
    made = socket.socket(family, kind, protocol)
    with suppress(OSError):  # where a system refuses, its own size will do
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)
    return made
