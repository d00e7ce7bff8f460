"""The leases under which this process works on generations: renewed, given up in time, freed."""

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime

from core.errors import StoreError
from core.storage.store import Store
from core.work.generations.timings import WorkerTimings
from core.work.standing_leases import StandingLeases

logger = logging.getLogger(__name__)

RENEW_AT_ONCE = 1_000  # ids in one statement; databases limit their number
# A lease that cannot be renewed is given up after this part of it, before anyone may take it over.
LET_GO_AFTER = 0.8


class GenerationLeases:
    """Renews what is `held`, and has dropped what others may take over. On the studio's loop."""

    def __init__(
        self,
        store: Store,
        *,
        provider: str,
        process_id: str,
        timings: WorkerTimings,
        clock: Callable[[], float],
        held: Callable[[], Collection[str]],
        drop: Callable[[str], None],
        tell_store_error: Callable[[StoreError], None],
    ) -> None:
        self._store = store
        self._provider = provider
        self._process_id = process_id
        self._timings = timings
        self._clock = clock
        self._held = held
        self._drop = drop
        self._tell_store_error = tell_store_error
        self._standing = StandingLeases(clock, lease_s=timings.lease_s)
        self._freeing: set[asyncio.Task[None]] = set()

    async def hold(self) -> None:
        """Renew the leases in time, until cancelled."""
        renewed_at = self._clock()
        while True:
            await asyncio.sleep(self._timings.lease_s / 4)
            asked_at = self._clock()
            held = list(self._held())
            until = renewed_at + self._timings.lease_s * LET_GO_AFTER
            try:
                async with asyncio.timeout(max(until - asked_at, self._timings.lease_s / 10)):
                    ours = await asyncio.to_thread(self._renew, held)
            except (StoreError, TimeoutError) as error:
                if isinstance(error, StoreError):
                    self._tell_store_error(error)
                if self._clock() >= until:
                    # Others may take them over now: nothing of ours must still be going on then.
                    self._drop_all(held)
                continue
            renewed_at = asked_at
            # Finished meanwhile, or another process goes on with it.
            self._drop_all(each for each in held if each not in ours)

    async def end_abandoned(self) -> None:
        """Free what nobody works on any more, until cancelled.

        That is what a process held that died, or that could not renew and gave up: this one's own
        too.
        """
        while True:
            await asyncio.sleep(self._timings.lease_s / 4)
            try:
                await asyncio.to_thread(self._end_abandoned, frozenset(self._held()))
            except StoreError as error:
                self._tell_store_error(error)
            except Exception:  # nothing else frees them
                logger.exception("Tasks that nobody works on are not looked at")

    def free(self, generation_ids: Sequence[str]) -> None:
        """Let the next process take these up at once. Blocks; raises StoreError."""
        for some in _batches(generation_ids, RENEW_AT_ONCE):
            self._store.leases.free(self._process_id, some)

    def free_soon(self, generation_id: str) -> None:
        """Let the next process take one up, without waiting for the store."""
        freeing = asyncio.create_task(asyncio.to_thread(self.free, [generation_id]))
        self._freeing.add(freeing)
        freeing.add_done_callback(self._freed)

    async def freed(self) -> None:
        """Wait until all that was to be freed soon is."""
        await asyncio.gather(*self._freeing, return_exceptions=True)

    def _freed(self, freeing: "asyncio.Task[None]") -> None:
        self._freeing.discard(freeing)
        if not freeing.cancelled() and (error := freeing.exception()) is not None:
            logger.info("A lease is not given back, and ends by standing still: %s", error)

    def _end_abandoned(self, ours: Collection[str]) -> None:
        held = self._store.leases.held(self._provider)
        others = {each: until for each, until in held.items() if each not in ours}
        if abandoned := self._standing.abandoned(others):
            self._store.leases.end(abandoned)
            logger.info("Nobody works on %d tasks any more: they are free", len(abandoned))

    def _renew(self, held: Sequence[str]) -> frozenset[str]:
        ours: frozenset[str] = frozenset()
        for some in _batches(held, RENEW_AT_ONCE):
            ours |= self._store.leases.renew(
                self._process_id, some, now=datetime.now(UTC), lease_s=self._timings.lease_s
            )
        return ours

    def _drop_all(self, generation_ids: Iterable[str]) -> None:
        for generation_id in generation_ids:
            self._drop(generation_id)


def _batches(ids: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), size):
        yield ids[start : start + size]
