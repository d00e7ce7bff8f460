"""Kling's elements: made from pictures, listed, used by their ids, deleted.

What making one costs is not known (kling.md section 10): it is not charged here. What was
made, and what was deleted, stands in the journal of tasks.
"""

import asyncio
import hashlib

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from core.models.generations import TaskStatus
from core.practice.kling.creates import fields as read
from core.practice.kling.door import Door, envelope, whole_number
from core.practice.kling.refusal import KlingRefusal, bad_parameter
from core.practice.kling.tasks import PracticeTask, TaskBook, new_task_id
from core.practice.settings import PracticeSettings

PATH = "/v1/general/advanced-custom-elements"
PRESETS_PATH = "/v1/general/advanced-presets-elements"
DELETE_PATH = "/v1/general/delete-elements"
_NAME_MOST, _DESCRIPTION_MOST = 20, 100
_REFERS_MOST = 3


def element_id_of(task_id: str) -> int:
    """Return an id of the form seen at Kling: too large for a number of JavaScript."""
    return 800_000_000_000_000_000 + int(hashlib.sha256(task_id.encode()).hexdigest()[:13], 16)


class Elements:
    """The elements of one practice server."""

    def __init__(self, settings: PracticeSettings, door: Door, tasks: TaskBook) -> None:
        self._settings = settings
        self._door = door
        self._tasks = tasks

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            self._door.route(PATH, POST=self._make, GET=self._list),
            self._door.route(PATH + "/{task_id}", GET=self._query),
            self._door.route(PRESETS_PATH, GET=self._presets),
            self._door.route(DELETE_PATH, POST=self._delete),
        ]

    async def _make(self, request: Request) -> Response:
        fields = await asyncio.to_thread(read.fields_of, await request.body())
        name = read.text(fields, "element_name", _NAME_MOST)
        about = read.text(fields, "element_description", _DESCRIPTION_MOST)
        if not name or not about:
            raise bad_parameter("element_name" if not name else "element_description", "is missing")
        read.one_of(fields, "reference_type", ("image_refer",), "")
        await asyncio.to_thread(_check_pictures, fields.get("element_image_list"))
        own_id = read.external_task_id(fields)
        if own_id is not None and self._tasks.find_external(own_id) is not None:
            raise bad_parameter("external_task_id", "already exists, it must be unique")
        task = self._written(PATH, name, about, own_id, self._settings.processing_s)
        return envelope(0, "SUCCEED", self._described(task))

    async def _list(self, request: Request) -> Response:
        page = whole_number(request, "pageNum", default=1, most=1000)
        size = whole_number(request, "pageSize", default=30, most=1000)
        made = [task for task in self._tasks.newest_first() if task.path == PATH]
        shown = made[(page - 1) * size : page * size]
        return envelope(0, "SUCCEED", [self._described(task) for task in shown])

    async def _query(self, request: Request) -> Response:
        asked_id = request.path_params["task_id"]
        task = self._tasks.find(asked_id) or self._tasks.find_external(asked_id)
        if task is None or task.path != PATH:
            raise KlingRefusal(1203, "Task not found")
        return envelope(0, "SUCCEED", self._described(task))

    async def _presets(self, request: Request) -> Response:
        return envelope(0, "SUCCEED", [])

    async def _delete(self, request: Request) -> Response:
        fields = await asyncio.to_thread(read.fields_of, await request.body())
        element_id = str(fields.get("element_id", ""))
        if (
            element_id
            not in {
                str(element_id_of(task.task_id))
                for task in self._tasks.newest_first()
                if task.path == PATH
            }
            - self._deleted()
        ):
            raise KlingRefusal(1203, "Element not found")
        task = self._written(DELETE_PATH, element_id, "", None, 0)
        data = {"task_id": task.task_id, "task_status": TaskStatus.SUCCEED.value}
        return envelope(0, "SUCCEED", data)

    def _deleted(self) -> set[str]:
        return {task.prompt for task in self._tasks.newest_first() if task.path == DELETE_PATH}

    def _written(
        self, path: str, words: str, about: str, own_id: str | None, takes_s: float
    ) -> PracticeTask:
        task = PracticeTask(
            task_id=new_task_id(),
            external_task_id=own_id,
            created_at_ms=int(self._tasks.now() * 1000),
            submitted_s=0,
            processing_s=takes_s,
            prompt=words,
            n=0,
            width=0,
            height=0,
            units=None,
            watermark=False,
            path=path,
            about=about,
        )
        try:
            self._tasks.add(task)
        except OSError as error:
            raise KlingRefusal(5000) from error
        return task

    def _described(self, task: PracticeTask) -> dict[str, object]:
        now = self._tasks.now()
        status = task.status_at(now)
        info = {} if task.external_task_id is None else {"external_task_id": task.external_task_id}
        described: dict[str, object] = {
            "task_id": task.task_id,
            "task_status": status.value,
            "task_status_msg": "",
            "task_info": info,
            "created_at": task.created_at_ms,
            "updated_at": task.updated_at_ms(now),
        }
        if status is TaskStatus.SUCCEED:
            element_id = element_id_of(task.task_id)
            element = {
                "element_id": element_id,
                "element_name": task.prompt,
                "element_description": task.about,
                "reference_type": "image_refer",
                "owned_by": "practice",
                "status": "deleted" if str(element_id) in self._deleted() else "succeed",
            }
            described["task_result"] = {"elements": [element]}
        return described


def _check_pictures(pictures: object) -> None:
    name = "element_image_list"
    if not isinstance(pictures, dict):
        raise bad_parameter(name, "must be an object with frontal_image and refer_images")
    if read.picture(pictures, "frontal_image") is None:
        raise bad_parameter(name, "must have a frontal_image")
    refers = read.pictures(pictures, "refer_images", "image_url")
    if not 1 <= len(refers) <= _REFERS_MOST:
        raise bad_parameter(name, f"must have 1 to {_REFERS_MOST} refer_images")
