"""Takes a generation to Kling exactly once, or finds out what became of it.

One POST per generation unless Kling is known not to have the task. An answer that does not tell
(timeout, reset, 5xx, not JSON, wrong shape) makes the row uncertain; it is looked up, and only a
task that is not there after a pause is sent again, under the same id. Codes that say no are never
sent again.
"""

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from random import Random

from core.errors import (
    AppError,
    AuthenticationError,
    InputError,
    NotFoundError,
    ProviderError,
    QuotaExceededError,
    RateLimitError,
    RejectedError,
    UnavailableError,
)
from core.models.generations import Generation, GenerationStatus, KlingTask, Note
from core.providers.kling.client import Kling
from core.providers.kling.errors import FULL_CODE
from core.wire.pacing import retry_delays
from core.work.generations.lookup import find_task
from core.work.generations.sending.submission_queue import Permit, SubmissionQueue, Turn
from core.work.generations.timings import WorkerTimings
from core.work.generations.transitions import Transitions, reason

DUPLICATE_ID_CODE = 1201
# What became of it nobody can find out: only a person sends such a text once more.
FATE_UNKNOWN = "error.speech_fate_unknown"
# A POST whose fate is still unknown after so long is not sent again: Kling forgets tasks (after 30
# days, as far as anyone knows), and then "not there" does not mean "never made" any more.
RESEND_WITHIN = timedelta(days=7)
# So often refused while nothing of ours was under way: it is larger than the account's cap.
LONE_REFUSALS_MOST = 6

_REFUSALS = (AuthenticationError, QuotaExceededError, RejectedError, NotFoundError, InputError)


@dataclass(slots=True)
class Sending:
    """What this process knows of a generation's way to Kling beyond its row."""

    permit: Permit | None = None
    turn: Turn | None = None  # to send, for which it waits
    place: float = 0.0  # in the queue, by the monotonic clock; kept for as long as it is tried
    is_waiting: bool = False  # an intent whose turn has not come: nothing of it has left
    unclear_answers: int = 0
    duplicate: AppError | None = None  # a refusal that may mean "it is there already"

    def give_back(self) -> None:
        """Free the slots it holds, or its place in the queue, if any."""
        if self.turn is not None:
            self.turn.leave()
            self.turn = None
        if self.permit is not None:
            self.permit.give_back()
            self.permit = None


class Submitter:
    """Sends the generations paid from one package of an account, each when its turn comes."""

    def __init__(
        self,
        *,
        kling: Kling,
        transitions: Transitions,
        queue: SubmissionQueue,
        timings: WorkerTimings,
        random: Random,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._kling = kling
        self._transitions = transitions
        self.queue = queue
        self._timings = timings
        self._random = random
        self._clock = clock
        self._waiting: set[str] = set()
        self._posted_at: dict[str, float] = {}  # by the monotonic clock, of what is not settled
        # What holds up all alike: only that nothing gets through to Kling at all. How one
        # generation fared is no news about another.
        self._queue_error: AppError | None = None

    def blocking_error(self, generation_id: str) -> AppError | None:
        """Return what holds up the whole queue a generation waits in; from any thread."""
        return self._queue_error if generation_id in self._waiting else None

    async def send(self, generation: Generation, sending: Sending) -> Generation | None:
        """Send an intent when its turn comes; None when it is not ours to send any more."""
        await self._pause_before_next(sending)
        lone_refusals = 0
        while True:
            sending.is_waiting = True
            sending.permit = await self._wait_for_permit(generation, sending)
            references = await self._transitions.with_store_retry(
                generation, partial(self._transitions.store.generations.references, generation.id)
            )
            sending.is_waiting = False
            # Noted first: the lease may be dropped while the row is written.
            self._posted_at[generation.id] = self._clock()
            marked = await self._transitions.mark_sending(generation)
            if marked is None:  # cancelled, or another process goes on with it
                self._posted_at.pop(generation.id, None)
                return None
            generation = marked
            try:
                task = await self._kling.create_task(
                    generation.request,
                    external_task_id=generation.external_task_id,
                    references=references,
                )
            except RateLimitError as error:
                self._queue_error = None
                is_full = error.code == FULL_CODE
                sending.permit.refused(is_full=is_full, retry_after_s=error.retry_after_s)
                # In its place before anything is waited for: nobody may overtake it meanwhile.
                self._line_up(generation, sending)
                if is_full and self.queue.in_flight == 0:
                    lone_refusals += 1
                    if lone_refusals >= LONE_REFUSALS_MOST:
                        if (slots := generation.request.slots) > 1:
                            return await self._refuse(generation, sending, _too_many(slots, error))
                        self._transitions.note_blocking_error(generation, error)
                await self._transitions.unmark_sending(generation, reason(error))
            except _REFUSALS as error:
                self._queue_error = None
                return await self._said_no(generation, sending, error)
            except AppError as error:
                if not (isinstance(error, UnavailableError) and error.is_unsent):
                    self._queue_error = None  # something was there, and answered
                    return await self._be_uncertain(generation, sending, error)
                self._queue_error = error
                # Nothing ever left this machine: still an intent, and it can be cancelled.
                self.queue.rest()
                self._line_up(generation, sending)
                sending.permit.give_back()
                await self._transitions.unmark_sending(generation, reason(error))
            else:
                sending.permit.accepted()
                sending.unclear_answers = 0
                self._posted_at.pop(generation.id, None)
                self._queue_error = None
                self._transitions.clear_blocking_error(generation)
                if not generation.request.is_looked_up:
                    await self._transitions.keep_answer(generation, task)
                return await self._accepted(generation, task)

    async def find_out(self, generation: Generation, sending: Sending) -> Generation | None:
        """Learn whether a task whose POST had no clear answer exists; back to INTENDED if not."""
        if generation.status is GenerationStatus.INTENDED:
            ended = Note("note.app_ended")
            moved = await self._transitions.uncertain(generation, ended)
            if moved is None:
                return None
            generation = moved
        if not generation.request.is_looked_up:
            sending.give_back()
            if (task := await self._transitions.kept_answer(generation)) is not None:
                return await self._accepted(generation, task)
            return await self._transitions.failed(generation, FATE_UNKNOWN)
        timeout_s = self._timings.resend_after_s
        if sending.duplicate is not None:
            # On the first POST of a fresh id it can hardly be a duplicate: one look is enough.
            timeout_s = self._timings.duplicate_timeout_s if generation.attempts > 1 else 0.0
        # By the monotonic clock and from now on: no jump of the wall clock makes us send early.
        started = self._clock()
        delays = self._retry_delays()
        looks = 0
        while True:
            asked_at = self._clock()  # what an answer that is late says was so before it
            try:
                task = await find_task(self._kling, generation)
            except AppError as error:
                self._transitions.note_blocking_error(generation, error)
                await asyncio.sleep(next(delays))
                continue
            self._transitions.clear_blocking_error(generation)
            delays = self._retry_delays()
            if task is not None:
                found = Note("note.found", {"task_id": task.task_id})
                return await self._transitions.submitted(generation, task, found)
            looks += 1
            if (looks >= 2 or not timeout_s) and asked_at - started >= timeout_s:
                if sending.duplicate is not None:
                    return await self._refuse(generation, sending, sending.duplicate)
                sending.give_back()
                if self._is_old(generation):
                    return await self._transitions.failed(generation, "error.task_fate_unknown")
                return await self._transitions.send_again(generation)
            await asyncio.sleep(min(self._timings.lookup_every_s, timeout_s / 2))

    async def _accepted(self, generation: Generation, task: KlingTask) -> Generation | None:
        note = Note("note.accepted", {"task_id": task.task_id})
        return await self._transitions.submitted(generation, task, note)

    def _line_up(self, generation: Generation, sending: Sending) -> Turn:
        if sending.turn is None:
            order = (sending.place, generation.id)
            sending.turn = self.queue.line_up(generation.request.slots, order=order)
        return sending.turn

    async def _wait_for_permit(self, generation: Generation, sending: Sending) -> Permit:
        self._waiting.add(generation.id)
        try:
            return await self._line_up(generation, sending).come()
        finally:
            sending.turn = None
            self._waiting.discard(generation.id)

    async def _pause_before_next(self, sending: Sending) -> None:
        """Wait before a third POST and all later ones, longer each time; it can be cancelled."""
        if sending.unclear_answers > 1:
            pause_s = self._timings.resend_after_s * 2 ** min(sending.unclear_answers - 2, 10)
            await asyncio.sleep(min(pause_s, self._timings.resend_longest_s))

    async def _said_no(
        self, generation: Generation, sending: Sending, error: AppError
    ) -> Generation | None:
        has_own_id = generation.request.is_looked_up
        if has_own_id and isinstance(error, ProviderError) and error.code == DUPLICATE_ID_CODE:
            # Kling wants each external_task_id once and says 1201 to the second; it says 1201 to a
            # bad value too. Only a look tells.
            sending.duplicate = error
            return await self._be_uncertain(generation, sending, error)
        return await self._refuse(generation, sending, error)

    async def _refuse(
        self, generation: Generation, sending: Sending, error: AppError
    ) -> Generation | None:
        sending.give_back()
        return await self._transitions.refused(generation, error)

    async def _be_uncertain(
        self, generation: Generation, sending: Sending, error: AppError
    ) -> Generation | None:
        assert sending.permit is not None
        if sending.duplicate is None:
            sending.unclear_answers += 1
            requested_s = error.retry_after_s if isinstance(error, ProviderError) else None
            sending.permit.unknown(retry_after_s=requested_s)
            return await self._transitions.uncertain(generation, reason(error))
        sending.permit.accepted()
        note = Note("note.perhaps_there", {"code": DUPLICATE_ID_CODE})
        return await self._transitions.uncertain(generation, note)

    def _is_old(self, generation: Generation) -> bool:
        """Tell whether Kling may have forgotten what was sent.

        By the monotonic clock where this process sent it, else by Kling's own; ours may have jumped
        since, and decides only where Kling tells no time.
        """
        if (posted_at := self._posted_at.get(generation.id)) is not None:
            return self._clock() - posted_at > RESEND_WITHIN.total_seconds()
        sent_at = generation.sending_at or generation.updated_at
        return (self._kling.now() or datetime.now(UTC)) - sent_at > RESEND_WITHIN

    def _retry_delays(self) -> Iterator[float]:
        return retry_delays(
            self._random,
            first_s=self._timings.retry_first_s,
            longest_s=self._timings.retry_longest_s,
        )


def _too_many(slots: int, error: ProviderError) -> RejectedError:
    return RejectedError(
        "error.kling_too_many_at_once",
        provider=error.provider,
        status_code=error.status_code,
        code=error.code,
        facts={"n": slots},
        detail=error.detail,
    )
