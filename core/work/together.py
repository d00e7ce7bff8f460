"""Group commit: what comes while one transaction runs shares the next."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from core.errors import AppError

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


class Together(Generic[_Item, _Result]):
    """Writes items in batches, one batch at a time, in a thread. One event loop."""

    def __init__(self, write: Callable[[Sequence[_Item]], Sequence[_Result]]) -> None:
        self._write = write
        self._waiting: list[tuple[_Item, asyncio.Future[_Result]]] = []
        self._writer: asyncio.Task[None] | None = None

    async def write(self, item: _Item) -> _Result:
        """Write one item with whatever else waits; raises what its batch raises."""
        written: asyncio.Future[_Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, written))
        if self._writer is None:
            self._writer = asyncio.create_task(self._write_all(), name="write-together")
        return await written

    async def _write_all(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting, []
                items = [item for item, _ in batch]
                try:
                    results = await asyncio.to_thread(self._write, items)
                except AppError as error:
                    for _, written in batch:
                        if not written.done():  # whoever waited may have been cancelled
                            written.set_exception(error)
                else:
                    for (_, written), result in zip(batch, results, strict=True):
                        if not written.done():
                            written.set_result(result)
        finally:
            self._writer = None
