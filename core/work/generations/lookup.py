"""Finds out whether Kling has a task: by our own id for it, then in the account's list."""

import logging
from datetime import UTC, datetime, timedelta

from core.errors import NotFoundError, ProviderError
from core.models.generations import Generation, KlingTask
from core.providers.kling.client import PAGE_SIZE_MOST, Kling

logger = logging.getLogger(__name__)

# Kling's clock may differ from ours, and a list's order by creation need not be to the second.
MARGIN = timedelta(minutes=10)


async def find_task(kling: Kling, generation: Generation) -> KlingTask | None:
    """Return the task of a generation; None when Kling says in both ways that it has none.

    Raises ProviderError when that cannot be told now. The docs offer our id in the path without an
    example (kling.md section 5): whatever goes wrong there, the list decides.
    """
    try:
        return await kling.get_task(generation.kind, generation.external_task_id)
    except NotFoundError:
        pass
    except ProviderError as error:
        logger.info("Generation %s by its own id: %s", generation.id, error.text_id)
    sent_at = generation.sending_at or generation.updated_at
    page = 1
    while True:
        tasks = await kling.list_tasks(generation.kind, page=page, page_size=PAGE_SIZE_MOST)
        for task in tasks:
            if task.external_task_id == generation.external_task_id:
                if not task.task_id:  # it is there, so it must not be bought again
                    raise kling.lacks_task_id()
                return task
        if len(tasks) < PAGE_SIZE_MOST or _goes_back_beyond(tasks, sent_at):
            return None
        page += 1


def _goes_back_beyond(tasks: tuple[KlingTask, ...], sent_at: datetime) -> bool:
    """Return whether a page ends before the POST, by Kling's clock and by ours.

    Newest first is not documented: in any other order this is never so, and all pages are read.
    """
    newest, oldest = tasks[0].created_at, tasks[-1].created_at
    if newest is None or oldest is None:
        return False
    age = datetime.now(UTC) - sent_at
    if age < timedelta(0):
        return False  # our clock was set back since: how long ago it was sent, nobody knows
    # By Kling's clock it is now at least as late as its newest task.
    return oldest < min(sent_at, newest - age) - MARGIN
