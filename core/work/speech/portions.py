"""Portions: what is said in one call. A sentence first, for a quick start, then what is there."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import Any

from core.wire.audio import portions, spoken

# Whatever says one portion, in samples.
Say = Callable[[str], AsyncGenerator[bytes]]
# Whatever waits for the listener.
Wait = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class PortionSizes:
    """How much goes into one call: `most` characters, and `least` where calls are paid one by one.

    A voice that is paid by calls waits for more of an answer before it asks again.
    """

    most: int
    least: int = 1


class Portions:
    """Takes sentences as they come, and gives them out in portions as they are asked for."""

    def __init__(
        self, sentences: AsyncIterator[str], sizes: PortionSizes, *, say_all: bool = False
    ) -> None:
        self._spoken = str.strip if say_all else spoken  # Markdown, or words to be said as they are
        self._sentences = sentences
        self._sizes = sizes
        self._waiting = ""
        self._is_over = False
        self._has_more = asyncio.Event()
        self._is_first = True

    async def pieces(self) -> AsyncGenerator[str]:
        """Yield what is said, marks and code left out."""
        reading = asyncio.create_task(self._read())
        try:
            while portion := await self._next():
                for part in portions(portion, self._sizes.most):
                    if words := part.strip():
                        yield words
            await reading  # what went wrong with the text is told
        finally:
            reading.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await reading

    async def _read(self) -> None:
        try:
            async for sentence in self._sentences:
                if words := self._spoken(sentence):
                    self._waiting += f"{words}\n"
                    self._has_more.set()
        finally:
            self._is_over = True
            self._has_more.set()

    async def _next(self) -> str:
        """Return the next portion; nothing at the end."""
        least = 1 if self._is_first else self._sizes.least
        while len(self._waiting) < least and not self._is_over:
            self._has_more.clear()
            await self._has_more.wait()
        taken = self._waiting
        if self._is_first and taken:
            self._is_first = False
            taken = taken[: taken.index("\n") + 1]
        elif len(taken) > self._sizes.most:
            taken = portions(taken, self._sizes.most)[0]
        self._waiting = self._waiting[len(taken) :]
        return taken


async def sentences_of(pieces: list[str]) -> AsyncGenerator[str]:
    """Yield the pieces of a text that is whole."""
    for piece in pieces:
        yield piece


async def at_once() -> None:
    """Wait for nothing: what is heard by a program may come as fast as it does."""


async def one_ahead(
    portions_: AsyncGenerator[str], say: Say, *, heard: Wait = at_once
) -> AsyncGenerator[bytes]:
    """Prefetch: yield the sound of each portion in turn, while the next one is being made already.

    Without it every portion would begin with the time that its voice takes to begin. One is made
    ahead and no more, each being paid for whether it is heard or not: once there is sound of the
    one before, and `heard` has waited for whoever listens to come to its beginning.
    """

    async def begun(*, is_first: bool = False) -> _Track | None:
        if not is_first:
            await heard()
        words = await anext(portions_, None)
        return None if words is None else _Track(say, words)

    track: _Track | None = None
    coming: asyncio.Task[_Track | None] | None = asyncio.create_task(begun(is_first=True))
    try:
        while coming is not None and (track := await coming) is not None:
            coming = None
            async with aclosing(track.sound()) as sound:
                async for pcm in sound:
                    if coming is None:
                        coming = asyncio.create_task(begun())
                        await asyncio.sleep(0)  # `heard` is asked before this is given
                    yield pcm
            if coming is None:  # it was silent
                coming = asyncio.create_task(begun())
    finally:
        ahead = None
        if coming is not None:
            await _ended(coming)
            ahead = None if coming.cancelled() or coming.exception() else coming.result()
        for one in (track, ahead):
            if one is not None:
                await _ended(one.task)
        await portions_.aclose()


async def _ended(task: asyncio.Task[Any]) -> None:
    """Cancel a task and wait for its end, whatever that is: who waits is told of another."""
    task.cancel()
    await asyncio.wait({task})
    task.cancelled() or task.exception()  # seen, so that the loop does not complain of it


class _Track:
    """One portion on its way: its samples wait here until it is their turn."""

    def __init__(self, say: Say, words: str) -> None:
        self._pieces: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.task = asyncio.create_task(self._fill(say, words))

    async def _fill(self, say: Say, words: str) -> None:
        try:
            async with aclosing(say(words)) as sound:
                async for pcm in sound:
                    self._pieces.put_nowait(pcm)
        finally:
            self._pieces.put_nowait(None)

    async def sound(self) -> AsyncGenerator[bytes]:
        while (pcm := await self._pieces.get()) is not None:
            yield pcm
        await self.task  # raises what stopped it
