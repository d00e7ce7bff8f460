"""Writes down what is asked and answered: at once, every half second, and at the end.

Hundreds may be asked, grow and end together: what comes together shares a transaction.
"""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from random import Random

from core.errors import StoreError
from core.storage.chat.messages import AnswerDraft, SaveOutcome
from core.storage.chat.posted_chats import PostedChat
from core.storage.store import Store
from core.wire.pacing import retry_delays
from core.work.chat.group_commit import GroupCommit
from core.work.chat.live_answer import LiveAnswer
from core.work.chat.registry import AnswerRegistry
from core.work.chat.timings import AnswerTimings

logger = logging.getLogger(__name__)

ASKS_AT_ONCE = 64
# Nobody waits for a question's row, meanwhile its request goes out, and hardly for an answer's.
ASKS_GATHER_S = 0.01
ENDS_GATHER_S = 0.02
# Each text is copied to be written: hundreds of long ones at once would fill the memory.
TEXTS_AT_ONCE = 16
DOUBTFUL_MOST = 1000

_random = Random()


class AnswerPersistence:
    """The rows of this process's answers. On the studio's loop, but for `expect`."""

    def __init__(
        self, store: Store, live: AnswerRegistry, *, process_id: str, timings: AnswerTimings
    ) -> None:
        self._store = store
        self._live = live
        self._process_id = process_id
        self._timings = timings
        self._asks = GroupCommit(self._write_asks, most=ASKS_AT_ONCE, gather_s=ASKS_GATHER_S)
        self._ends = GroupCommit(self._write_ends, most=TEXTS_AT_ONCE, gather_s=ENDS_GATHER_S)
        self._unwritten: set[str] = set()  # running, and without a row as yet
        self._doubtful: list[LiveAnswer] = []  # whose rows may be there, although that failed
        self.is_troubled = False  # whether the last chat could not be written down

    def expect(self, ask: PostedChat) -> None:
        """Note that an answer is about to run whose row is still to come; from any thread."""
        self._unwritten.add(ask.answer_id)

    def add(self, ask: PostedChat) -> "asyncio.Future[None]":
        """Write an expected chat and its answer down; done once they are, or cannot be."""
        written = self._asks.write(ask)
        written.add_done_callback(lambda _: self._unwritten.discard(ask.answer_id))
        written.add_done_callback(self._end_doubtful)
        return written

    async def has_row(self, written: "asyncio.Future[None]", live: LiveAnswer) -> bool:
        """Wait until an answer has its row, or has none; nothing was asked before that."""
        if await _is_done(written):
            return True
        # A line that broke in mid-commit leaves both ways open. The first to fail are the ones in
        # doubt; those that come while nothing is there to write to are not.
        if len(self._doubtful) < DOUBTFUL_MOST:
            self._doubtful.append(live)
        return False

    def _end_doubtful(self, written: "asyncio.Future[None]") -> None:
        """Write down how doubtful answers ended, now that the store takes something again."""
        if written.cancelled() or written.exception() is not None:
            return
        doubtful, self._doubtful = self._doubtful, []
        for live in doubtful:  # where there is no row, nothing happens
            self._ends.write(live).add_done_callback(_consume)

    async def is_kept(
        self, ask: PostedChat, written: "asyncio.Future[None]", live: LiveAnswer
    ) -> bool:
        """Wait until an answer that has ended is written down; False when nothing came of it."""
        return await _is_done(written) or await self._settle(ask, live)

    async def _settle(self, ask: PostedChat, live: LiveAnswer) -> bool:
        """Find out what became of a row that failed to be written, once the store can tell."""
        for delay in retry_delays(_random):
            await asyncio.sleep(delay)
            with suppress(StoreError):
                # A line that broke in mid-commit leaves both ways open.
                if await asyncio.to_thread(self._store.messages.get, ask.owner, ask.answer_id):
                    return True
                if live.has_grown:  # it was paid for, and shown
                    await self._asks.write(ask)
                return live.has_grown
        return False

    async def end(self, live: LiveAnswer) -> None:
        """Write the final state down, however long the store takes to come back."""
        for delay in retry_delays(_random):
            try:
                await self._ends.write(live)
                return
            except StoreError as error:
                logger.warning("Answer %s is not saved yet: %s", live.message_id, error)
                await asyncio.sleep(delay)
            except Exception:  # told by whoever tried; trying again would not help
                logger.error("Answer %s cannot be saved", live.message_id)
                return

    async def save_regularly(self) -> None:
        """Keep the text of all that grow, and their leases, until cancelled."""
        saved: dict[str, int] = {}
        renewed_at = 0.0
        clock = asyncio.get_running_loop().time
        while True:
            await asyncio.sleep(self._timings.save_interval_s)
            growing = [
                live for live in self._live.growing() if live.message_id not in self._unwritten
            ]
            must_renew = clock() - renewed_at > self._timings.lease_s / 3
            versions = {live.message_id: live.version for live in growing}
            changed = [
                live
                for live in growing
                if must_renew or saved.get(live.message_id) != versions[live.message_id]
            ]
            if not changed:
                saved = versions
                continue
            try:
                outcomes = await asyncio.to_thread(self._save, changed)
            except StoreError as error:
                logger.warning("Running answers are not saved yet: %s", error)
                continue
            saved = versions
            if must_renew:
                renewed_at = clock()
            for message_id, outcome in outcomes.items():
                if outcome is not SaveOutcome.SAVED:  # stopped from elsewhere, or deleted
                    self._live.mark_stopped(message_id)
                    self._live.cancel(message_id)

    async def end_dead(self) -> None:
        """End what other processes left when they died, now and then, until cancelled."""
        while True:
            await asyncio.sleep(self._timings.sweep_s)
            try:
                await asyncio.to_thread(
                    self._store.messages.interrupt_dead,
                    self._process_id,
                    is_only_process=False,
                    now=datetime.now(UTC),
                )
            except StoreError as error:
                logger.warning("Answers of other processes are not looked at: %s", error)

    def _save(self, growing: Sequence[LiveAnswer]) -> dict[str, SaveOutcome]:
        outcomes: dict[str, SaveOutcome] = {}
        for at in range(0, len(growing), TEXTS_AT_ONCE):
            drafts = [_draft(live) for live in growing[at : at + TEXTS_AT_ONCE]]
            outcomes |= self._store.messages.save_running(drafts, lease_s=self._timings.lease_s)
        return outcomes

    def _write_asks(self, asks: Sequence[PostedChat]) -> None:
        try:
            self._store.posted_chats.begin(
                asks, process_id=self._process_id, lease_s=self._timings.lease_s
            )
        except StoreError:
            self.is_troubled = True
            raise
        self.is_troubled = False

    def _write_ends(self, ended: Sequence[LiveAnswer]) -> None:
        self._store.messages.save_final([live.snapshot() for live in ended])


async def _is_done(written: "asyncio.Future[None]") -> bool:
    """Wait for a row; tell whether it was written."""
    try:
        if not written.done():
            await asyncio.shield(written)
        written.result()
    except Exception:  # StoreError, or a bug that was logged where it showed
        return False
    return True


def _consume(written: "asyncio.Future[None]") -> None:
    # Nobody waits for it: a failure that nobody looked at would be logged as a bug.
    if not written.cancelled():
        written.exception()


def _draft(live: LiveAnswer) -> AnswerDraft:
    message = live.snapshot()
    return AnswerDraft(
        message_id=message.id,
        content=message.content,
        reasoning_content=message.reasoning_content,
        reasoning_s=message.reasoning_s,
        first_token_s=message.first_token_s,
    )
