"""core/work/task_watch: many tasks, few requests, and nobody left waiting."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from core.errors import AppError, NotFoundError, UnavailableError
from core.models.accounts import KlingApiKey
from core.models.generations import KlingTask, TaskStatus
from core.providers.http.client import build_client
from core.providers.kling.client import Kling
from core.providers.kling.endpoints import ENDPOINTS
from core.work.generations import poll_batching as task_watch
from core.work.generations.poll_batching import LIST_FROM, PollBatcher

DEADLINE_S = 60


class Account:
    """Answers for tasks by id; counts the requests."""

    def __init__(self) -> None:
        self.status: dict[str, str] = {}
        self.looks: list[str] = []
        self.lists = 0
        self.list_fault: httpx.Response | Exception | None = None
        self.in_flight: dict[str, int] = {}
        self.overlaps = 0

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if path == ENDPOINTS["image"].path:
            self.lists += 1
            if isinstance(self.list_fault, Exception):
                raise self.list_fault
            if self.list_fault is not None:
                return self.list_fault
            size = int(request.url.params["pageSize"])
            page = int(request.url.params["pageNum"])
            tasks = [self._task(task_id) for task_id in self.status]
            return _ok(tasks[(page - 1) * size : page * size])
        task_id = path.rpartition("/")[2]
        self.looks.append(task_id)
        self.in_flight[task_id] = self.in_flight.get(task_id, 0) + 1
        self.overlaps += self.in_flight[task_id] > 1
        await asyncio.sleep(0.001)
        self.in_flight[task_id] -= 1
        if task_id not in self.status:
            return httpx.Response(404, json={"code": 1203, "message": "not found"})
        return _ok(self._task(task_id))

    def _task(self, task_id: str) -> dict[str, object]:
        images = [{"index": 0, "url": "https://cdn.klingai.com/0.png"}]
        return {
            "task_id": task_id,
            "task_status": self.status[task_id],
            "task_result": {"images": images} if self.status[task_id] == "succeed" else {},
        }


def _ok(data: object) -> httpx.Response:
    return httpx.Response(200, json={"code": 0, "message": "SUCCEED", "data": data})


@asynccontextmanager
async def watching(account: Account) -> AsyncIterator[PollBatcher]:
    client = build_client(timeout=httpx.Timeout(5), transport=httpx.MockTransport(account))
    kling = Kling(
        origin="https://kling.test", credentials=KlingApiKey("some-key-1234"), client=client
    )
    batcher = PollBatcher(kling, "image", clock=time.monotonic)
    running = asyncio.create_task(batcher.run())
    try:
        async with asyncio.timeout(DEADLINE_S):
            yield batcher
    finally:
        running.cancel()
        await asyncio.wait([running])
        await kling.aclose()


@pytest.fixture
def account() -> Account:
    return Account()


async def look_at_all(
    batcher: PollBatcher, ids: list[str], after_s: float = 0.0
) -> list[KlingTask]:
    return await asyncio.gather(*(batcher.look(each, after_s=after_s) for each in ids))


def test_a_few_tasks_are_looked_at_one_by_one(account: Account) -> None:
    ids = [f"task-{number}" for number in range(LIST_FROM - 1)]
    account.status = dict.fromkeys(ids, "processing")

    async def run() -> list[KlingTask]:
        async with watching(account) as batcher:
            return await look_at_all(batcher, ids)

    assert [task.task_id for task in asyncio.run(run())] == ids
    assert (account.lists, sorted(account.looks)) == (0, ids)


def test_many_tasks_take_a_page_for_five_hundred(account: Account) -> None:
    ids = [f"task-{number}" for number in range(1_200)]
    account.status = dict.fromkeys(ids, "processing")

    async def run() -> None:
        async with watching(account) as batcher:
            for _ in range(3):
                await look_at_all(batcher, ids)

    asyncio.run(run())
    assert account.lists == 9
    assert account.looks == []


def test_what_the_list_does_not_hold_is_looked_at_by_itself(account: Account) -> None:
    ids = [f"task-{number}" for number in range(20)]
    account.status = dict.fromkeys(ids, "processing")

    async def run() -> list[BaseException | KlingTask]:
        async with watching(account) as batcher:
            looks = [batcher.look(each, after_s=0) for each in [*ids, "unlisted"]]
            return await asyncio.gather(*looks, return_exceptions=True)

    results = asyncio.run(run())
    assert isinstance(results[-1], NotFoundError)
    assert account.looks == ["unlisted"]


def test_a_list_tells_early_what_has_ended(account: Account) -> None:
    ids = [f"task-{number}" for number in range(20)]
    account.status = dict.fromkeys(ids, "processing") | {"later": "succeed"}

    async def run() -> KlingTask:
        async with watching(account) as batcher:
            later = asyncio.create_task(batcher.look("later", after_s=3_600))
            await asyncio.sleep(0)
            await look_at_all(batcher, ids)
            return await later

    assert asyncio.run(run()).status is TaskStatus.SUCCEED


@pytest.mark.parametrize(
    "fault",
    [
        httpx.Response(404, json={"code": 1203, "message": "no list"}),
        httpx.Response(400, json={"code": 1201, "message": "pageSize"}),
        httpx.Response(200, text="<html>"),
        httpx.Response(500, json={"code": 5000, "message": "internal"}),
        httpx.Response(200, json={"code": 0, "data": [{"no": "task"}]}),
    ],
)
def test_a_list_that_does_not_work_is_done_without(account: Account, fault: httpx.Response) -> None:
    ids = [f"task-{number}" for number in range(20)]
    account.status = dict.fromkeys(ids, "processing")
    account.list_fault = fault

    async def run() -> None:
        async with watching(account) as batcher:
            for _ in range(3):
                await look_at_all(batcher, ids)

    asyncio.run(run())
    assert account.lists == 1
    assert len(account.looks) == 60
    assert account.overlaps == 0


def test_when_nothing_gets_through_all_are_told_at_once(account: Account) -> None:
    ids = [f"task-{number}" for number in range(20)]
    account.list_fault = httpx.ConnectError("")

    async def run() -> list[object]:
        async with watching(account) as batcher:
            looks = (batcher.look(each, after_s=0) for each in ids)
            return await asyncio.gather(*looks, return_exceptions=True)

    assert all(isinstance(result, UnavailableError) for result in asyncio.run(run()))
    assert account.looks == []


def test_a_look_that_is_given_up_asks_nothing(account: Account) -> None:
    account.status = {"task": "processing"}

    async def run() -> None:
        async with watching(account) as batcher:
            look = asyncio.create_task(batcher.look("task", after_s=0.05))
            await asyncio.sleep(0)
            look.cancel()
            await asyncio.wait([look])
            await batcher.look("task", after_s=0.1)

    asyncio.run(run())
    assert account.looks == ["task"]


def test_a_mistake_of_ours_reaches_who_waits(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(task_watch, "_settle", broken)
    account.status = {"task": "processing"}

    async def run() -> None:
        async with watching(account) as batcher:
            with pytest.raises(ZeroDivisionError):
                await batcher.look("task", after_s=0)
            with pytest.raises(ZeroDivisionError):
                await look_at_all(batcher, [f"task-{number}" for number in range(20)])

    account.status |= {f"task-{number}": "processing" for number in range(20)}
    asyncio.run(run())


def test_an_error_belongs_to_one_task_only(account: Account) -> None:
    account.status = {"here": "processing"}

    async def run() -> list[object]:
        async with watching(account) as batcher:
            looks = (batcher.look(each, after_s=0) for each in ("here", "gone"))
            return await asyncio.gather(*looks, return_exceptions=True)

    here, gone = asyncio.run(run())
    assert isinstance(here, KlingTask)
    assert isinstance(gone, AppError)
