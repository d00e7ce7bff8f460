"""What was learned of an account's slots, kept over restarts."""

import asyncio
from collections.abc import Callable
from random import Random

from core.errors import StoreError
from core.models.generations import Provider
from core.storage.store import Store
from core.wire.pacing import retry_delays
from core.work.generations.sending.submission_queue import SubmissionQueue
from core.work.generations.timings import WorkerTimings


class KeptLimits:
    """Reads and writes the figures of one provider's queues."""

    def __init__(
        self,
        store: Store,
        *,
        provider: Provider,
        timings: WorkerTimings,
        random: Random,
        clock: Callable[[], float],
        tell_store_error: Callable[[StoreError], None],
    ) -> None:
        self._store = store
        self._provider = provider
        self._timings = timings
        self._random = random
        self._clock = clock
        self._tell_store_error = tell_store_error
        self._remembered: dict[str, object] = {}

    async def queue(self, package: str) -> SubmissionQueue:
        """Return the queue of a package with what was learned; waits for a store that is away."""
        known: object = None
        for delay in retry_delays(self._random, longest_s=self._timings.store_retry_longest_s):
            try:
                known = await asyncio.to_thread(self._store.key_values.get, self._key(package))
                break
            except StoreError as error:
                self._tell_store_error(error)
                await asyncio.sleep(delay)
        return SubmissionQueue(
            clock=self._clock,
            known=known if isinstance(known, dict) else None,
            rest_first_s=self._timings.rest_first_s,
            rest_longest_s=self._timings.rest_longest_s,
        )

    async def keep(self, package: str, queue: SubmissionQueue) -> None:
        """Write a queue's figures down where they have changed."""
        figures = queue.figures()
        if figures != self._remembered.get(package):
            await asyncio.to_thread(self._store.key_values.set, self._key(package), figures)
            self._remembered[package] = figures

    def _key(self, package: str) -> str:
        return f"slots.{self._provider}.{package}"
