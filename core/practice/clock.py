"""Practice's clock: the system's, or one that starts at a given moment and goes on from there.

So that peak hours, holidays and the end of a model can be tried on any day. Picture tasks never go
back before the last one that was taken (`kling/tasks`): set back, theirs goes on from there.
"""

import time
from datetime import UTC, datetime, timedelta


class PracticeClock:
    """Tells practice's time; may be set while it runs, from any thread."""

    def __init__(self, start: datetime | None = None) -> None:
        self._ahead_s = 0.0
        self.set(start)

    def set(self, moment: datetime | None) -> None:
        """Have it be that moment now; None for the system's own time."""
        self._ahead_s = 0.0 if moment is None else moment.timestamp() - time.time()

    @property
    def ahead(self) -> timedelta:
        """How far it is ahead of the system's."""
        return timedelta(seconds=self._ahead_s)

    def now(self) -> float:
        """Return the time in Unix seconds."""
        return time.time() + self._ahead_s

    def moment(self) -> datetime:
        """Return the time as a moment."""
        return datetime.fromtimestamp(self.now(), UTC)
