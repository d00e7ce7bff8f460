"""Replies for one client's tests: bodies in chosen pieces, and a raw server on loopback."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager

import httpx

from core.models.deltas import Delta, Extras
from core.providers.deepseek.events.stream import ChunkStream

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Pieces(httpx.AsyncByteStream):
    """A body that arrives in these pieces; an exception among them is raised in its turn."""

    def __init__(self, pieces: Iterable[bytes | Exception | asyncio.Event]) -> None:
        self._pieces = list(pieces)
        self.is_closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            if isinstance(piece, Exception):
                raise piece
            if isinstance(piece, asyncio.Event):
                await piece.wait()
            else:
                yield piece

    async def aclose(self) -> None:
        self.is_closed = True


def bytewise(body: bytes) -> list[bytes]:
    return [body[i : i + 1] for i in range(len(body))]


@asynccontextmanager
async def raw_server(serve: Serve) -> AsyncIterator[str]:
    """Yield the origin of a server that runs `serve` for every connection."""
    handlers: set[asyncio.Task[None]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        handlers.add(task)
        try:
            await serve(reader, writer)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            handlers.discard(task)
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()[:2]
    try:
        yield f"http://{host}:{port}"
    finally:
        server.close()
        for task in list(handlers):
            task.cancel()
        await server.wait_closed()


async def read_request(reader: asyncio.StreamReader) -> bytes:
    """Return the head of a request, its body read and dropped."""
    head = await reader.readuntil(b"\r\n\r\n")
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            await reader.readexactly(int(line.partition(b":")[2]))
    return head


async def deltas_in(stream: ChunkStream) -> AsyncIterator[Delta]:
    """Yield what a stream adds, delta by delta."""
    async for batch in stream.batches():
        for delta in batch:
            yield delta


def told_beside(deltas: Iterable[Delta]) -> list[Extras]:
    """Return what deltas tell beside the text, in turn."""
    return [delta.extras for delta in deltas if delta.extras is not None]
