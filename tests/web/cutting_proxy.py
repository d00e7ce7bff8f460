"""A TCP proxy that cuts lines in the middle, as bad networks do."""

import asyncio
from collections.abc import Sequence

from tests.raw_server import RawServer

BREAKS_AFTER_S = 0.5


class CuttingProxy(RawServer):
    """Passes bytes on to `port`; cuts a line after each of `cuts` of reply, then lets be.

    A cut is a number of bytes, or the words after which it comes.
    """

    def __init__(self, port: int, cuts: Sequence[int | bytes]) -> None:
        super().__init__()
        self._target = port
        self._cuts = list(cuts)
        self.cuts_made = 0

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, onward = await asyncio.open_connection("127.0.0.1", self._target)
        up = asyncio.create_task(_copy(reader, onward))
        left = self._cuts.pop(0) if self._cuts else None
        try:
            while chunk := await there.read(4096):
                if isinstance(left, bytes) and left in chunk:
                    left = chunk.index(left) + len(left)
                if isinstance(left, int):
                    chunk = chunk[:left]
                    left -= len(chunk)
                writer.write(chunk)
                await writer.drain()
                if left == 0:
                    self.cuts_made += 1
                    # A reset would throw away what the reader has not read yet: let it read first.
                    # Chromium's own end of a line can overtake the bytes before it, too: a line
                    # that breaks does so some time after its last byte.
                    await asyncio.sleep(BREAKS_AFTER_S)
                    writer.write_eof()
                    await up
                    break
        except ConnectionError:
            pass
        finally:
            up.cancel()
            writer.transport.abort()
            onward.transport.abort()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while chunk := await reader.read(4096):
        writer.write(chunk)
