"""A TCP relay in front of a server that counts what its websockets bring, compressed as it is."""

import asyncio
from contextlib import suppress
from urllib.parse import urlsplit

from tests.raw_server import RawServer


class Relay(RawServer):
    """Passes bytes on to the server at `url`; `size_bytes` came back on websockets."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._port = urlsplit(url).port or 80
        self.size_bytes = 0

    @property
    def url(self) -> str:
        """Where a page opens instead."""
        return f"http://127.0.0.1:{self.port}"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, onward = await asyncio.open_connection("127.0.0.1", self._port)
        first = await reader.read(65_536)
        onward.write(first)
        up = asyncio.create_task(_copy(reader, onward))
        counts = b"upgrade: websocket" in first.lower()
        with suppress(ConnectionError):
            while chunk := await there.read(65_536):
                self.size_bytes += len(chunk) if counts else 0
                writer.write(chunk)
                await writer.drain()
        up.cancel()
        writer.transport.abort()
        onward.transport.abort()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while chunk := await reader.read(65_536):
            writer.write(chunk)
            await writer.drain()
