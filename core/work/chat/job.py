"""What it takes to bring one answer in, and what is known of its row."""

import asyncio
from dataclasses import dataclass

from core.errors import AppError
from core.models.chat import ChatParameters, Turn
from core.providers.deepseek.client import DeepSeek
from core.storage.chat.posted_chats import PostedChat
from core.work.chat.attempts import Context
from core.work.chat.live_answer import LiveAnswer


@dataclass(slots=True)
class AnswerJob:
    """What it takes to bring one answer in."""

    live: LiveAnswer
    parameters: ChatParameters
    client: DeepSeek
    context: Context
    wants_title: bool = False
    ask: PostedChat | None = None  # a posted chat, which has no row yet
    awaits_row: bool = False  # whether it asks only once it has one
    written: "asyncio.Future[None] | None" = None  # done once it has

    async def turns(self, with_reasoning: bool) -> list[Turn]:
        """Return what to send, once it may be sent; raises what kept the row from being written."""
        if self.awaits_row:
            assert self.written is not None
            await asyncio.shield(self.written)
        return await self.context(with_reasoning)

    @property
    def write_error(self) -> AppError | None:
        """Why the row could not be written, as far as that is known by now."""
        if self.written is None or not self.written.done() or self.written.cancelled():
            return None
        error = self.written.exception()
        return error if isinstance(error, AppError) else None
