"""Runs answers on the studio's loop: each is a job that asks, grows, ends and is written down.

The text so far is stored every half second for all jobs, and once more at every way out: a
killed process loses at most the last second of text.
"""

import asyncio
import logging
from collections.abc import Callable
from functools import partial

from core.models.chat import AnswerStatus
from core.storage.chat.posted_chats import PostedChat
from core.storage.store import Store
from core.work.chat.attempts import bring_in
from core.work.chat.job import AnswerJob
from core.work.chat.persistence import AnswerPersistence
from core.work.chat.registry import AnswerRegistry
from core.work.chat.timings import AnswerTimings
from core.work.chat.titles import Titles
from core.work.loop import LoopThread

logger = logging.getLogger(__name__)

CLOSE_TIMEOUT_S = 8.0


class AnswerRunner:
    """Starts and ends the jobs of one process. From any thread, but for what is private."""

    def __init__(
        self,
        *,
        loop: LoopThread,
        store: Store,
        live: AnswerRegistry,
        titles: Titles,
        process_id: str,
        timings: AnswerTimings,
        on_saved: Callable[[], None],
    ) -> None:
        self._loop = loop
        self._live = live
        self._titles = titles
        self._timings = timings
        self._on_saved = on_saved
        self._is_closing = False
        self._persistence = AnswerPersistence(store, live, process_id=process_id, timings=timings)

    def start(self) -> None:
        """Begin to save what grows. Call once, after what a dead process left was settled."""
        self._loop.spawn(self._persistence.save_regularly(), name="save-answers")
        self._loop.spawn(self._persistence.end_dead(), name="end-dead-answers")

    def run(self, job: AnswerJob) -> None:
        """Bring an answer in whose row is there."""
        self._live.add(job.live)
        self._spawn(job)

    def run_posted(self, job: AnswerJob, ask: PostedChat) -> None:
        """Bring an answer in while it is written down. Waits for nothing.

        Where the store takes nothing the answer ends with StoreError.
        """
        self._persistence.expect(ask)
        self._live.add(job.live)
        try:
            self._loop.post(partial(self._start_posted, job, ask))
        except RuntimeError:  # the loop has ended: the studio is being closed
            job.live.finish(AnswerStatus.INTERRUPTED)
            self._live.remove(job.live.message_id)

    def cancel(self, message_id: str) -> None:
        """Close an answer's upstream; it was marked as stopped."""
        self._loop.post(lambda: self._live.cancel(message_id))

    def close(self) -> None:
        """End every answer of this process as interrupted, with what came so far stored."""
        self._loop.call(self._close(), timeout_s=CLOSE_TIMEOUT_S)

    def end_late(self) -> None:
        """End what was asked while the loop was being closed: its readers wait for nobody."""
        for live in self._live.growing():
            live.finish(AnswerStatus.INTERRUPTED)

    # -- on the loop -------------------------------------------------------------------------------

    def _start_posted(self, job: AnswerJob, ask: PostedChat) -> None:
        # Nothing is spent on what may not be kept; else text does not wait for the disk.
        job.awaits_row = self._persistence.is_troubled
        self._spawn(job)
        job.written = self._persistence.add(ask)
        job.written.add_done_callback(lambda _: self._stop_unwritten(job))

    def _spawn(self, job: AnswerJob) -> None:
        self._loop.spawn(self._run(job), name=f"answer-{job.live.message_id}")

    async def _run(self, job: AnswerJob) -> None:
        live = job.live
        try:
            # Stopped before it came to its first step, or asked while everything is being ended.
            if not self._live.begin(live.message_id) or self._is_closing:
                raise asyncio.CancelledError
            status, error = await bring_in(
                live, job.turns, job.parameters, job.client, timings=self._timings
            )
        except asyncio.CancelledError:
            was_stopped = self._live.was_stopped(live.message_id)
            status = AnswerStatus.STOPPED if was_stopped else AnswerStatus.INTERRUPTED
            if (error := job.write_error) is not None:
                status = AnswerStatus.FAILED
        wants_title = job.wants_title and status is AnswerStatus.COMPLETE
        if wants_title:  # noted first: a page that sees the end is to know that more will come
            self._titles.await_for(live.conversation_id)
        live.finish(status, error)  # before anything is waited for: a stop comes too late now
        try:
            await asyncio.shield(self._end(job))
            if status is not AnswerStatus.COMPLETE:
                reason = f" ({error.text_id})" if error else ""
                logger.info("Answer %s ended as %s%s", live.message_id, status, reason)
            if wants_title and not self._is_closing:
                await self._titles.write(
                    live.owner, live.snapshot(), job.parameters.model, job.client
                )
        finally:
            self._titles.give_up(live.conversation_id)

    async def _end(self, job: AnswerJob) -> None:
        """Write the final state down, then let go."""
        if await self._is_kept(job):
            await self._persistence.end(job.live)
        self._live.remove(job.live.message_id)
        job.live.saved.set()
        self._on_saved()

    async def _is_kept(self, job: AnswerJob) -> bool:
        if job.ask is None or job.written is None:
            return True
        if job.awaits_row:
            return await self._persistence.has_row(job.written, job.live)
        return await self._persistence.is_kept(job.ask, job.written, job.live)

    def _stop_unwritten(self, job: AnswerJob) -> None:
        """Spend no more on an answer that the store did not take."""
        if job.write_error is not None:
            self._live.cancel(job.live.message_id)

    async def _close(self) -> None:
        self._is_closing = True
        jobs = self._live.jobs()
        for message_id in jobs:
            self._live.cancel(message_id)
        await asyncio.gather(*jobs.values(), return_exceptions=True)
