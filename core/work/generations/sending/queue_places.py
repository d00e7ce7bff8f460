"""Where generations stand in the queue: by when they were made, on the monotonic clock."""

import time
from collections.abc import Callable
from datetime import datetime

# Two readings of two clocks differ by less than this; what differs by more was a jump.
JUMP_S = 1.0


class Places:
    """Turns the moments of requests into places that no jump of the wall clock moves.

    By the bare moments, whatever is asked for after the clock was set back would go before all that
    waited then, for as long as it was set back by.
    """

    def __init__(
        self, clock: Callable[[], float], *, wall_clock: Callable[[], float] = time.time
    ) -> None:
        self._clock = clock
        self._wall_clock = wall_clock
        self._offset_s = clock() - wall_clock()

    def place(self, created_at: datetime) -> float:
        """Return the place of a generation that is seen now; the lowest goes first."""
        now = self._wall_clock()
        offset_s = self._clock() - now
        if abs(offset_s - self._offset_s) > JUMP_S:
            self._offset_s = offset_s
        # Nothing was made later than now: a moment beyond it is one from before a jump.
        return min(created_at.timestamp(), now) + self._offset_s
