"""Ids of events: which answer, and how far in it. What a reader who comes back sends us."""

import re
from dataclasses import dataclass

_FORM = re.compile(r"([0-9a-f]{32})\.(\d{1,12}|end)")


@dataclass(frozen=True, slots=True)
class EventId:
    """A place in an answer's text, in characters; None behind its end."""

    answer_id: str
    place: int | None


def event_id_from(text: str) -> EventId | None:
    """Return the place that a Last-Event-ID names, or None when it is none of ours."""
    found = _FORM.fullmatch(text.strip())
    if found is None:
        return None
    return EventId(found[1], None if found[2] == "end" else int(found[2]))
