"""Sentences of an answer, whether it stands in the history or is still being written."""

import asyncio
from collections.abc import AsyncGenerator, Callable

from core.errors import InputError
from core.models.chat import Message
from core.wire.audio import SentenceCutter, cut_sentences
from core.work.chat.buffers.cursors import Cursor
from core.work.chat.live_answer import LiveAnswer

# An answer that another process writes is looked at so often.
_LOOK_S = 1.0

FindLive = Callable[[str], LiveAnswer | None]
FindStored = Callable[[str, str], Message | None]


async def sentences_of_answer(
    owner: str, message_id: str, *, live: FindLive, stored: FindStored
) -> AsyncGenerator[str]:
    """Yield an answer's sentences as they are finished. On the studio's loop."""
    growing = live(message_id)
    if growing is not None and growing.owner == owner:
        async for sentence in _growing(growing):
            yield sentence
        return
    cutter, read = SentenceCutter(), 0
    while True:
        message = await asyncio.to_thread(stored, owner, message_id)
        if message is None:
            raise InputError("message_id", "error.message_gone")
        if message.status.is_final and not read:
            for sentence in cut_sentences(message.content):
                yield sentence
            return
        for sentence in cutter.feed(message.content[read:]):
            yield sentence
        read = max(read, len(message.content))
        if message.status.is_final:
            for sentence in cutter.finish():
                yield sentence
            return
        await asyncio.sleep(_LOOK_S)


async def _growing(live: LiveAnswer) -> AsyncGenerator[str]:
    loop, has_grown = asyncio.get_running_loop(), asyncio.Event()
    cutter, cursor = SentenceCutter(), Cursor()

    def grew() -> None:
        loop.call_soon_threadsafe(has_grown.set)

    leave = live.listen(grew)
    try:
        while True:
            has_grown.clear()
            growth = live.read(cursor)
            cursor = growth.cursor
            for sentence in cutter.feed(growth.content):
                yield sentence
            if growth.is_final:
                break
            await has_grown.wait()
        for sentence in cutter.finish():
            yield sentence
    finally:
        leave()
