"""Brings the sound of a generation of speech into the archive, by the link its reply told once."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from random import Random

from core.archive.archive import Archive, sound_name
from core.errors import AppError, NotFoundError, PictureError
from core.models.generations import Generation, GenerationStatus, KlingTask, TaskStatus
from core.providers.kling.client import Kling
from core.providers.kling.downloads import PictureFetcher
from core.providers.kling.picture_files import sniff_sound_type
from core.wire.pacing import retry_delays
from core.work.consecutive_denials import ConsecutiveDenials
from core.work.generations.polling import RETENTION
from core.work.generations.timings import WorkerTimings
from core.work.generations.transitions import Transitions

logger = logging.getLogger(__name__)

# What came whole and is no sound: fetched so often, then a person is told.
UNREADABLE_TRIES = 8
# A link that leads to nothing is tried so often at least before the sound is given up.
TRIES_AT_LEAST = 3


class SoundCollector:
    """Follows what was answered at once to its file; there is nothing to ask on the way."""

    def __init__(
        self,
        *,
        kling: Kling,
        fetcher: PictureFetcher,
        archive: Archive,
        transitions: Transitions,
        timings: WorkerTimings,
        random: Random,
        clock: Callable[[], float],
    ) -> None:
        self._kling = kling
        self._clock = clock
        self._fetcher = fetcher
        self._archive = archive
        self._transitions = transitions
        self._timings = timings
        self._random = random

    async def bring_in(self, generation: Generation) -> Generation | None:
        """Take a generation from the reply that was kept to its end."""
        task = await self._transitions.kept_answer(generation)
        if task is None:
            return await self._transitions.failed(generation, "error.sound_expired")
        if generation.status is not GenerationStatus.SUCCEEDED:
            return await self._ended(generation, task)
        return await self._fetched(generation, task)

    async def _ended(self, generation: Generation, task: KlingTask) -> Generation | None:
        if task.status is TaskStatus.SUCCEED and task.images:
            return await self._transitions.succeeded(generation, task)
        detail = task.status_message
        return await self._transitions.failed(generation, "error.task_failed", detail, task)

    async def _fetched(self, generation: Generation, task: KlingTask) -> Generation | None:
        """Fetch the file until it is here, is none, or the provider keeps it no longer."""
        delays = retry_delays(
            self._random,
            first_s=self._timings.retry_first_s,
            longest_s=self._timings.fetch_retry_longest_s,
        )
        unreadable, gone = 0, ConsecutiveDenials(self._clock)
        while True:
            try:
                await self._fetch(generation, task.images[0].url)
            except AppError as error:
                logger.info("The sound of generation %s: %s", generation.id, error.text_id)
                unreadable += error.text_id == "error.sound_not_sound"
                if unreadable >= UNREADABLE_TRIES:
                    return await self._transitions.failed(generation, error.text_id)
                gone.note(is_denied=isinstance(error, NotFoundError | PictureError))
                is_denied = gone.times >= TRIES_AT_LEAST
                is_denied = is_denied and gone.for_s >= self._timings.forget_after_s
                # The same word for long enough, and Kling's own time: never by our clock.
                if is_denied and await self._is_old(generation):
                    return await self._transitions.failed(generation, "error.sound_expired")
                self._transitions.note_blocking_error(generation, error)
                await asyncio.sleep(next(delays))
            else:
                self._transitions.clear_blocking_error(generation)
                return await self._transitions.archived(generation, made=1)

    async def _is_old(self, generation: Generation) -> bool:
        if self._kling.now() is None:  # nothing was asked of it since the start: a look is free
            with suppress(AppError):
                await self._kling.list_tasks("image", page=1, page_size=1)
        now = self._kling.now()
        return now is not None and now - generation.created_at > RETENTION

    async def _fetch(self, generation: Generation, url: str) -> None:
        part: Path | None = None
        try:
            part = await self._transitions.in_thread(self._archive.new_part)
            await self._fetcher.fetch(url, part, sniff=sniff_sound_type)
            adopt = partial(self._archive.adopt_sound, part, sound_name(generation))
            await self._transitions.in_thread(adopt)
        finally:
            if part is not None:
                await self._transitions.in_thread(partial(_remove, part))


def _remove(part: Path) -> None:
    with suppress(OSError):
        part.unlink(missing_ok=True)
