"""A reader who resumes an answer that another process on the same database writes.

Where processes hear each other (PostgreSQL), its pieces come as notifications, and the row is
looked at now and then. Else the row alone is polled, which that process overwrites twice a second.
"""

import asyncio
import logging
import secrets
from contextlib import suppress

from core.errors import StoreError
from core.models.chat import Message
from core.storage.chat.running_answers import AnswerProgress
from core.web.chat.audience import audience_key
from core.web.chat.foreign_growth import ForeignGrowth
from core.web.http_call import HttpCall
from core.web.studio_bridge import StudioBridge
from core.work.process_studio import current_studio

logger = logging.getLogger(__name__)

POLL_S = 0.5
HEARING_POLL_S = 2.0  # a process that dies says nothing
# A reader learns the id of a posted chat while its row is still being written: one who was cut off
# at once may be quicker.
ROW_LATE_S = 2.0


class ForeignAnswer:
    """One reader's view of such an answer. Use as a context manager while the reply is open."""

    def __init__(
        self, call: HttpCall, bridge: StudioBridge, owner: str, answer_id: str, place: int
    ) -> None:
        self._call = call
        self._bridge = bridge
        self._owner = owner
        self._answer_id = answer_id
        self._loop = asyncio.get_running_loop()
        self._signed_at: float | None = None
        self._spoke_at = self._loop.time()
        self._watching: asyncio.Task[None] | None = None
        self._growth = ForeignGrowth(bridge.studio.answers.relay, answer_id)
        self._looked_at = float("-inf")
        self._lacks = False  # something before what was heard
        self.place = place

    async def is_there(self) -> bool:
        """Wait a moment for the answer's row; tell whether there is one, or can be one."""
        until = self._loop.time() + ROW_LATE_S
        with suppress(StoreError):  # which is away for a while: it may be there
            while (await self._progress()) is None:
                if self._loop.time() > until:
                    return False
                await asyncio.sleep(POLL_S / 5)
        return True

    async def __aenter__(self) -> "ForeignAnswer":
        self._watching = self._loop.create_task(self._call.hang_up())
        self._watching.add_done_callback(lambda _: self._growth.news.set())
        self._growth.begin()
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._watching is not None
        self._watching.cancel()
        self._growth.end()

    async def wait(self) -> tuple[str, Message | None] | None:
        """Return the next text, and the message once it is final. None: nobody is there to read.

        An empty text asks for a sign of life. The answer of a process that died ends once anyone
        at the database has found that its lease stands still.
        """
        while not self._is_over():
            if text := self._heard():
                return text, None
            if self._may_wait():
                if self._is_quiet():
                    self._spoke_at = self._loop.time()
                    return "", None
                await self._pause()
                continue
            try:
                if (progress := await self._progress()) is None:  # deleted meanwhile
                    return None
                self._looked_at = self._loop.time()
                if progress.status.is_final:
                    ended = await self._ended()
                    self.place = max(self.place, progress.length)
                    return progress.rest, ended
                await self._sign()
            except StoreError as error:
                logger.warning("An answer elsewhere cannot be read yet: %s", error)
                await self._pause()
                continue
            self._growth.watch(max(self.place, progress.length), anew=self._lacks)
            self._lacks = False
            if progress.rest or self._is_quiet():
                self.place = max(self.place, progress.length)
                self._spoke_at = self._loop.time()
                return progress.rest, None
            await self._pause()
        return None

    def _heard(self) -> str:
        """Return what was heard of the answer since, and say that somebody still reads."""
        text, self._lacks = self._growth.take(self.place)
        if text:
            self.place += len(text)
            self._spoke_at = self._loop.time()
            self._growth.watch(self.place)
        return text

    def _may_wait(self) -> bool:
        """Tell whether nothing has to be looked up in the row now."""
        is_hearing = self._growth.is_live and not self._growth.has_ended and not self._lacks
        return is_hearing and self._loop.time() - self._looked_at < HEARING_POLL_S

    async def _pause(self) -> None:
        """Wait until something is heard, it is time to look again, or the reader leaves."""
        with suppress(TimeoutError):
            async with asyncio.timeout(POLL_S):
                await self._growth.news.wait()

    async def _progress(self) -> AnswerProgress | None:
        answers = self._bridge.studio.store.running_answers
        return await asyncio.to_thread(answers.progress, self._owner, self._answer_id, self.place)

    async def _ended(self) -> Message | None:
        store = self._bridge.studio.store
        if self._signed_at is not None:
            await asyncio.to_thread(store.key_values.remove, audience_key(self._answer_id))
        return await asyncio.to_thread(store.messages.get, self._owner, self._answer_id)

    async def _sign(self) -> None:
        """Tell the process that writes the answer that somebody reads it (see Departures)."""
        now = self._loop.time()
        if (
            self._signed_at is not None
            and now - self._signed_at < self._bridge.timings.reader_grace_s / 4
        ):
            return
        self._signed_at = now
        key, value = audience_key(self._answer_id), secrets.token_hex(8)
        await asyncio.to_thread(self._bridge.studio.store.key_values.set, key, value)

    def _is_over(self) -> bool:
        # A studio that closes ends no answer of others: the reader is to come back elsewhere.
        assert self._watching is not None
        return self._watching.done() or current_studio() is not self._bridge.studio

    def _is_quiet(self) -> bool:
        return self._loop.time() - self._spoke_at >= self._bridge.timings.keep_alive_s
