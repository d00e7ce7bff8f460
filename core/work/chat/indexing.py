"""Brings what was said into the search index while nothing more urgent goes on."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress

from core.errors import StoreError
from core.storage.chat.search_index import SearchIndex

logger = logging.getLogger(__name__)

PAUSE_S = 0.5  # behind an answer's end, in which the next one may begin
SWEEP_S = 60.0  # for what other processes, and imports, leave
# What waits is searched text by text: more than this is indexed however busy the process is.
WAITING_MOST = 500


class Indexing:
    """Fills the index. On the studio's loop."""

    def __init__(self, index: SearchIndex, is_busy: Callable[[], bool]) -> None:
        self._index = index
        self._is_busy = is_busy
        self._is_poked = asyncio.Event()
        self._is_troubled = False

    def wake(self) -> None:
        """Look soon: something was written down."""
        self._is_poked.set()

    async def run(self) -> None:
        """Index what comes, until cancelled."""
        while True:
            self._is_poked.clear()
            try:
                await self._index_all()
                self._is_troubled = False
            except StoreError as error:  # nothing is lost: what waits is searched all the same
                if not self._is_troubled:
                    logger.warning("The search index waits: %s", error)
                self._is_troubled = True
            with suppress(TimeoutError):
                async with asyncio.timeout(SWEEP_S):
                    await self._is_poked.wait()

    async def _index_all(self) -> None:
        """Index until nothing waits; while the process is busy only what is too much."""
        while True:
            await asyncio.sleep(PAUSE_S)
            while waiting := await asyncio.to_thread(self._index.waiting):
                if self._is_busy() and waiting <= WAITING_MOST:
                    break
                await asyncio.to_thread(self._index.catch_up)
            if not waiting:
                return
