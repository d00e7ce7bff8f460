"""Looks at running Kling tasks: one request each while they are few, lists when they are many.

A list reports up to 500 tasks of a kind at once (kling.md section 5), so a thousand waiting tasks
cost two or three requests a round.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

from core.errors import (
    AppError,
    NotFoundError,
    ProtocolError,
    ProviderError,
    RejectedError,
    UnavailableError,
)
from core.models.generations import KlingTask, TaskStatus
from core.providers.kling.client import Kling

logger = logging.getLogger(__name__)

LIST_FROM = 8  # so many tasks due together are looked up in the list
PAGE_SIZE = 500
REQUESTS_AT_ONCE = 6
# Tasks due within this time of each other are looked at together.
ROUND_S = 0.25
LIST_ROUND_S = 1.5
# A list that does not work is left alone for so long; the tasks are looked at one by one.
LIST_PAUSE_S = 300.0

_ENDED = (TaskStatus.SUCCEED, TaskStatus.FAILED)


@dataclass(slots=True)
class _Watch:
    task_id: str
    due: float
    report: asyncio.Future[KlingTask]
    is_asked: bool = False


class PollBatcher:
    """Answers "how is this task now?" for all tasks of one kind and account. One event loop."""

    def __init__(self, kling: Kling, kind: str, *, clock: Callable[[], float]) -> None:
        self._kling = kling
        self._kind = kind
        self._clock = clock
        self._watches: dict[str, _Watch] = {}
        self._changed = asyncio.Event()
        self._sleeps_until: float | None = None
        self._is_listing = False
        self._list_from = 0.0
        self._requests = asyncio.Semaphore(REQUESTS_AT_ONCE)
        self._rounds: set[asyncio.Task[None]] = set()

    async def look(self, task_id: str, *, after_s: float) -> KlingTask:
        """Return what Kling says of a task in `after_s` seconds, or before that if it has ended.

        Raises what the request raises. One look at a time for each task.
        """
        report: asyncio.Future[KlingTask] = asyncio.get_running_loop().create_future()
        watch = _Watch(task_id, self._clock() + after_s, report)
        self._watches[task_id] = watch
        if self._sleeps_until is None or watch.due < self._sleeps_until:
            self._changed.set()
        try:
            return await report
        finally:
            if self._watches.get(task_id) is watch:
                del self._watches[task_id]

    async def run(self) -> None:
        """Serve until cancelled."""
        try:
            while True:
                self._changed.clear()
                if self._ask_for_due():
                    continue
                await self._rest()
        finally:
            for task in self._rounds:
                task.cancel()

    def _ask_for_due(self) -> bool:
        """Start the requests that are due; return whether there were any."""
        now = self._clock()
        idle = [watch for watch in self._watches.values() if not watch.is_asked]
        self._sleeps_until = min((watch.due for watch in idle), default=None)
        if self._sleeps_until is None or self._sleeps_until > now:
            return False
        due = [watch for watch in idle if watch.due <= now + ROUND_S]
        if len(due) < LIST_FROM or now < self._list_from:
            for watch in due:
                watch.is_asked = True
                self._start(self._look_at(watch), [watch])
            return True
        if self._is_listing:
            self._sleeps_until = None  # the end of the list wakes us
            return False
        due = [watch for watch in idle if watch.due <= now + LIST_ROUND_S]
        for watch in due:
            watch.is_asked = True
        self._is_listing = True
        self._start(self._look_in_list(due), due)
        return True

    async def _rest(self) -> None:
        until = self._sleeps_until
        try:
            async with asyncio.timeout(None if until is None else max(until - self._clock(), 0)):
                await self._changed.wait()
        except TimeoutError:
            return

    def _start(self, request: Coroutine[Any, Any, None], watches: Sequence[_Watch]) -> None:
        def ended(task: asyncio.Task[None]) -> None:
            self._rounds.discard(task)
            # A mistake of ours must not leave anyone waiting for a report that never comes.
            if not task.cancelled() and (error := task.exception()) is not None:
                for watch in watches:
                    _fail(watch, error)

        task = asyncio.create_task(request)
        self._rounds.add(task)
        task.add_done_callback(ended)

    async def _look_at(self, watch: _Watch) -> None:
        async with self._requests:
            if watch.report.done():
                return
            try:
                _settle(watch, await self._kling.get_task(self._kind, watch.task_id))
            except AppError as error:
                _fail(watch, error)

    async def _look_in_list(self, due: Sequence[_Watch]) -> None:
        """Report what the newest pages of the list hold; look at the rest one by one."""
        missing = {watch.task_id: watch for watch in due}
        pages = len(self._watches) // PAGE_SIZE + 2
        try:
            for page in range(1, pages + 1):
                tasks = await self._kling.list_tasks(self._kind, page=page, page_size=PAGE_SIZE)
                for task in tasks:
                    self._report(task, missing)
                if not missing or len(tasks) < PAGE_SIZE:
                    break
        except AppError as error:
            if _is_about_the_list(error):
                logger.info("The task list does not work here; tasks are looked at one by one")
                self._list_from = self._clock() + LIST_PAUSE_S
            else:
                for watch in missing.values():
                    _fail(watch, error)
                missing = {}
        finally:
            self._is_listing = False
            self._changed.set()
        for watch in missing.values():
            self._start(self._look_at(watch), [watch])

    def _report(self, task: KlingTask, missing: dict[str, _Watch]) -> None:
        watch = missing.pop(task.task_id, None)
        if watch is None and task.status in _ENDED:
            watch = self._watches.get(task.task_id)  # not due yet, but this is worth knowing
            if watch is not None and watch.is_asked:
                return
        if watch is not None:
            _settle(watch, task)


def _is_about_the_list(error: AppError) -> bool:
    """Return whether looking one by one may work although the list did not."""
    if isinstance(error, UnavailableError):
        return error.status_code is not None  # no status: nothing gets through at all
    return isinstance(error, ProviderError) and isinstance(
        error, NotFoundError | ProtocolError | RejectedError
    )


def _settle(watch: _Watch, task: KlingTask) -> None:
    if not watch.report.done():
        watch.report.set_result(task)


def _fail(watch: _Watch, error: BaseException) -> None:
    if not watch.report.done():
        watch.report.set_exception(error)
