"""Which exchanges are about an answer or a picture: by what they were for, and by the task's id."""

from core.work.studio import Studio
from core.work.xray.keeping import kept
from core.work.xray.ring import Trace


def traces_about(studio: Studio, owner: str, subject: str | None) -> tuple[Trace, ...]:
    """Return the exchanges of an answer or a generation, else all; the newest first.

    What was kept of an answer is told where memory has forgotten it.
    """
    if subject is None:
        return studio.xray.ring.newest()
    return _in_memory(studio, owner, subject) or kept(studio.store, owner, subject)


def _in_memory(studio: Studio, owner: str, subject: str) -> tuple[Trace, ...]:
    generation = studio.store.generations.get(owner, subject)
    task_id = generation.task_id if generation is not None else None
    return studio.xray.ring.about(subject, task_id or "")[::-1]
