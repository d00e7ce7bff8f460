"""Group commit: what comes while one transaction runs shares the next."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Generic, TypeVar

from core.errors import AppError, StoreError

logger = logging.getLogger(__name__)

_Item = TypeVar("_Item")
_Refused = Mapping[int, Exception]

_STORE_TROUBLES = (
    "error.store_locked",
    "error.store_full",
    "error.store_readonly",
    "error.store_gone",
)


class GroupCommit(Generic[_Item]):
    """Writes items in batches, one batch at a time, in a thread. One event loop.

    A batch holds `most` items; before each, `gather_s` passes for more to come. `write` returns
    which of its items were refused by themselves, by their places; all others are written.
    """

    def __init__(
        self, write: Callable[[Sequence[_Item]], _Refused], *, most: int, gather_s: float = 0.0
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
        batch: list[tuple[_Item, asyncio.Future[None]]] = []
        try:
            while self._waiting:
                await asyncio.sleep(self._gather_s)
                batch, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
                error, refused = await self._try(batch)
                if error is None or len(batch) == 1 or _is_about_the_store(error):
                    _settle(batch, error, refused)
                else:  # one of them cannot be written: the others must not suffer for it
                    for one in batch:
                        _settle([one], *await self._try([one]))
                batch = []
        finally:
            self._writer = None
            for _, written in (*batch, *self._waiting):  # the loop is closing
                written.cancel()

    async def _try(
        self, batch: Sequence[tuple[_Item, "asyncio.Future[None]"]]
    ) -> tuple[Exception | None, _Refused]:
        try:
            refused = await asyncio.to_thread(self._write, [item for item, _ in batch])
        except Exception as error:  # whatever it is, those who wait must hear of it
            if not isinstance(error, AppError):
                logger.exception("A batch of %d could not be written", len(batch))
            return error, {}
        return None, refused


def _is_about_the_store(error: Exception) -> bool:
    """Tell whether nothing can be written just now, whatever it is."""
    return isinstance(error, StoreError) and error.text_id in _STORE_TROUBLES


def _settle(
    batch: Sequence[tuple[object, "asyncio.Future[None]"]],
    error: Exception | None,
    refused: _Refused,
) -> None:
    for place, (_, written) in enumerate(batch):
        if written.done():  # whoever waited may have been cancelled
            continue
        trouble = error or refused.get(place)
        if trouble is None:
            written.set_result(None)
        else:
            written.set_exception(trouble)
