"""That Kling was busy, as a task's history tells it: written at a refusal, read for the page."""

from collections.abc import Sequence
from dataclasses import dataclass

from core.models.generations import GenerationEvent
from core.providers.kling.errors import FULL_CODE

_NOTE = "refused for now: "


@dataclass(frozen=True, slots=True)
class Busy:
    """Kling's code, and whether it means that its slots are full."""

    code: str
    is_full: bool


def busy_note(code: int | str | None) -> str:
    """Return the note of a refusal that is none for good."""
    return f"{_NOTE}{code}"


def busy_from(events: Sequence[GenerationEvent]) -> Busy | None:
    """Return what the newest steps tell; the very newest may be that it is being sent once more."""
    for event in events[-2:]:
        if event.note.startswith(_NOTE):
            code = event.note.removeprefix(_NOTE)
            return Busy(code, is_full=code == str(FULL_CODE))
    return None
