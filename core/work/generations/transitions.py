"""Every step of a generation as the worker writes it down: patiently, until the store can take it.

A step is one transaction with its history row. What keeps a generation from going on is kept here
too, for people to read while it lasts.
"""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from random import Random
from typing import TypeVar

from core.errors import AppError, StoreError
from core.models.generations import (
    UNREADABLE_TEXT_ID,
    Generation,
    GenerationStatus,
    KlingTask,
    Note,
)
from core.models.money.settling import settle_lost
from core.storage.store import Store
from core.wire.pacing import retry_delays
from core.work.generations.sounds.kept_answers import keep_answer, kept_answer
from core.work.generations.timings import WorkerTimings
from core.work.money.spending import never_sent
from core.work.money.task_costs import task_ended

logger = logging.getLogger(__name__)

SEND_AGAIN_TEXT_ID = "note.send_again"
_Result = TypeVar("_Result")
Status = GenerationStatus

# Steps wait for a locked database in threads of their own, so that chat does not wait with them.
THREADS = 4


class Transitions:
    """The worker's hand on the store. Steps return None when somebody else moved the row."""

    def __init__(
        self, store: Store, *, process_id: str, timings: WorkerTimings, random: Random
    ) -> None:
        self.store = store
        self._process_id = process_id
        self._timings = timings
        self._random = random
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="generations")
        self._blocking_errors: dict[str, AppError] = {}

    def close(self) -> None:
        """Let the threads end; steps that wait for one are dropped."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    # -- troubles ----------------------------------------------------------------------------------

    def blocking_error(self, generation_id: str) -> AppError | None:
        """Return what keeps a generation from going on; from any thread."""
        return self._blocking_errors.get(generation_id)

    def note_blocking_error(self, generation: Generation, error: AppError) -> None:
        """Show what keeps a generation from going on."""
        self._blocking_errors[generation.id] = error

    def clear_blocking_error(self, generation: Generation) -> None:
        """Show that it goes on."""
        self._blocking_errors.pop(generation.id, None)

    # -- steps -------------------------------------------------------------------------------------

    async def with_store_retry(
        self, generation: Generation, step: Callable[[], _Result]
    ) -> _Result:
        """Run one store step in a thread, again and again until the store can take it."""
        delays = retry_delays(
            self._random,
            first_s=min(0.5, self._timings.store_retry_longest_s),
            longest_s=self._timings.store_retry_longest_s,
        )
        blocking_error: StoreError | None = None
        while True:
            try:
                result = await self.in_thread(step)
            except StoreError as error:
                blocking_error = error
                self._blocking_errors[generation.id] = error
                logger.warning("Generation %s waits for the store: %s", generation.id, error)
                await asyncio.sleep(next(delays))
            else:
                if (
                    blocking_error is not None
                    and self._blocking_errors.get(generation.id) is blocking_error
                ):
                    del self._blocking_errors[generation.id]
                return result

    async def in_thread(self, step: Callable[[], _Result]) -> _Result:
        """Run one blocking step in a thread."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, step)

    async def mark_sending(self, generation: Generation) -> Generation | None:
        """Write down that the POST goes out now; None when it must not."""
        mark = self.store.generations.mark_sending
        return await self.with_store_retry(
            generation, partial(mark, generation.id, self._process_id, note=Note("note.sending"))
        )

    async def unmark_sending(self, generation: Generation, note: Note) -> None:
        """Write down that nothing was created, so it can be cancelled again."""
        unmark = self.store.generations.unmark_sending
        await self.with_store_retry(generation, partial(unmark, generation.id, note=note))

    async def uncertain(self, generation: Generation, note: Note) -> Generation | None:
        """Write down that nobody knows what became of the POST."""
        return await self._move(
            generation, Status.UNCERTAIN, {Status.INTENDED, Status.UNCERTAIN}, note=note
        )

    async def send_again(self, generation: Generation) -> Generation | None:
        """Write down that Kling does not have it."""
        return await self._move(
            generation, Status.INTENDED, {Status.UNCERTAIN}, note=Note(SEND_AGAIN_TEXT_ID)
        )

    async def submitted(
        self, generation: Generation, task: KlingTask, note: Note
    ) -> Generation | None:
        """Write down that Kling has the task, and under which id."""
        return await self._move(
            generation,
            Status.SUBMITTED,
            {Status.INTENDED, Status.UNCERTAIN},
            note=note,
            task_id=task.task_id,
            submitted_at=generation.sending_at or datetime.now(UTC),
        )

    async def refused(self, generation: Generation, error: AppError) -> Generation | None:
        """Write down that nothing was bought, and why."""
        return await self._move(
            generation,
            Status.REFUSED,
            {Status.INTENDED, Status.UNCERTAIN},
            note=reason(error),
            finished_at=datetime.now(UTC),
            error_text_id=error.text_id,
            error_facts=dict(error.facts),
            error_detail=error.detail,
            settle=never_sent,
        )

    async def keep_answer(self, generation: Generation, task: KlingTask) -> None:
        """Keep the reply to a create that nobody can ask for again, before it is acted on."""
        keep = partial(keep_answer, self.store.key_values, generation.id, task)
        await self.with_store_retry(generation, keep)

    async def kept_answer(self, generation: Generation) -> KlingTask | None:
        """Return the reply that was kept; None where none came."""
        values = self.store.key_values
        load = partial(kept_answer, values, generation.id, generation.kind)
        return await self.with_store_retry(generation, load)

    async def processing(self, generation: Generation) -> Generation | None:
        """Write down that Kling works on it."""
        return await self._move(generation, Status.PROCESSING, {Status.SUBMITTED})

    async def succeeded(self, generation: Generation, task: KlingTask) -> Generation | None:
        """Write down that Kling is done."""
        return await self._move(
            generation,
            Status.SUCCEEDED,
            {Status.SUBMITTED, Status.PROCESSING},
            finished_at=finished_at(generation, task, now=datetime.now(UTC)),
            unit_deduction=task.unit_deduction,
            settle=task_ended(task, failed=False),
        )

    async def archived(self, generation: Generation, *, made: int) -> Generation | None:
        """Write down that every picture there is lies in the archive."""
        asked = generation.request.n_least
        fields: dict[str, object] = {}
        if made < asked:
            fewer = Note("error.pictures_fewer", {"made": made, "asked": asked})
            fields = {"note": fewer, "error_text_id": fewer.text_id, "error_facts": fewer.facts}
        return await self._move(generation, Status.ARCHIVED, {Status.SUCCEEDED}, **fields)

    async def unreadable(self, generation: Generation, *, made: int) -> Generation | None:
        """Write down that files came which are no pictures: they can be asked for again."""
        facts = {"made": made, "asked": generation.request.n}
        return await self._move(
            generation,
            Status.ARCHIVED if made else Status.FAILED,
            {Status.SUCCEEDED},
            note=Note(UNREADABLE_TEXT_ID, facts),
            error_text_id=UNREADABLE_TEXT_ID,
            error_facts=facts,
        )

    async def failed(
        self,
        generation: Generation,
        text_id: str,
        detail: str = "",
        task: KlingTask | None = None,
    ) -> Generation | None:
        """Write down that no picture will come, and why; `task` tells what it cost all the same."""
        return await self._move(
            generation,
            Status.FAILED,
            {Status.UNCERTAIN, Status.SUBMITTED, Status.PROCESSING, Status.SUCCEEDED},
            note=Note(text_id),
            finished_at=generation.finished_at or datetime.now(UTC),
            error_text_id=text_id,
            error_detail=detail,
            unit_deduction=task.unit_deduction if task is not None else None,
            settle=settle_lost if task is None else task_ended(task, failed=True),
        )

    async def _move(
        self, generation: Generation, to: Status, expect: set[Status], **fields: object
    ) -> Generation | None:
        move = partial(self.store.generations.move, generation.id, to=to, expect=expect)
        return await self.with_store_retry(generation, partial(move, **fields))


def finished_at(generation: Generation, task: KlingTask, *, now: datetime) -> datetime:
    """Return when the task ended: by Kling's account, or now, when that says nothing.

    Only Kling's own span is taken, so its clock need not agree with ours; a task that ended while
    this app was off must not look as if it had taken all night.
    """
    if task.created_at is None or task.updated_at is None or generation.submitted_at is None:
        return now
    span = task.updated_at - task.created_at
    ended = generation.submitted_at + span
    was_set_back = now < generation.submitted_at  # our clock: nothing ends before it began
    return ended if span > timedelta(0) and (ended <= now or was_set_back) else now


def reason(error: AppError) -> Note:
    """Return an error as a note for the history."""
    return Note(error.text_id, dict(error.facts))
