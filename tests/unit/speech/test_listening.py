"""Reading aloud keeps to the listener: what is handed over and bought, on a made-up clock."""

import asyncio
import heapq
from collections.abc import AsyncGenerator
from contextlib import aclosing
from itertools import accumulate

import pytest

from core.wire.audio import RATE, seconds_of
from core.work.speech.listening import AHEAD_S, Listening
from core.work.speech.portions import one_ahead
from tests.unit.speech.test_portions import ends, portions_of, settled

PIECE_S = 0.2
CASES = [
    [1.0, 30.0, 30.0, 30.0],
    [2.0] * 30,
    [0.2] * 40,
    [60.0],
    [1.0, 0.4, 50.0, 0.2, 0.2, 0.2, 9.0],
]


class MadeUpTime:
    """A clock that goes on only when everybody sleeps, to when the first wakes."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._number = 0

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        waking = asyncio.get_running_loop().create_future()
        self._number += 1
        heapq.heappush(self._sleepers, (self.now + max(seconds, 1e-6), self._number, waking))
        await waking

    async def run(self) -> None:
        while True:
            await settled()
            while self._sleepers:
                at, _, waking = heapq.heappop(self._sleepers)
                if not waking.done():
                    self.now = max(self.now, at)
                    waking.set_result(None)
                    break


class Reading:
    """Reads portions of so many seconds to a listener, by a voice that needs no time at all."""

    def __init__(self, lasting: list[float]) -> None:
        self.time = MadeUpTime()
        self.listening = Listening(clock=self.time.clock, sleep=self.time.sleep)
        self.lasting = lasting
        self.asked_when_heard: list[float] = []

    async def say(self, number: str) -> AsyncGenerator[bytes]:
        self.asked_when_heard.append(self.listening.heard_s)
        for _ in range(round(self.lasting[int(number)] / PIECE_S)):
            yield bytes(2 * int(PIECE_S * RATE))

    async def listen(self, until_s: float = float("inf")) -> float:
        """Take what comes until so much was heard; return how much was handed over."""
        names = [f"{number}" for number in range(len(self.lasting))]
        said = one_ahead(portions_of(names), self.say, heard=self.listening.reached_end)
        going = asyncio.create_task(self.time.run())
        given_s = 0.0
        try:
            async with aclosing(self.listening.paced(said)) as sound:
                async for pcm in sound:
                    given_s += seconds_of(len(pcm))
                    assert given_s <= self.listening.heard_s + AHEAD_S + 2 * PIECE_S
                    if self.listening.heard_s >= until_s:
                        break
        finally:
            going.cancel()
        return given_s


@pytest.mark.parametrize("lasting", CASES)
def test_all_of_it_is_heard(lasting: list[float]) -> None:
    async def listen() -> None:
        assert await Reading(lasting).listen() == pytest.approx(sum(lasting))

    ends(listen)


@pytest.mark.parametrize("lasting", CASES)
def test_no_portion_is_bought_before_the_one_in_front_of_it_is_heard(lasting: list[float]) -> None:
    reading = Reading(lasting)

    async def listen() -> None:
        await reading.listen()

    ends(listen)
    starts = [0.0, *accumulate(lasting)]
    assert len(reading.asked_when_heard) == len(lasting)
    for number, heard_s in enumerate(reading.asked_when_heard):
        assert heard_s >= starts[max(0, number - 1)] - 1e-3


@pytest.mark.parametrize("lasting", CASES)
@pytest.mark.parametrize("until_s", [0.0, 3.0, 8.5])
def test_who_stops_has_bought_what_was_heard_and_one_portion(
    lasting: list[float], until_s: float
) -> None:
    reading = Reading(lasting)

    async def listen() -> None:
        await reading.listen(until_s)

    ends(listen)
    starts = [0.0, *accumulate(lasting)][: len(lasting)]
    begun = sum(start <= reading.listening.heard_s + 1e-3 for start in starts)
    assert len(reading.asked_when_heard) <= begun + 1
