"""Kling's picture endpoints: submit, query and list."""

import asyncio
import re
from datetime import UTC, datetime
from functools import partial

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from core.models.generations import TaskStatus
from core.models.money.amounts import plain
from core.practice.counters import Tally
from core.practice.faults import GATEWAY_PAGE, SERVICE_STATUSES, Faults, Repetitions, read_faults
from core.practice.hangup import hang_up, wait_for_hang_up
from core.practice.kling.book import ChargeBook, deductions
from core.practice.kling.creates import CREATES
from core.practice.kling.creates.fields import fields_of
from core.practice.kling.creates.picture_request import PictureRequest
from core.practice.kling.door import Door, envelope, whole_number
from core.practice.kling.picture_files import PictureFiles
from core.practice.kling.refusal import KlingRefusal, bad_parameter
from core.practice.kling.tasks import PracticeTask, TaskBook, new_task_id
from core.practice.settings import PracticeSettings

_FAILED_WORDS = re.compile(r"敏感|\bsensitive\b", re.IGNORECASE)
# Of the long side; a 4k picture of four times takes the painter ten seconds.
_TIMES = {"2k": 2, "4k": 3}
_FAILURE = "Failure to pass the risk control system"


class Images:
    """The picture side of one practice server."""

    def __init__(
        self,
        settings: PracticeSettings,
        tally: Tally,
        door: Door,
        tasks: TaskBook,
        files: PictureFiles,
        book: ChargeBook,
    ) -> None:
        self._settings = settings
        self._tally = tally
        self._tasks = tasks
        self._files = files
        self._book = book
        self._door = door
        self._repetitions = Repetitions()

    def routes(self) -> list[Route]:
        """Return the routes; each takes every method, since a wrong one has a service code."""
        routes = []
        for path in CREATES:
            submit, listed, query = (
                partial(step, path) for step in (self._submit, self._list, self._query)
            )
            routes += [
                self._door.route(path, POST=submit, GET=listed),
                self._door.route(path + "/{task_id}", GET=query),
            ]
        return routes

    async def _submit(self, path: str, request: Request) -> Response:
        # Reference pictures are decoded to be measured: not on the loop.
        at = datetime.fromtimestamp(self._tasks.now(), UTC)
        fields = await asyncio.to_thread(fields_of, await request.body())
        asked = await asyncio.to_thread(CREATES[path], fields, at)
        faults = read_faults(asked.prompt)
        if (response := await self._faulty_submit(request, asked, faults)) is not None:
            return response
        task = self._accept(path, asked, faults, request.state.key_name)
        if "lost" in faults:
            return await _dropped(request)
        return envelope(0, "SUCCEED", _accepted(task))

    async def _faulty_submit(
        self, request: Request, asked: PictureRequest, faults: Faults
    ) -> Response | None:
        key = asked.external_task_id or asked.prompt
        for code in SERVICE_STATUSES:
            times = faults.get(str(code))
            if str(code) in faults and self._repetitions.strikes(str(code), times, key):
                raise KlingRefusal(code)
        if "html" in faults:
            return HTMLResponse(GATEWAY_PAGE, faults["html"] or 502)
        if "dropped" in faults and self._repetitions.strikes("dropped", faults["dropped"], key):
            return await _dropped(request)
        return None

    def _accept(
        self, path: str, asked: PictureRequest, faults: Faults, key_name: str
    ) -> PracticeTask:
        own_id = asked.external_task_id
        if own_id is not None and self._tasks.find_external(own_id) is not None:
            # The docs only demand uniqueness; 400/1201 is what clients report (reference, 5).
            raise bad_parameter("external_task_id", "already exists, it must be unique")
        if self._tasks.running_pictures() + asked.n > self._settings.concurrent_pictures:
            raise KlingRefusal(1303)
        width, height = _size(asked, self._settings.picture_pixels)
        fails = "fail" in faults or _FAILED_WORDS.search(asked.prompt)
        slow_s = faults.get("slow")
        task = PracticeTask(
            task_id=new_task_id(),
            external_task_id=own_id,
            created_at_ms=int(self._tasks.now() * 1000),
            submitted_s=self._settings.submitted_s,
            processing_s=self._settings.processing_s if slow_s is None else float(slow_s),
            prompt=asked.prompt,
            n=asked.n,
            width=width,
            height=height,
            units=asked.units,
            watermark=asked.watermark,
            failure=_FAILURE if fails else None,
            tint=asked.tint,
            model_name=asked.model_name,
            resolution=asked.resolution,
            has_image=asked.has_image,
            key_name=key_name,
            cash=self._book.cash_of(asked, faults, key_name),
            list_price=None if asked.list_price is None else plain(asked.list_price),
            path=path,
            is_series=asked.is_series,
        )
        self._book.check_means(task)
        try:
            self._tasks.add(task)
        except OSError as error:  # the journal's disk is full, say
            raise KlingRefusal(5000) from error
        self._tally.tasks_accepted += 1
        if own_id is not None:
            self._tally.accepted_by_external_task_id[own_id] += 1
        return task

    async def _query(self, path: str, request: Request) -> Response:
        self._tally.polls += 1
        asked_id = request.path_params["task_id"]
        task = self._tasks.find(asked_id)
        if task is None:
            task = self._tasks.find_external(asked_id)
            if task is not None and "hidden" in read_faults(task.prompt):
                task = None
        if task is None or task.path != path:
            raise KlingRefusal(1203, "Task not found")
        return envelope(0, "SUCCEED", self._described(task, request))

    async def _list(self, path: str, request: Request) -> Response:
        self._tally.list_calls += 1
        page = whole_number(request, "pageNum", default=1, most=1000)
        size = whole_number(request, "pageSize", default=30, most=500)
        tasks = [task for task in self._tasks.newest_first() if task.path == path]
        tasks = tasks[(page - 1) * size : page * size]
        return envelope(0, "SUCCEED", [self._described(task, request) for task in tasks])

    def _described(self, task: PracticeTask, request: Request) -> dict[str, object]:
        now = self._tasks.now()
        status = task.status_at(now)
        described = _accepted(task) | {
            "task_status": status.value,
            "task_status_msg": task.failure if status is TaskStatus.FAILED else "",
            "updated_at": task.updated_at_ms(now),
            "watermark_info": {"enabled": task.watermark},
        }
        if not task.is_running(now):
            described |= deductions(task)
        if status is TaskStatus.SUCCEED:
            origin = str(request.base_url).rstrip("/")
            links = self._files.links(task, origin)
            described["task_result"] = (
                {"result_type": "series", "images": [], "series_images": links}
                if task.is_series
                else {"images": links}
            )
        return described


def _accepted(task: PracticeTask) -> dict[str, object]:
    info = {} if task.external_task_id is None else {"external_task_id": task.external_task_id}
    return {
        "task_id": task.task_id,
        "task_status": TaskStatus.SUBMITTED.value,
        "task_info": info,
        "created_at": task.created_at_ms,
        "updated_at": task.created_at_ms,
    }


async def _dropped(request: Request) -> Response:
    hang_up(request)
    await wait_for_hang_up(request)
    return Response()  # goes nowhere: the connection is gone


def _size(asked: PictureRequest, long_side: int) -> tuple[int, int]:
    """Return the pixels of a result; Kling does not publish them, so the long side is ours."""
    most = long_side * _TIMES.get(asked.resolution, 1)
    across, down = (int(part) for part in asked.aspect_ratio.split(":"))
    if asked.own_size is not None:
        across, down = asked.own_size
        most = min(max(across, down), long_side * 2)
    scale = most / max(across, down)
    return round(across * scale), round(down * scale)
