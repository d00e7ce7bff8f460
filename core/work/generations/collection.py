"""Brings a finished task's pictures into the archive: each as soon as it can be had."""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from random import Random

from core.archive.archive import Archive
from core.errors import (
    AppError,
    PictureError,
    ProtocolError,
    ProviderError,
    StoreError,
    UnavailableError,
)
from core.models.generations import Generation, TaskImage
from core.providers.kling.client import Kling
from core.providers.kling.downloads import PictureFetcher
from core.storage.generations.rows import ExpectedStatus
from core.wire.pacing import retry_delays
from core.work.consecutive_denials import ConsecutiveDenials
from core.work.generations.polling import RETENTION
from core.work.generations.timings import WorkerTimings
from core.work.generations.transitions import Transitions

logger = logging.getLogger(__name__)

FETCHES_AT_ONCE = 6
# After so many tries a picture is given up, if Kling does not keep it any longer either.
TRIES_AT_LEAST = 3
# What came whole and is no picture, or a broken one: fetched so often, then a person is asked.
UNREADABLE_TRIES = 8
UNREADABLE = frozenset({"error.picture_broken", "error.picture_not_image"})


class ResultCollector:
    """Fetches pictures; one that fails is fetched again with a new link, the others are kept."""

    def __init__(
        self,
        *,
        kling: Kling,
        fetcher: PictureFetcher,
        archive: Archive,
        transitions: Transitions,
        timings: WorkerTimings,
        random: Random,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._kling = kling
        self._fetcher = fetcher
        self._archive = archive
        self._transitions = transitions
        self._timings = timings
        self._random = random
        self._fetches = asyncio.Semaphore(FETCHES_AT_ONCE)
        # A picture is decoded to see that it is whole. One at a time, and always on one thread: a
        # thousand that arrive together need no more memory than one.
        self._adopter = ThreadPoolExecutor(1, thread_name_prefix="pictures")

    def close(self) -> None:
        """Let the thread end."""
        self._adopter.shutdown(wait=False, cancel_futures=True)

    async def collect(
        self, generation: Generation, images: tuple[TaskImage, ...]
    ) -> Generation | None:
        """Fetch until every picture is in the archive, or Kling itself has let go of them."""
        delays = retry_delays(
            self._random,
            first_s=self._timings.retry_first_s,
            longest_s=self._timings.fetch_retry_longest_s,
        )
        tries = 0
        gone = ConsecutiveDenials(self._clock)
        unreadable: Counter[int] = Counter()
        while True:
            tries += 1
            try:
                images = images or await self._current_links(generation)
                by_index = _numbered(images, generation.request.n)
                blocking_error = await self._fetch_missing(generation, by_index, unreadable)
            except AppError as error:
                blocking_error = error
            is_short = len(images) < generation.request.n_least
            if blocking_error is None and not (
                is_short and tries == 1
            ):  # short lists are asked twice
                self._transitions.clear_blocking_error(generation)
                return await self._close(generation, len(images))
            gone.note(is_denied=blocking_error is not None and _is_gone(blocking_error))
            ended = generation.finished_at or generation.updated_at
            # Kling's own word, for long enough; our clock alone never gives a picture up.
            if (
                blocking_error is not None
                and gone.times >= TRIES_AT_LEAST
                and gone.for_s >= self._timings.forget_after_s
                and (self._kling.now() or datetime.now(UTC)) - ended > RETENTION
            ):
                return await self._give_up(generation, blocking_error)
            if blocking_error is not None:
                self._transitions.note_blocking_error(generation, blocking_error)
            await asyncio.sleep(next(delays))
            images = ()

    async def _current_links(self, generation: Generation) -> tuple[TaskImage, ...]:
        assert generation.task_id is not None
        task = await self._kling.get_task(generation.kind, generation.task_id)
        if not task.images:
            raise ProtocolError(
                "error.kling_incomplete", provider="kling", request_id=task.request_id
            )
        return task.images

    async def _fetch_missing(
        self, generation: Generation, by_index: dict[int, TaskImage], unreadable: Counter[int]
    ) -> AppError | None:
        """Fetch what is not there yet; return what prevented one of them."""

        def missing() -> list[int]:
            expected_pictures = self._transitions.store.expected_pictures
            if set(by_index) == set(range(len(by_index))):
                expected_pictures.expect(generation.id, len(by_index))
            statuses = {one.index: one.status for one in expected_pictures.of(generation.id)}
            pending = ExpectedStatus.PENDING
            return [index for index in by_index if statuses.get(index, pending) is pending]

        results = await asyncio.gather(
            *(
                self._keep(generation, index, by_index[index], unreadable)
                for index in await self._transitions.in_thread(missing)
            )
        )
        return next((result for result in results if result is not None), None)

    async def _keep(
        self, generation: Generation, index: int, image: TaskImage, unreadable: Counter[int]
    ) -> AppError | None:
        """Fetch one picture and put it into the archive; return what prevented it."""
        part: Path | None = None
        try:
            async with self._fetches:
                part = await self._transitions.in_thread(self._archive.new_part)
                await self._fetcher.fetch(image.url, part)
            adopt = partial(
                self._archive.adopt,
                part,
                created_at=generation.created_at,
                generation_id=generation.id,
                index=index,
            )
            file = await asyncio.get_running_loop().run_in_executor(self._adopter, adopt)
            add = partial(
                self._transitions.store.expected_pictures.add,
                generation.id,
                index,
                **asdict(file),
            )
            await self._transitions.in_thread(add)
        except AppError as error:
            logger.info("Picture %d of generation %s: %s", index, generation.id, error.text_id)
            if isinstance(error, PictureError | ProviderError):
                is_unreadable = error.text_id in UNREADABLE
                unreadable[index] += is_unreadable
                is_last = is_unreadable and unreadable[index] >= UNREADABLE_TRIES
                told = await self._count_failure(generation, index, error, give_up=is_last)
                return None if is_last and told is error else told
            return error
        finally:
            if part is not None:
                # What could not be adopted would fill the disk a little more with every try.
                await self._transitions.in_thread(partial(_remove, part))
        return None

    async def _count_failure(
        self, generation: Generation, index: int, error: AppError, *, give_up: bool
    ) -> AppError:
        fail = partial(
            self._transitions.store.expected_pictures.fail,
            generation.id,
            index,
            error_text_id=error.text_id,
            give_up=give_up,
        )
        try:
            await self._transitions.in_thread(fail)
        except StoreError as store_error:
            return store_error
        return error

    async def _close(self, generation: Generation, made: int) -> Generation | None:
        """Write down that everything is here that can be; what cannot be read is told as such."""
        load = partial(self._transitions.store.expected_pictures.of, generation.id)
        expected_pictures = await self._transitions.with_store_retry(generation, load)
        if not any(expected.error_text_id in UNREADABLE for expected in expected_pictures):
            return await self._transitions.archived(generation, made=made)
        here = sum(expected.status is ExpectedStatus.ARCHIVED for expected in expected_pictures)
        return await self._transitions.unreadable(generation, made=here)

    async def _give_up(self, generation: Generation, blocking_error: AppError) -> Generation | None:
        """Keep what arrived; what did not is not at Kling any more."""

        def give_up() -> int:
            expected_pictures = self._transitions.store.expected_pictures
            all_of_them = expected_pictures.of(generation.id)
            for expected in all_of_them:
                if expected.status is ExpectedStatus.PENDING:
                    expected_pictures.fail(
                        generation.id,
                        expected.index,
                        error_text_id=blocking_error.text_id,
                        give_up=True,
                    )
            return sum(expected.status is ExpectedStatus.ARCHIVED for expected in all_of_them)

        if made := await self._transitions.with_store_retry(generation, give_up):
            return await self._transitions.archived(generation, made=made)
        return await self._transitions.failed(generation, "error.pictures_expired")


def _is_gone(error: AppError) -> bool:
    """Tell whether Kling, or the place it named, answered without a picture."""
    is_silence = isinstance(error, UnavailableError) and error.status_code is None
    return isinstance(error, PictureError | ProviderError) and not is_silence


def _numbered(images: Sequence[TaskImage], n: int) -> dict[int, TaskImage]:
    """Return the pictures by number, from 0 on.

    Kling numbers them "0-9" (kling.md section 4). Should it ever number them otherwise, they are
    counted through in its order: none must be lost for that.
    """
    by_index = {image.index: image for image in images}
    if len(by_index) == len(images) and all(0 <= index < n for index in by_index):
        return by_index
    return dict(enumerate(sorted(images, key=lambda image: image.index)))


def _remove(part: Path) -> None:
    with suppress(OSError):
        part.unlink(missing_ok=True)
