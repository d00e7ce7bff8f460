"""Runs answers on the studio's loop: each is a job that asks, grows, ends and is written down.

The text so far is stored every half second for all jobs, and once more at every way out: a
killed process loses at most the last second of text.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial

from core.errors import AppError
from core.models.chat import AnswerStatus, ChatParameters, Message
from core.models.chat_options import NO_OPTIONS, ChatOptions
from core.models.money.ledger import LedgerLine, Reservation, Settlement, Spender
from core.providers.deepseek.client import DeepSeek
from core.providers.http.exchanges import mark_exchanges
from core.storage.chat.posted_chats import PostedChat
from core.storage.money.book import Settle
from core.storage.store import Store
from core.work.chat.attempts import Context, bring_in
from core.work.chat.live_answer import LiveAnswer
from core.work.chat.persistence import AnswerPersistence
from core.work.chat.registry import AnswerRegistry
from core.work.chat.timings import AnswerTimings
from core.work.chat.titles import Titles
from core.work.loop import LoopEndedError, LoopThread
from core.work.money.spending import Spending
from core.work.tools.loop import Ended, ToolLoop

logger = logging.getLogger(__name__)

CLOSE_TIMEOUT_S = 8.0


@dataclass(slots=True)
class AnswerJob:
    """What it takes to bring one answer in."""

    live: LiveAnswer
    parameters: ChatParameters
    client: DeepSeek
    context: Context
    reservation: Reservation
    options: ChatOptions = NO_OPTIONS
    wants_title: bool = False
    look: Callable[[], Awaitable[None]] | None = None  # into the web, made before it is asked
    tools: ToolLoop | None = None  # where tools of the studio may be called
    written: "asyncio.Future[None] | None" = None  # done once a posted chat has its row


class AnswerRunner:
    """Starts and ends the jobs of one process. From any thread, but for what is private."""

    def __init__(
        self,
        *,
        loop: LoopThread,
        store: Store,
        live: AnswerRegistry,
        titles: Titles,
        spending: Spending,
        process_id: str,
        timings: AnswerTimings,
        on_saved: Callable[[], None],
        on_ended: Callable[[Message], None],
    ) -> None:
        self._loop = loop
        self._live = live
        self._titles = titles
        self._spending = spending
        self._timings = timings
        self._on_saved = on_saved
        self._on_ended = on_ended
        self._is_closing = False
        self._persistence = AnswerPersistence(store, live, process_id=process_id, timings=timings)

    def start(self) -> None:
        """Begin to save what grows. Call once, when the store is there."""
        self._loop.spawn(self._persistence.save_regularly(), name="save-answers")
        self._loop.spawn(self._persistence.end_dead(), name="end-dead-answers")

    def run(self, job: AnswerJob) -> None:
        """Bring an answer in whose row is there."""
        self._live.add(job.live)
        self._spawn(job)

    def run_posted(self, job: AnswerJob, chat: PostedChat) -> None:
        """Write a posted chat down, then bring its answer in. Returns at once.

        Where the store takes nothing, nothing is asked and the answer ends with StoreError.
        """
        self._live.add(job.live)
        try:
            self._loop.post(partial(self._start_posted, job, chat))
        except LoopEndedError:
            job.live.finish(AnswerStatus.INTERRUPTED)
            self._live.remove(job.live.message_id)

    def cancel(self, message_id: str) -> None:
        """Close an answer's upstream; it was marked as stopped."""
        with suppress(LoopEndedError):  # which has cancelled it
            self._loop.post(lambda: self._live.cancel(message_id))

    def close(self) -> None:
        """End every answer of this process as interrupted, with what came so far stored."""
        self._loop.call(self._close(), timeout_s=CLOSE_TIMEOUT_S)

    def end_late(self) -> None:
        """End what was asked while the loop was being closed: its readers wait for nobody."""
        for live in self._live.growing():
            live.finish(AnswerStatus.INTERRUPTED)

    # -- on the loop -------------------------------------------------------------------------------

    def _start_posted(self, job: AnswerJob, chat: PostedChat) -> None:
        job.written = self._persistence.begin(chat)
        self._spawn(job)

    def _spawn(self, job: AnswerJob) -> None:
        self._loop.spawn(self._run(job), name=f"answer-{job.live.message_id}")

    async def _run(self, job: AnswerJob) -> None:
        live = job.live
        mark_exchanges(live.message_id)
        try:
            # Stopped before it came to its first step, or asked while everything is being ended.
            if not self._live.begin(live.message_id) or self._is_closing:
                raise asyncio.CancelledError
            status, error = await self._bring_in(job)
        except asyncio.CancelledError:
            was_stopped = self._live.was_stopped(live.message_id)
            status, error = AnswerStatus.INTERRUPTED, None
            if was_stopped:
                status = AnswerStatus.STOPPED
        wants_title = job.wants_title and status is AnswerStatus.COMPLETE
        if wants_title:  # noted first: a page that sees the end is to know that more will come
            self._titles.await_for(live.conversation_id)
        live.finish(status, error)  # before anything is waited for: a stop comes too late now
        self._on_ended(live.outline())
        try:
            await asyncio.shield(self._end(job))
            if status is not AnswerStatus.COMPLETE:
                reason = f" ({error.text_id})" if error else ""
                logger.info("Answer %s ended as %s%s", live.message_id, status, reason)
            if wants_title and not self._is_closing:
                line = job.reservation.line
                await self._titles.write(
                    live.snapshot(), Spender(line.owner, line.caller), line.provider, job.client
                )
        finally:
            self._titles.give_up(live.conversation_id)

    async def _bring_in(self, job: AnswerJob) -> tuple[AnswerStatus, AppError | None]:
        if job.written is not None:
            try:
                await asyncio.shield(job.written)
            except AppError as error:
                return AnswerStatus.FAILED, error
            except Exception:  # a bug, logged where it showed
                return AnswerStatus.FAILED, AppError()
            job.live.has_row = True
        if job.look is not None:
            try:
                await job.look()
            except AppError as error:
                return AnswerStatus.FAILED, error
            except Exception:  # a bug must not leave an answer running for ever
                logger.exception("Answer %s: the look before it failed", job.live.message_id)
                return AnswerStatus.FAILED, AppError()
        if (granted := job.reservation.granted_tokens) is not None:
            # More the budget does not pay for.
            job.parameters = replace(job.parameters, max_tokens=granted)
            job.live.note_granted(granted)

        async def ask(context: Context, parameters: ChatParameters, options: ChatOptions) -> Ended:
            timings = self._timings
            return await bring_in(
                job.live, context, parameters, options, job.client, timings=timings
            )

        if job.tools is not None:
            return await job.tools.bring_in(job.context, job.parameters, job.options, ask)
        return await ask(job.context, job.parameters, job.options)

    async def _end(self, job: AnswerJob) -> None:
        """Write the final state down, then let go."""
        if await _has_row(job):
            live = job.live
            turns = job.tools.settle if job.tools is not None else None
            settle = turns or self._spending.answer_settled(
                live.snapshot,
                live.error,
                was_sent=live.is_asked,
                begun=live.begun,
            )
            await self._persistence.end(live, _noted(live, settle))
        self._live.remove(job.live.message_id)
        job.live.note_saved()
        self._on_saved()

    async def _close(self) -> None:
        self._is_closing = True
        jobs = self._live.jobs()
        for message_id in jobs:
            self._live.cancel(message_id)
        await asyncio.gather(*jobs.values(), return_exceptions=True)


async def _has_row(job: AnswerJob) -> bool:
    """Wait until an answer's beginning is written down, or has failed to be."""
    if job.written is None:
        return True
    await asyncio.wait([job.written])
    return not job.written.cancelled() and job.written.exception() is None


def _noted(live: LiveAnswer, settle: Settle) -> Settle:
    """Return the same settling, which tells the answer what it cost."""

    def settling(line: LedgerLine) -> Settlement | None:
        live.cost = settled = settle(line)
        if settled is not None and settled.currency is None:
            live.cost = replace(settled, currency=line.currency)
        return settled

    return settling
