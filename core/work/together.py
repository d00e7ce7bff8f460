"""Group commit: what comes while one transaction runs shares the next."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from core.errors import AppError

_Item = TypeVar("_Item")


class Together(Generic[_Item]):
    """Writes items in batches, one batch at a time, in a thread. One event loop.

    A batch holds `most` items; before each, `gather_s` passes for more to come.
    """

    def __init__(
        self, write: Callable[[Sequence[_Item]], None], *, most: int, gather_s: float = 0.0
    ) -> None:
        self._write = write
        self._most = most
        self._gather_s = gather_s
        self._waiting: list[tuple[_Item, asyncio.Future[None]]] = []
        self._writer: asyncio.Task[None] | None = None

    def write(self, item: _Item) -> "asyncio.Future[None]":
        """Write one item with whatever else waits; done once it is written, or its batch failed."""
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, written))
        if self._writer is None:
            self._writer = asyncio.create_task(self._write_all(), name="write-together")
        return written

    async def _write_all(self) -> None:
        try:
            while self._waiting:
                await asyncio.sleep(self._gather_s)
                batch, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
                items = [item for item, _ in batch]
                try:
                    await asyncio.to_thread(self._write, items)
                except AppError as error:
                    for _, written in batch:
                        if not written.done():  # whoever waited may have been cancelled
                            written.set_exception(error)
                else:
                    for _, written in batch:
                        if not written.done():
                            written.set_result(None)
        finally:
            self._writer = None
