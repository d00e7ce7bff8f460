"""What the account made lately: for an archive that was lost, or never was on this machine."""

from dataclasses import dataclass
from datetime import UTC, datetime

from core.errors import AppError, NotFoundError, RejectedError
from core.models.generations import KlingTask
from core.models.kinds import KINDS
from core.providers.kling.client import PAGE_SIZE_MOST, Kling
from core.work.generations.polling import RETENTION

# Our own ids begin so; a task without it was made by another program with the same key.
OUR_PREFIX = "inkling-"


@dataclass(frozen=True, slots=True)
class RecoveryResult:
    """Tasks of this app that Kling still has; `elsewhere` were made by others, and left alone."""

    found: int
    new: int
    known: int
    elsewhere: int


async def recent_tasks(kling: Kling) -> tuple[KlingTask, ...]:
    """Return the account's tasks as far back as Kling keeps results, each once.

    A kind whose list this account may not see has none; where it may see no list, that is raised.
    """
    found: dict[str, KlingTask] = {}
    refusal: AppError | None = None
    seen = 0
    for kind in KINDS:
        try:
            tasks = await _recent_tasks(kling, kind)
        except (NotFoundError, RejectedError) as error:
            refusal = error
            continue
        seen += 1
        found = {task.task_id: task for task in tasks} | found
    if not seen and refusal is not None:
        raise refusal
    return tuple(found.values())


async def _recent_tasks(kling: Kling, kind: str) -> tuple[KlingTask, ...]:
    recent: dict[str, KlingTask] = {}
    page = 1
    while True:
        tasks = await kling.list_tasks(kind, page=page, page_size=PAGE_SIZE_MOST)
        now = kling.now() or datetime.now(UTC)  # by Kling's own clock, where it tells
        for task in tasks:
            if not task.task_id:
                continue  # nothing can be looked up under it; it counts for its page only
            if task.created_at is None or now - task.created_at <= RETENTION:
                recent[task.task_id] = task
        if len(tasks) < PAGE_SIZE_MOST:
            return tuple(recent.values())
        page += 1


def is_ours(task: KlingTask) -> bool:
    """Return whether this app made a task."""
    return (task.external_task_id or "").startswith(OUR_PREFIX)
