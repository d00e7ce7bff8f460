"""Readers who leave, and those who read elsewhere: when an answer is stopped, and when not."""

import asyncio
from collections.abc import Callable

from core.errors import StoreError
from core.web.chat.audience import Audiences

GRACE_S = 0.02


def stopped_after(signs: Callable[[int], object]) -> int:
    """Let the only reader leave; return how often the sign was read before the answer ended."""
    asked = 0

    async def scene() -> None:
        nonlocal asked
        over = asyncio.Event()

        async def sign_of(answer_id: str) -> object:
            nonlocal asked
            assert answer_id == "a"
            asked += 1
            return signs(asked)

        audiences = Audiences(lambda _: over.set(), sign_of, grace_s=GRACE_S)
        audiences.begin("a")
        audiences.add_reader("a")
        audiences.remove_reader("a", is_over=False)
        async with asyncio.timeout(60):
            await over.wait()

    asyncio.run(scene())
    return asked


def test_without_a_sign_it_ends_after_one_grace() -> None:
    assert stopped_after(lambda _: None) == 1


def test_while_the_sign_changes_it_goes_on() -> None:
    assert stopped_after(lambda asked: min(asked, 5)) == 6


def test_a_sign_that_nobody_renews_counts_once() -> None:
    assert stopped_after(lambda _: "left by a process that died") == 2


def test_a_store_that_does_not_answer_stops_nothing() -> None:
    def sign(asked: int) -> object:
        if asked <= 3:
            raise StoreError("error.store_gone")
        return None

    assert stopped_after(sign) == 5


def test_who_comes_back_while_the_store_is_asked_keeps_it_going() -> None:
    async def scene() -> list[str]:
        stopped: list[str] = []
        asked, may_answer = asyncio.Event(), asyncio.Event()

        async def sign_of(_: str) -> object:
            asked.set()
            await may_answer.wait()
            return None

        audiences = Audiences(stopped.append, sign_of, grace_s=GRACE_S)
        audiences.begin("a")
        audiences.add_reader("a")
        audiences.remove_reader("a", is_over=False)
        await asked.wait()
        audiences.add_reader("a")
        may_answer.set()
        for _ in range(20):
            await asyncio.sleep(0)
        before = list(stopped)
        audiences.remove_reader("a", is_over=False)
        asked.clear()
        await asked.wait()
        await asyncio.sleep(0)
        assert stopped == ["a"]
        return before

    assert asyncio.run(scene()) == []
