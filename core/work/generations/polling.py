"""Follows a task at Kling to its end. Watching may stop; the task does not."""

import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from random import Random

from core.errors import AppError, NotFoundError
from core.models.generations import (
    Generation,
    GenerationRequest,
    GenerationStatus,
    Provider,
    TaskImage,
    TaskStatus,
)
from core.wire.pacing import poll_delays, retry_delays
from core.work.consecutive_denials import ConsecutiveDenials
from core.work.generations.estimates import fastest_s
from core.work.generations.poll_batching import PollBatcher
from core.work.generations.timings import WorkerTimings
from core.work.generations.transitions import Transitions

# Kling's own retention: results and, as far as anyone knows, tasks go after 30 days (kling.md §9).
RETENTION = timedelta(days=30)
# A new task may not be found at once, and one lost poll is no news: only then it is trouble.
MISSES_TO_TELL = 2
# The practice server knows each task it ever took, unless its journal was deleted.
MISSES_TO_FORGET = 5
# What is usual here was measured by the wall clock, which may have jumped: never waited longer for.
FIRST_LOOK_LONGEST_S = 600.0

End = tuple[Generation | None, tuple[TaskImage, ...]]


class TaskPoller:
    """Asks how tasks are, at intervals that follow their age and what is usual here."""

    def __init__(
        self,
        *,
        provider: Provider,
        batchers: Mapping[str, PollBatcher],  # by kind
        transitions: Transitions,
        usual_durations: Callable[[GenerationRequest], Awaitable[Sequence[float]]],
        timings: WorkerTimings,
        random: Random,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._provider = provider
        self._batchers = batchers
        self._transitions = transitions
        self._usual_durations = usual_durations
        self._timings = timings
        self._random = random
        self._clock = clock

    async def follow(self, generation: Generation) -> End:
        """Watch a task until Kling is done with it; return its pictures' links as well."""
        assert generation.task_id is not None
        age_s = _age(generation).total_seconds()
        first_s = fastest_s(await self._usual_durations(generation.request)) or 0.0
        after_s = max(min(first_s - age_s, FIRST_LOOK_LONGEST_S), self._timings.poll_shortest_s)
        delays = poll_delays(
            self._random,
            age_s=age_s + after_s,
            shortest_s=self._timings.poll_shortest_s,
            longest_s=self._timings.poll_longest_s,
        )
        retries = self._retry_delays()
        misses = 0
        unknown = ConsecutiveDenials(self._clock)
        while True:
            try:
                task = await self._batchers[generation.kind].look(
                    generation.task_id, after_s=after_s
                )
            except AppError as error:
                misses += 1
                unknown.note(is_denied=isinstance(error, NotFoundError))
                if self._is_forgotten(generation, unknown):
                    return await self._transitions.failed(generation, "error.task_forgotten"), ()
                if misses >= MISSES_TO_TELL:
                    self._transitions.note_blocking_error(generation, error)
                after_s = next(retries)
                continue
            unknown.note(is_denied=False)
            if misses:
                self._transitions.clear_blocking_error(generation)
                retries = self._retry_delays()
                misses = 0
            if task.status is TaskStatus.SUCCEED:
                return await self._transitions.succeeded(generation, task), task.images
            if task.status is TaskStatus.FAILED:
                detail = task.status_message
                return await self._transitions.failed(
                    generation, "error.task_failed", detail, task
                ), ()
            if (
                task.status is TaskStatus.PROCESSING
                and generation.status is GenerationStatus.SUBMITTED
            ):
                moved = await self._transitions.processing(generation)
                if moved is None:
                    return None, ()
                generation = moved
            after_s = next(delays)

    def _is_forgotten(self, generation: Generation, unknown: ConsecutiveDenials) -> bool:
        """Believe the provider's own word, once it has given it for long enough.

        Our clock can only add to that: a task that seems young is looked for on and on.
        """
        if unknown.times < MISSES_TO_FORGET:
            return False
        if self._provider == "practice":
            return True
        return unknown.for_s >= self._timings.forget_after_s and _age(generation) > RETENTION

    def _retry_delays(self) -> Iterator[float]:
        return retry_delays(
            self._random,
            first_s=self._timings.retry_first_s,
            longest_s=self._timings.retry_longest_s,
        )


def _age(generation: Generation) -> timedelta:
    since = generation.submitted_at or generation.created_at
    return max(datetime.now(UTC) - since, timedelta(0))
