"""Group commit: nobody suffers for another's item, and nobody waits for ever."""

import asyncio
from collections.abc import Sequence

import pytest

from core.errors import StoreError
from core.storage.db.errors import store_error
from core.work.chat.group_commit import GroupCommit


class NotToday(Exception):
    """Why an item was refused."""


class Notebook:
    """Takes batches; refuses those with an item that it cannot write."""

    def __init__(self, refusal: Exception) -> None:
        self.batches: list[list[int]] = []
        self.written: list[int] = []
        self._refusal = refusal

    def write(self, items: Sequence[int]) -> dict[int, Exception]:
        self.batches.append(list(items))
        if any(item < 0 for item in items):
            raise self._refusal
        self.written += [item for item in items if item != 13]
        return {place: NotToday() for place, item in enumerate(items) if item == 13}


async def outcomes(notebook: Notebook, items: Sequence[int]) -> list[BaseException | None]:
    together = GroupCommit(notebook.write, most=8)
    return list(
        await asyncio.gather(*(together.write(item) for item in items), return_exceptions=True)
    )


def test_what_comes_together_is_written_together() -> None:
    notebook = Notebook(ValueError())
    assert asyncio.run(outcomes(notebook, range(20, 40))) == [None] * 20
    assert [len(batch) for batch in notebook.batches] == [8, 8, 4]


@pytest.mark.parametrize(
    "refusal", [OverflowError("too large"), store_error("error.store_broken", "x")]
)
def test_an_item_that_cannot_be_written_harms_no_other(refusal: Exception) -> None:
    notebook = Notebook(refusal)
    found = asyncio.run(outcomes(notebook, [1, -2, 3]))
    assert found == [None, refusal, None]
    assert notebook.written == [1, 3]


def test_an_item_that_is_refused_by_itself_costs_no_second_batch() -> None:
    notebook = Notebook(ValueError())
    found = asyncio.run(outcomes(notebook, [1, 13, 3]))
    assert [type(one) for one in found] == [type(None), NotToday, type(None)]
    assert (notebook.written, notebook.batches) == ([1, 3], [[1, 13, 3]])


def test_a_store_that_takes_nothing_is_asked_once_for_all() -> None:
    refusal = store_error("error.store_locked", "x")
    notebook = Notebook(refusal)
    found = asyncio.run(outcomes(notebook, [1, -2, 3]))
    assert all(isinstance(one, StoreError) for one in found)
    assert notebook.batches == [[1, -2, 3]]


def test_when_the_loop_closes_nobody_is_left_waiting() -> None:
    async def run() -> bool:
        together = GroupCommit(Notebook(ValueError()).write, most=8, gather_s=60)
        written = together.write(1)
        await asyncio.sleep(0)
        writer = next(task for task in asyncio.all_tasks() if task.get_name() == "write-together")
        writer.cancel()
        with pytest.raises(asyncio.CancelledError):
            await written
        return written.cancelled()

    assert asyncio.run(run())
