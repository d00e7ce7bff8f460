"""A server on raw sockets, on a thread of its own."""

import asyncio
import contextlib
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterable
from types import TracebackType
from typing import Self


class RawServer(ABC):
    """Listens on a free `port` while its block runs; what a connection gets is the subclass's."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name=type(self).__name__, daemon=True)
        self._started = threading.Event()
        # asyncio itself holds tasks weakly: one that waits could be collected.
        self._serving: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self.port = 0

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

    @abstractmethod
    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection; cancelled when the block ends."""

    def _begin(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = self._loop.create_task(self._serve(reader, writer))
        self._serving.add(task)
        self._writers.add(writer)
        task.add_done_callback(self._serving.discard)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._begin, "127.0.0.1", 0))
        self.port = server.sockets[0].getsockname()[1]
        self._started.set()
        self._loop.run_forever()
        close_server(self._loop, server, self._writers)


def close_server(
    loop: asyncio.AbstractEventLoop,
    server: asyncio.Server,
    writers: Iterable[asyncio.StreamWriter],
) -> None:
    """Close a server, its connections and the loop, which has stopped, and leave no socket open."""
    for listening in server.sockets:
        loop.remove_reader(listening.fileno())
    # Who was accepted just now has a socket, and a task that is to begin: cancelled before it does,
    # or begun when the server is closed, it would leave the socket open.
    for _ in range(3):
        loop.run_until_complete(asyncio.sleep(0))
    server.close()
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
    for writer in writers:
        with contextlib.suppress(AttributeError):  # 3.11: one that has lost its connection
            writer.transport.abort()
    # What is closed lets its socket go one step of the loop later: unclosed, it would be told of in
    # whatever test comes to collect it.
    for _ in range(2):
        loop.run_until_complete(asyncio.sleep(0))
    loop.close()
