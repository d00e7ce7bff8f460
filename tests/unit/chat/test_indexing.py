"""core/work/indexing: the search index is filled in quiet moments, and not put off for ever."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from core.errors import StoreError
from core.storage.chat.search_index import SearchIndex
from core.work.chat import indexing
from core.work.chat.indexing import Indexing

DEADLINE_S = 60


class FakeIndex(SearchIndex):
    """Counts instead of indexing."""

    def __init__(self, waits: int, *, failures: int = 0) -> None:
        self.waits = waits
        self.failures = failures
        self.asked = 0

    def waiting(self) -> int:
        self.asked += 1
        return self.waits

    def catch_up(self) -> None:
        if self.failures:
            self.failures -= 1
            raise StoreError("error.store_locked")
        self.waits -= 1


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexing, "PAUSE_S", 0.001)
    monkeypatch.setattr(indexing, "SWEEP_S", 0.002)


def run_until(work: Coroutine[Any, Any, None], is_so: Callable[[], bool]) -> None:
    async def run() -> None:
        task = asyncio.create_task(work)
        async with asyncio.timeout(DEADLINE_S):
            while not is_so():
                await asyncio.sleep(0.001)
        task.cancel()
        await asyncio.wait([task])

    asyncio.run(run())


def test_what_waits_is_indexed_while_nothing_else_goes_on() -> None:
    index = FakeIndex(3)
    run_until(Indexing(index, lambda: False).run(), lambda: index.waits == 0)


def test_a_busy_process_puts_it_off() -> None:
    index = FakeIndex(3)
    run_until(Indexing(index, lambda: True).run(), lambda: index.asked > 5)
    assert index.waits == 3


def test_work_that_begins_meanwhile_goes_first() -> None:
    index = FakeIndex(30)
    run_until(Indexing(index, lambda: index.waits < 20).run(), lambda: index.asked > 20)
    assert index.waits == 19


def test_it_is_not_put_off_for_ever() -> None:
    index = FakeIndex(indexing.WAITING_MOST + 3)
    run_until(Indexing(index, lambda: True).run(), lambda: index.asked > 10)
    assert index.waits == indexing.WAITING_MOST


def test_a_poke_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexing, "SWEEP_S", 600)
    index = FakeIndex(0)

    async def run() -> None:
        work = Indexing(index, lambda: False)
        task = asyncio.create_task(work.run())
        async with asyncio.timeout(DEADLINE_S):
            for _ in range(3):
                index.waits = 2
                work.wake()
                while index.waits:
                    await asyncio.sleep(0.001)
        task.cancel()
        await asyncio.wait([task])

    asyncio.run(run())


def test_a_store_in_trouble_is_tried_again() -> None:
    index = FakeIndex(3, failures=3)
    run_until(Indexing(index, lambda: False).run(), lambda: index.waits == 0)
