"""Paid tasks of every kind, from the intent to the archived files: written down before sending.

    intended ──POST──► submitted ─► processing ─► succeeded ─► archived
        │                  ▲             └──────► failed (with Kling's reason)
        │ refused for certain (business code)  ─► refused (nothing was bought; says why)
        └─ no answer that tells ─► uncertain ─ask by our own id, then the list─► submitted,
                                                            or sent again under the SAME id

One driver (a coroutine) takes each open generation from where its row stands to its end; a restart
begins with the rows. A row that was being sent when the process died counts as uncertain. Watching
may stop; a task that may have been billed is never declared dead before Kling itself forgets it.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from random import Random

from core.archive.archive import Archive
from core.errors import AppError, StoreError
from core.models.generations import (
    Generation,
    GenerationRequest,
    GenerationStatus,
    KlingTask,
    Provider,
    TaskImage,
)
from core.models.kinds import looked_up_kinds, packages
from core.providers.http.exchanges import mark_exchanges
from core.providers.kling.client import Kling
from core.providers.kling.downloads import PictureFetcher
from core.storage.store import Store
from core.work.generations.collection import ResultCollector
from core.work.generations.leases import GenerationLeases
from core.work.generations.poll_batching import PollBatcher
from core.work.generations.polling import TaskPoller
from core.work.generations.recovery import recent_tasks
from core.work.generations.sending.kept_limits import KeptLimits
from core.work.generations.sending.queue_places import Places
from core.work.generations.sending.submission import Sending, Submitter
from core.work.generations.sounds.collecting import SoundCollector
from core.work.generations.timings import PRACTICE_TIMINGS, WorkerTimings
from core.work.generations.transitions import Transitions
from core.work.generations.usual_durations import UsualDurations

logger = logging.getLogger(__name__)

Status = GenerationStatus
OPEN_STATUSES = frozenset(status for status in Status if not status.is_final)

CLAIM_LIMIT = 500


class GenerationWorker:
    """Carries every open generation of one provider to its end. Lives on the studio's loop."""

    def __init__(
        self,
        *,
        provider: Provider,
        store: Store,
        archive: Archive,
        kling: Kling,
        fetcher: PictureFetcher,
        process_id: str,
        clock: Callable[[], float] = time.monotonic,
        random: Random | None = None,
        timings: WorkerTimings | None = None,
    ) -> None:
        self._provider: Provider = provider
        self._store = store
        self._kling = kling
        self._process_id = process_id
        self._clock = clock
        self._random = random or Random()
        self._timings = timings or (PRACTICE_TIMINGS if provider == "practice" else WorkerTimings())
        self._transitions = Transitions(
            store, process_id=process_id, timings=self._timings, random=self._random
        )
        self._batchers = {kind: PollBatcher(kling, kind, clock=clock) for kind in looked_up_kinds()}
        self._poller = TaskPoller(
            provider=provider,
            batchers=self._batchers,
            transitions=self._transitions,
            usual_durations=self._usual_durations,
            timings=self._timings,
            random=self._random,
            clock=clock,
        )
        self._collector = ResultCollector(
            kling=kling,
            fetcher=fetcher,
            archive=archive,
            transitions=self._transitions,
            timings=self._timings,
            random=self._random,
            clock=clock,
        )
        self._sounds = SoundCollector(
            kling=kling,
            fetcher=fetcher,
            archive=archive,
            transitions=self._transitions,
            timings=self._timings,
            random=self._random,
            clock=clock,
        )
        self._submitters: dict[str, Submitter] = {}  # by the package that pays
        self._drivers: dict[str, asyncio.Task[None]] = {}
        self._sendings: dict[str, Sending] = {}
        self._is_retired = False
        self._leases = GenerationLeases(
            store,
            provider=provider,
            process_id=process_id,
            timings=self._timings,
            clock=clock,
            held=self._drivers.keys,
            drop=self.drop,
            tell_store_error=self._tell_store_error,
        )
        self._limits = KeptLimits(
            store,
            provider=provider,
            timings=self._timings,
            random=self._random,
            clock=clock,
            tell_store_error=self._tell_store_error,
        )
        self._places = Places(clock)
        self._usual = UsualDurations(store, provider, clock)
        self._wake_event = asyncio.Event()
        self._main: asyncio.Task[None] | None = None
        self._store_error: StoreError | None = None

    # -- from any thread ---------------------------------------------------------------------------

    def blocking_error(self, generation_id: str) -> AppError | None:
        """Return what keeps an open generation from going on at the moment, if anything does."""
        blocking_error = self._transitions.blocking_error(generation_id)
        for submitter in tuple(self._submitters.values()):
            blocking_error = blocking_error or submitter.blocking_error(generation_id)
        return blocking_error or self._store_error

    def rest_left_s(self, package: str) -> float:
        """Return how long nothing will be sent yet, as Kling asked or as was learned."""
        submitter = self._submitters.get(package)
        return 0.0 if submitter is None else submitter.queue.rest_left_s

    def durations(self, request: GenerationRequest) -> tuple[float, ...]:
        """Return how long tasks like this one took here, in seconds."""
        return self._usual.durations(request)

    @property
    def has_ended(self) -> bool:
        """Whether it does nothing any more."""
        return self._main is not None and self._main.done()

    # -- on the loop -------------------------------------------------------------------------------

    def wake(self) -> None:
        """Look for new rows now."""
        self._wake_event.set()

    def drop(self, generation_id: str) -> None:
        """Let go of a generation that was cancelled."""
        if (driver := self._drivers.get(generation_id)) is not None:
            driver.cancel()

    def retire(self) -> None:
        """Take up nothing more, and end when what is under way has ended: others have the rest.

        What waits for its turn is given back. What was sent is followed by who sent it: another
        account may not know it.
        """
        self._is_retired = True
        for generation_id, sending in self._sendings.items():
            if sending.is_waiting:
                self.drop(generation_id)
        self._wake_event.set()

    async def recent_tasks(self) -> tuple[KlingTask, ...]:
        """Return what the account made while Kling keeps it, newest first; buys nothing."""
        return await recent_tasks(self._kling)

    async def run(self) -> None:
        """Take up open generations as they come, until cancelled."""
        self._main = asyncio.current_task()
        try:
            for package in sorted(packages()):
                self._submitters[package] = Submitter(
                    kling=self._kling,
                    transitions=self._transitions,
                    queue=await self._limits.queue(package),
                    timings=self._timings,
                    random=self._random,
                    clock=self._clock,
                )
            async with asyncio.TaskGroup() as group:
                helpers = (
                    *(
                        group.create_task(batcher.run(), name=f"watch-{self._provider}-{kind}")
                        for kind, batcher in self._batchers.items()
                    ),
                    group.create_task(self._leases.hold(), name=f"leases-{self._provider}"),
                    group.create_task(
                        self._leases.end_abandoned(), name=f"abandoned-{self._provider}"
                    ),
                )
                await self._claim_for_ever()
                for helper in helpers:
                    helper.cancel()
        finally:
            await self._let_go()

    async def stop(self) -> None:
        """End all drivers; every row is kept as it stands, free for the next process."""
        if self._main is not None:
            self._main.cancel()
            await asyncio.wait([self._main])

    async def _claim_for_ever(self) -> None:
        while not (self._is_retired and not self._drivers):
            self._wake_event.clear()
            try:
                is_more = not self._is_retired and await self._claim()
                self._store_error = None
            except StoreError as error:
                self._tell_store_error(error)
                is_more = False
            if is_more:
                continue
            try:
                async with asyncio.timeout(self._timings.claim_every_s):
                    await self._wake_event.wait()
            except TimeoutError:
                continue

    async def _claim(self) -> bool:
        """Take up what nobody works on; return whether there may be more."""
        held = await asyncio.to_thread(self._store.generation_lists.slots_in_flight, self._provider)
        for package, submitter in self._submitters.items():
            queue = submitter.queue
            queue.see_other_processes(max(0, held[package] - queue.own))
            await self._limits.keep(package, queue)
        claimed = await asyncio.to_thread(
            self._store.leases.claim_due,
            self._process_id,
            now=datetime.now(UTC),
            limit=CLAIM_LIMIT,
            lease_s=self._timings.lease_s,
            statuses=OPEN_STATUSES,
            provider=self._provider,
        )
        # What is under way first: it holds slots that the intents have to wait for.
        for generation in sorted(claimed, key=lambda row: (_is_unsent(row), row.created_at)):
            if (driver := self._drivers.get(generation.id)) is not None:
                if not driver.cancelling():
                    continue
                await asyncio.wait([driver])  # taken back, and asked for again since
            sending = self._sendings[generation.id] = Sending(
                is_waiting=_is_unsent(generation),
                place=self._places.place(generation.created_at),
            )
            driver = asyncio.create_task(
                self._drive(generation, sending, self._submitters[generation.request.package]),
                name=f"generation-{generation.id}",
            )
            self._drivers[generation.id] = driver
            driver.add_done_callback(partial(self._ended, generation.id))
        return len(claimed) == CLAIM_LIMIT

    async def _drive(self, generation: Generation, sending: Sending, submitter: Submitter) -> None:
        """Take one generation from where its row stands to its end."""
        mark_exchanges(generation.id)
        if not _is_unsent(generation) and generation.status is not Status.SUCCEEDED:
            sending.permit = submitter.queue.adopt(generation.request.slots)
        current: Generation | None = generation
        images: tuple[TaskImage, ...] = ()
        try:
            while current is not None and not current.status.is_final:
                if _is_unsent(current):
                    current = await submitter.send(current, sending)
                elif current.status in (Status.INTENDED, Status.UNCERTAIN):
                    current = await submitter.find_out(current, sending)
                elif not current.request.is_looked_up:
                    sending.give_back()
                    current = await self._sounds.bring_in(current)
                elif current.status is Status.SUCCEEDED:
                    sending.give_back()
                    current = await self._collector.collect(current, images)
                else:
                    current, images = await self._poller.follow(current)
        finally:
            sending.give_back()
            self._transitions.clear_blocking_error(generation)

    async def _usual_durations(self, request: GenerationRequest) -> tuple[float, ...]:
        return await self._transitions.in_thread(partial(self.durations, request))

    def _ended(self, generation_id: str, driver: asyncio.Task[None]) -> None:
        del self._drivers[generation_id]
        sending = self._sendings.pop(generation_id)
        if self._is_retired:
            self._wake_event.set()
            if sending.is_waiting:
                self._leases.free_soon(generation_id)
        if not driver.cancelled() and (error := driver.exception()) is not None:
            # Its lease stands still from now on, and the row is taken up again from where it is.
            logger.error("Generation %s stumbled", generation_id, exc_info=error)

    async def _let_go(self) -> None:
        held = list(self._drivers)
        drivers = list(self._drivers.values())
        for driver in drivers:
            driver.cancel()
        await asyncio.gather(*drivers, return_exceptions=True)
        await self._leases.freed()
        self._transitions.close()
        self._collector.close()
        try:
            await asyncio.to_thread(self._leases.free, held)
        except StoreError as error:
            logger.info("The leases are not given back, and end by standing still: %s", error)

    def _tell_store_error(self, error: StoreError) -> None:
        self._store_error = error
        logger.warning("Tasks wait for the store: %s", error)


def _is_unsent(generation: Generation) -> bool:
    return generation.status is Status.INTENDED and generation.sending_at is None
