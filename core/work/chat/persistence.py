"""Writes down what is asked and answered: at once, every half second, and at the end.

Hundreds may be asked, grow and end together: what comes together shares a transaction.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from random import Random

from core.errors import StoreError
from core.storage.chat.posted_chats import PostedChat
from core.storage.chat.running_answers import AnswerDraft, SaveOutcome
from core.storage.money.book import Settle
from core.storage.store import Store
from core.wire.pacing import retry_delays
from core.work.chat.group_commit import GroupCommit
from core.work.chat.live_answer import LiveAnswer
from core.work.chat.registry import AnswerRegistry
from core.work.chat.timings import AnswerTimings
from core.work.standing_leases import StandingLeases

logger = logging.getLogger(__name__)

CHATS_AT_ONCE = 64
# Nobody waits for an answer's end to be written. For a chat's row its request waits: no pause.
ENDS_GATHER_S = 0.02
# Each text is copied to be written: hundreds of long ones at once would fill the memory.
TEXTS_AT_ONCE = 16

_random = Random()


class AnswerPersistence:
    """The rows of this process's answers. On the studio's loop."""

    def __init__(
        self, store: Store, live: AnswerRegistry, *, process_id: str, timings: AnswerTimings
    ) -> None:
        self._store = store
        self._live = live
        self._process_id = process_id
        self._timings = timings
        self._begins = GroupCommit(self._write_begins, most=CHATS_AT_ONCE)
        self._ends = GroupCommit(self._write_ends, most=TEXTS_AT_ONCE, gather_s=ENDS_GATHER_S)

    def begin(self, chat: PostedChat) -> "asyncio.Future[None]":
        """Write a posted chat and its running answer down; done once they are, or cannot be.

        BudgetError where no budget has room for it: nothing was written then.

        A line that breaks in mid-commit leaves both ways open. Nothing was asked then, and should
        there be a row, `end_dead` ends it.
        """
        return self._begins.write(chat)

    async def end(self, live: LiveAnswer, settle: Settle | None) -> None:
        """Write down how it ended and what it cost, however long the store takes to come back."""
        for delay in retry_delays(_random):
            try:
                await self._ends.write((live, settle))
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
            growing = [live for live in self._live.growing() if live.has_row]
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
        """End what nobody runs any more, now and then, until cancelled."""
        standing = StandingLeases(asyncio.get_running_loop().time, lease_s=self._timings.lease_s)
        while True:
            await asyncio.sleep(self._timings.sweep_s)
            try:
                await asyncio.to_thread(self._end_dead, standing)
            except StoreError as error:
                logger.warning("Answers that nobody runs are not looked at: %s", error)
            except Exception:  # nothing else ends them
                logger.exception("Answers that nobody runs are not looked at")

    def _end_dead(self, standing: StandingLeases) -> None:
        # Not what runs here, also when the store was away for a while: this process knows better
        # than its leases. A row of its own that does not is one whose commit failed for all it
        # could tell.
        answers = self._store.running_answers
        held = answers.held(besides=self._live.ids())
        answers.interrupt_held(standing.abandoned(held))

    def _save(self, growing: Sequence[LiveAnswer]) -> dict[str, SaveOutcome]:
        outcomes: dict[str, SaveOutcome] = {}
        for at in range(0, len(growing), TEXTS_AT_ONCE):
            drafts = [_draft(live) for live in growing[at : at + TEXTS_AT_ONCE]]
            outcomes |= self._store.running_answers.save_running(
                drafts, lease_s=self._timings.lease_s
            )
        return outcomes

    def _write_begins(self, chats: Sequence[PostedChat]) -> Mapping[int, Exception]:
        return self._store.posted_chats.begin(
            chats, process_id=self._process_id, lease_s=self._timings.lease_s
        )

    def _write_ends(
        self, ended: Sequence[tuple[LiveAnswer, Settle | None]]
    ) -> dict[int, Exception]:
        settling = {live.message_id: settle for live, settle in ended if settle is not None}
        self._store.running_answers.save_final([live.snapshot() for live, _ in ended], settling)
        return {}


def _draft(live: LiveAnswer) -> AnswerDraft:
    message = live.snapshot()
    return AnswerDraft(
        message_id=message.id,
        content=message.content,
        reasoning_content=message.reasoning_content,
        reasoning_s=message.reasoning_s,
        first_token_s=message.first_token_s,
        facts=message.error_facts,
    )
