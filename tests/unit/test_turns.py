"""Turns: order, how many a round, and those who leave the queue."""

import asyncio

from core.work.turns import Turns


def test_a_few_go_on_in_each_round_in_the_order_in_which_they_came() -> None:
    async def run() -> list[list[int]]:
        turns, went = Turns(at_once=2, per_ms=0), list[int]()

        async def one(number: int) -> None:
            await turns.take()
            went.append(number)

        tasks = [asyncio.create_task(one(number)) for number in range(7)]
        rounds: list[list[int]] = []
        while len(went) < 7:
            before = len(went)
            await asyncio.sleep(0)
            if went[before:]:
                rounds.append(went[before:])
        await asyncio.gather(*tasks)
        return rounds

    rounds = asyncio.run(run())
    assert [number for went in rounds for number in went] == list(range(7))
    assert max(map(len, rounds)) <= 2


def test_where_a_round_takes_long_more_go_on_in_the_next() -> None:
    async def run() -> list[int]:
        loop = asyncio.get_running_loop()
        now_s = 100.0
        loop.time = lambda: now_s  # type: ignore[method-assign]
        turns, went = Turns(at_once=1, per_ms=2), list[int]()

        async def one(number: int) -> None:
            nonlocal now_s
            await turns.take()
            went.append(number)
            if number == 0:
                now_s += 0.0022  # what everybody else had to do in this round

        tasks = [asyncio.create_task(one(number)) for number in range(7)]
        rounds = []
        while len(went) < 7:
            before = len(went)
            await asyncio.sleep(0)
            rounds.append(len(went) - before)
        await asyncio.gather(*tasks)
        return [count for count in rounds if count]

    assert asyncio.run(run()) == [1, 4, 1, 1]


def test_the_first_of_a_round_do_not_wait() -> None:
    async def run() -> bool:
        turns = Turns(at_once=1)
        taking = turns.take()
        try:
            taking.send(None)
        except StopIteration:
            return True
        return False

    assert asyncio.run(run())


def test_one_who_leaves_takes_no_turn() -> None:
    async def run() -> list[str]:
        turns, went = Turns(at_once=1), list[str]()

        async def one(name: str) -> None:
            await turns.take()
            went.append(name)

        tasks = {name: asyncio.create_task(one(name)) for name in ("first", "leaves", "last")}
        await asyncio.sleep(0)
        tasks["leaves"].cancel()
        await asyncio.gather(*tasks.values(), return_exceptions=True)
        return went

    assert asyncio.run(run()) == ["first", "last"]
