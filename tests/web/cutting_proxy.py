"""A TCP proxy that cuts lines in the middle, as bad networks do."""

import asyncio
import threading
from types import TracebackType
from typing import Self


class CuttingProxy:
    """Passes bytes on to `port`; cuts a line after each of `cuts` bytes of reply, then lets be."""

    def __init__(self, port: int, cuts: list[int]) -> None:
        self._target = port
        self._cuts = list(cuts)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="cutting-proxy", daemon=True)
        self._started = threading.Event()
        self.port = 0
        self.cuts_made = 0

    def __enter__(self) -> Self:
        self._thread.start()
        self._started.wait()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.port = server.sockets[0].getsockname()[1]
        self._started.set()
        self._loop.run_forever()
        server.close()
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self._loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, onward = await asyncio.open_connection("127.0.0.1", self._target)
        up = asyncio.create_task(_copy(reader, onward))
        left = self._cuts.pop(0) if self._cuts else None
        try:
            while chunk := await there.read(4096):
                if left is not None:
                    chunk = chunk[:left]
                    left -= len(chunk)
                writer.write(chunk)
                await writer.drain()
                if left == 0:
                    self.cuts_made += 1
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
