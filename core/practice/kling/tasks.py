"""Picture tasks: what was accepted, and how far each must have come by now.

A task's state follows from when it was made and what time it is, so a process that dies loses
nothing: the journal keeps the beginnings, and the clock does the rest. Where the clock was set
back since, the book goes on from the last beginning: no task waits for the clock to catch up.
Several processes may share one journal: each reads what the others have added before it says that
a task is unknown.
"""

import json
import os
import secrets
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from core.models.generations import TaskStatus
from core.practice.kling.creates import GENERATIONS_PATH
from core.practice.painting.brush import Rgb
from core.settings.private_files import private, write_private

KEPT_S = 30 * 24 * 3600  # "results are removed 30 days after creation" (Kling's image page)


@dataclass(frozen=True, slots=True)
class PracticeTask:
    """One accepted task, as the journal keeps it."""

    task_id: str
    external_task_id: str | None
    created_at_ms: int
    submitted_s: float
    processing_s: float
    prompt: str
    n: int
    width: int
    height: int
    units: int | None
    watermark: bool
    failure: str | None = None
    tint: Rgb | None = None
    # How it is paid for. Lines of earlier versions lack these: they were paid in units.
    model_name: str = ""
    resolution: str = ""
    has_image: bool = False
    key_name: str = ""
    cash: str | None = None  # CNY; None: units of the package
    list_price: str | None = None  # CNY
    path: str = GENERATIONS_PATH  # where it was posted
    is_series: bool = False
    about: str = ""  # of an element: its description

    def status_at(self, now: float) -> TaskStatus:
        """Return the status at `now` (Unix seconds)."""
        age_s = now - self.created_at_ms / 1000
        if age_s < self.submitted_s:
            return TaskStatus.SUBMITTED
        if age_s < self.submitted_s + self.processing_s:
            return TaskStatus.PROCESSING
        return TaskStatus.FAILED if self.failure else TaskStatus.SUCCEED

    def updated_at_ms(self, now: float) -> int:
        """Return when the status at `now` began."""
        waited_s = {
            TaskStatus.SUBMITTED: 0.0,
            TaskStatus.PROCESSING: self.submitted_s,
        }.get(self.status_at(now), self.submitted_s + self.processing_s)
        return self.created_at_ms + int(waited_s * 1000)

    @property
    def ends_at_ms(self) -> int:
        """When it ends, which is when it is charged."""
        return self.created_at_ms + int((self.submitted_s + self.processing_s) * 1000)

    def is_running(self, now: float) -> bool:
        """Return whether it still takes its slots."""
        return self.status_at(now) in (TaskStatus.SUBMITTED, TaskStatus.PROCESSING)


class TaskBook:
    """All tasks, in memory and, when a journal is given, in its file."""

    def __init__(self, journal: Path | None, *, now: Callable[[], float] = time.time) -> None:
        self._journal = journal
        self._now = now
        self._tasks: dict[str, PracticeTask] = {}
        self._by_external_id: dict[str, PracticeTask] = {}
        self._ahead_s = 0.0  # of the clock; more than nothing once that was set back
        self._newest_s = 0.0
        self._read_of: tuple[int, int] = (0, 0)  # which file, and how many bytes of it
        if journal is not None:
            self._read(journal)

    def now(self) -> float:
        """Return the book's time in Unix seconds: the clock's, and never before its last task."""
        now = self._now()
        self._ahead_s = max(self._ahead_s, self._newest_s - now)
        return now + self._ahead_s

    def add(self, task: PracticeTask) -> None:
        """Write a task down, then keep it."""
        if self._journal is not None:
            with open(self._journal, "ab", opener=private) as file:
                file.write(_line(task).encode())  # one write: lines of others stay whole
        self._keep(task)

    def find(self, task_id: str) -> PracticeTask | None:
        """Return the task Kling would find under its own id."""
        if task_id not in self._tasks:
            self._read_new()
        return self._tasks.get(task_id)

    def find_external(self, external_task_id: str) -> PracticeTask | None:
        """Return the task that was submitted under this id."""
        if external_task_id not in self._by_external_id:
            self._read_new()
        return self._by_external_id.get(external_task_id)

    def newest_first(self) -> list[PracticeTask]:
        """Return all tasks."""
        self._read_new()
        return list(reversed(self._tasks.values()))

    def running_pictures(self) -> int:
        """Return how many concurrency slots are taken: one for each picture."""
        self._read_new()
        now = self.now()
        return sum(task.n for task in self._tasks.values() if task.is_running(now))

    def _keep(self, task: PracticeTask) -> None:
        self._tasks[task.task_id] = task
        self._newest_s = max(self._newest_s, task.created_at_ms / 1000)
        if task.external_task_id is not None:
            self._by_external_id[task.external_task_id] = task

    def _read(self, journal: Path) -> None:
        journal.parent.mkdir(parents=True, exist_ok=True)
        if not journal.exists():
            return
        lines = self._read_new()
        if len(self._tasks) < lines:  # something is old, or was torn by a crash
            fresh = journal.with_suffix(".new")
            write_private(fresh, "".join(map(_line, self._tasks.values())).encode())
            fresh.replace(journal)

    def _read_new(self) -> int:
        """Keep what the journal holds beyond what was read of it; return how many lines it was."""
        if self._journal is None:
            return 0
        try:
            with self._journal.open("rb") as file:
                found = os.fstat(file.fileno())
                number, place = self._read_of
                if found.st_ino != number or found.st_size < place:
                    place = 0  # another process has written it anew
                if found.st_size == place:
                    return 0
                file.seek(place)
                data = file.read()
        except FileNotFoundError:
            return 0
        whole = data.rfind(b"\n") + 1  # a line that is still being written is left for later
        self._read_of = (found.st_ino, place + whole)
        lines = data[:whole].decode(errors="replace").splitlines()
        oldest_ms = (self._now() - KEPT_S) * 1000
        for task in map(_task_from_line, lines):
            if task is not None and task.created_at_ms >= oldest_ms:
                self._keep(task)
        return len(lines) + (whole < len(data))


def new_task_id() -> str:
    """Return an id of the form seen at Kling: 22 URL-safe characters."""
    return secrets.token_urlsafe(16)


def _line(task: PracticeTask) -> str:
    return json.dumps(asdict(task)) + "\n"


def _task_from_line(line: str) -> PracticeTask | None:
    try:
        fields: dict[str, Any] = json.loads(line)
        red_green_blue = fields.pop("tint")
        return PracticeTask(**fields, tint=tuple(red_green_blue) if red_green_blue else None)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
