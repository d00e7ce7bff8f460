"""Portions one ahead of what is heard: what is bought, and that every way out is an end."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing

import pytest

from core.errors import RejectedError
from core.work.speech.portions import one_ahead

ENOUGH_S = 20.0  # what hangs, hangs for ever
REFUSED = "refused"


class Voice:
    """Notes what it is asked to say; each portion is one piece, and one word of it is refused."""

    def __init__(self, *, waits: bool = False) -> None:
        self.asked: list[str] = []
        self.closed: list[str] = []
        self._waits = waits

    async def say(self, words: str) -> AsyncGenerator[bytes]:
        self.asked.append(words)
        try:
            if words == REFUSED:
                raise RejectedError("error.speech_rejected", provider="speech", status_code=400)
            yield words.encode()
            if self._waits:
                await asyncio.get_running_loop().create_future()
        finally:
            self.closed.append(words)


async def portions_of(words: list[str]) -> AsyncGenerator[str]:
    for one in words:
        yield one


async def hear(sound: AsyncGenerator[bytes], heard: list[bytes]) -> None:
    async for pcm in sound:
        heard.append(pcm)


async def settled() -> None:
    """Let everything go as far as it goes by itself."""
    for _ in range(200):
        await asyncio.sleep(0)


def ends(use: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(ENOUGH_S):
            await use()

    asyncio.run(bounded())


@pytest.mark.parametrize("count", [1, 2, 3, 4, 9])
def test_all_portions_are_heard_in_turn(count: int) -> None:
    voice, words = Voice(), [f"{number}" for number in range(count)]

    async def listen() -> None:
        sound = one_ahead(portions_of(words), voice.say)
        assert [pcm.decode() async for pcm in sound] == words

    ends(listen)
    assert voice.closed == voice.asked == words


@pytest.mark.parametrize("count", [1, 2, 3, 4, 9])
@pytest.mark.parametrize("heard", [1, 2])
def test_one_portion_more_is_asked_for_than_is_heard(count: int, heard: int) -> None:
    voice, words = Voice(), [f"{number}" for number in range(count)]

    async def listen() -> None:
        async with aclosing(one_ahead(portions_of(words), voice.say)) as sound:
            for _ in range(min(heard, count)):
                await anext(sound)
            await settled()
            assert voice.asked == words[: heard + 1]

    ends(listen)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 9])
@pytest.mark.parametrize("waits", [True, False])
def test_who_stops_listening_ends_all_of_it(count: int, waits: bool) -> None:
    voice = Voice(waits=waits)

    async def listen() -> None:
        sound = one_ahead(portions_of(["word"] * count), voice.say)
        await anext(sound)
        await settled()
        await sound.aclose()
        assert len(voice.closed) == len(voice.asked) == min(count, 2)

    ends(listen)


@pytest.mark.parametrize("place", range(5))
def test_a_refused_portion_ends_all_of_it_and_is_told(place: int) -> None:
    voice, words = Voice(), ["word"] * 5
    words[place] = REFUSED

    async def listen() -> None:
        heard: list[bytes] = []
        with pytest.raises(RejectedError):
            await hear(one_ahead(portions_of(words), voice.say), heard)
        assert len(heard) == place
        assert len(voice.closed) == len(voice.asked) <= place + 2

    ends(listen)


@pytest.mark.parametrize("place", range(4))
def test_a_text_that_breaks_off_is_heard_as_far_as_it_came(place: int) -> None:
    async def breaking() -> AsyncGenerator[str]:
        for number in range(place):
            yield f"{number}"
        raise ValueError("the text is gone")

    async def listen() -> None:
        heard: list[bytes] = []
        with pytest.raises(ValueError, match="gone"):
            await hear(one_ahead(breaking(), Voice().say), heard)
        assert len(heard) == place

    ends(listen)


@pytest.mark.parametrize("count", [1, 3])
def test_a_listener_who_is_cancelled_closes_the_voice(count: int) -> None:
    voice = Voice(waits=True)

    async def listen() -> None:
        async def listening() -> None:
            async with aclosing(one_ahead(portions_of(["word"] * count), voice.say)) as sound:
                await hear(sound, [])

        hearing = asyncio.create_task(listening())
        await settled()
        hearing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await hearing
        assert len(voice.closed) == len(voice.asked) == min(count, 2)

    ends(listen)
