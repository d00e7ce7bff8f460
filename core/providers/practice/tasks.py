"""Picture tasks: what was accepted, and how far each must have come by now.

A task's state follows from when it was made and what time it is, so a process that dies loses
nothing: the journal keeps the beginnings, and the clock does the rest.
"""

import json
import secrets
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from core.models import TaskStatus
from core.providers.practice.brush import Rgb

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
    units: int
    watermark: bool
    failure: str | None = None
    tint: Rgb | None = None

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
        if journal is not None:
            self._read(journal)

    def now(self) -> float:
        """Return the book's time in Unix seconds."""
        return self._now()

    def add(self, task: PracticeTask) -> None:
        """Write a task down, then keep it."""
        if self._journal is not None:
            with self._journal.open("a", encoding="utf-8") as file:
                file.write(_line(task))
        self._keep(task)

    def find(self, task_id: str) -> PracticeTask | None:
        """Return the task Kling would find under its own id."""
        return self._tasks.get(task_id)

    def find_external(self, external_task_id: str) -> PracticeTask | None:
        """Return the task that was submitted under this id."""
        return self._by_external_id.get(external_task_id)

    def newest_first(self) -> list[PracticeTask]:
        """Return all tasks."""
        return list(reversed(self._tasks.values()))

    def running_pictures(self) -> int:
        """Return how many concurrency slots are taken: one for each picture."""
        now = self._now()
        return sum(task.n for task in self._tasks.values() if task.is_running(now))

    def _keep(self, task: PracticeTask) -> None:
        self._tasks[task.task_id] = task
        if task.external_task_id is not None:
            self._by_external_id[task.external_task_id] = task

    def _read(self, journal: Path) -> None:
        journal.parent.mkdir(parents=True, exist_ok=True)
        if not journal.exists():
            return
        oldest_ms = (self._now() - KEPT_S) * 1000
        lines = journal.read_text(encoding="utf-8", errors="replace").splitlines()
        tasks = [task for task in map(_task_from_line, lines) if task is not None]
        for task in tasks:
            if task.created_at_ms >= oldest_ms:
                self._keep(task)
        if len(self._tasks) < len(lines):  # something is old, or was torn by a crash
            fresh = journal.with_suffix(".new")
            fresh.write_text("".join(map(_line, self._tasks.values())), encoding="utf-8")
            fresh.replace(journal)


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
