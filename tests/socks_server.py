"""A SOCKS5 proxy as small as it can be: names are resolved here, all to one place."""

import asyncio
from contextlib import suppress

from tests.raw_server import RawServer


class SocksServer(RawServer):
    """Carries every connection to `port_of_all` on loopback; `asked` holds the names and ports.

    With `credentials` it wants them; with `reply` it says just that, as other servers would.
    """

    def __init__(
        self, port_of_all: int, *, credentials: bytes | None = None, reply: bytes | None = None
    ) -> None:
        super().__init__()
        self._port_of_all = port_of_all
        self._credentials = credentials
        self._reply = reply
        self.asked: list[tuple[str, int]] = []

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(OSError, asyncio.IncompleteReadError):
                await self._carry(reader, writer)
        finally:
            writer.close()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        _version, count = await reader.readexactly(2)
        await reader.readexactly(count)
        if self._reply is not None:
            writer.write(self._reply)
            await writer.drain()
            return
        writer.write(b"\x05\x02" if self._credentials else b"\x05\x00")
        if self._credentials:
            _version, length = await reader.readexactly(2)
            user = await reader.readexactly(length)
            (length,) = await reader.readexactly(1)
            password = await reader.readexactly(length)
            is_right = user + b":" + password == self._credentials
            writer.write(b"\x01\x00" if is_right else b"\x01\x01")
            if not is_right:
                await writer.drain()
                return
        _version, _command, _reserved, kind = await reader.readexactly(4)
        assert kind == 3, "a name was resolved before it came here"
        (length,) = await reader.readexactly(1)
        name = (await reader.readexactly(length)).decode()
        port = int.from_bytes(await reader.readexactly(2), "big")
        self.asked.append((name, port))
        there, away = await asyncio.open_connection("127.0.0.1", self._port_of_all)
        writer.write(b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00")
        try:
            await asyncio.gather(copy(reader, away), copy(there, writer))
        finally:
            away.close()


async def copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    """Carry what comes until its end."""
    with suppress(OSError):
        while piece := await source.read(65_536):
            target.write(piece)
            await target.drain()
        target.write_eof()
