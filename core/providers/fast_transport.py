"""httpx over aiohttp's sockets: a streamed reply costs a third of what httpx's own transport takes.

Only for chat. What became of a request that failed must be told exactly where money is at stake,
and there httpx's own transport stays.
"""

import socket
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport
from httpx_aiohttp.transport import AiohttpResponseStream

# Servers drop idle connections after 5 s (Node, uvicorn): whoever sends on one at that very moment
# loses the request, so we are earlier.
KEEP_ALIVE_S = 4
# A fast answer must not hold up the loop, and with it everyone who is asking just now.
READ_BYTES = 16 * 1024
# What an upstream sends ahead waits in the system's buffer and comes in one piece, up to a quarter
# of a megabyte for each stream, in small parts: answers at full speed filled the memory with it.
RECEIVE_BYTES = 48 * 1024

_READ_ANY = "read_any"

Read = Callable[[], Awaitable[bytes]]


class FastTransport(AiohttpTransport):
    """AiohttpTransport, with failures that say how far the request had come.

    The read timeout covers the wait for the reply's headers; whoever reads the body watches the
    clock: aiohttp would start a timer for every read.
    """

    def __init__(self, *, verify: ssl.SSLContext) -> None:
        super().__init__(verify=verify)

    def get_client(self) -> aiohttp.ClientSession:
        # Of itself the package would allow 100 connections: the 101st answer would wait.
        connector = aiohttp.TCPConnector(
            limit=0,
            keepalive_timeout=KEEP_ALIVE_S,
            ssl=self.ssl_context,
            socket_factory=_small_socket,
        )
        return aiohttp.ClientSession(connector=connector, read_bufsize=READ_BYTES)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        try:
            response = await super().handle_async_request(request)
        except httpx.TransportError as error:
            # The package takes a server that hung up for one that was never reached.
            if isinstance(error.__cause__, aiohttp.ConnectionTimeoutError):
                raise httpx.ConnectTimeout(str(error), request=request) from error
            if isinstance(error.__cause__, aiohttp.ClientConnectorError):
                raise httpx.ConnectError(str(error), request=request) from error
            if isinstance(error, httpx.ConnectTimeout):
                raise httpx.ReadError(str(error), request=request) from error
            raise
        assert isinstance(response.stream, AiohttpResponseStream)
        reply = response.stream._aiohttp_response
        response.extensions[_READ_ANY] = _reader(reply.content)
        if reply.connection is not None and reply.connection.protocol is not None:
            reply.connection.protocol.read_timeout = None
            reply.connection.protocol.start_timeout()
        return response


def chunk_reader(response: httpx.Response) -> Read:
    """Return what reads the next bytes of a body, whatever has come; empty at its end."""
    direct: Read | None = response.extensions.get(_READ_ANY)
    if direct is not None and "content-encoding" not in response.headers:
        return direct  # past five layers of generators
    chunks = response.aiter_bytes()

    async def read() -> bytes:
        return await anext(chunks, b"")

    return read


def _reader(content: aiohttp.StreamReader) -> Read:
    async def read() -> bytes:
        try:
            return await content.read(READ_BYTES)
        except aiohttp.ClientError as error:
            raise httpx.ReadError(str(error)) from error

    return read


def _small_socket(address: "aiohttp.AddrInfoType") -> socket.socket:
    family, kind, protocol, *_ = address
    made = socket.socket(family, kind, protocol)
    with suppress(OSError):  # where a system refuses, its own size will do
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)
    return made
