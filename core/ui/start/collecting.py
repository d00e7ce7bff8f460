"""Garbage collection that costs what came since, and not all there is.

Streamlit collects in full behind each run of a script (`runner.postScriptGC`), while nothing else
runs: 13 ms with one page open, and a third of a millisecond more for each further one, since all
that lives is looked through each time. With five hundred pages that was four fifths of all time.
What outlived a long look is put out of sight (`gc.freeze`). Cycles among it that become garbage are
found by a thorough look: once the looks since the last one took some times as long as that did, so
that time and memory stay in proportion, and every few minutes.
"""

import gc
import time
from collections.abc import Callable, Mapping

# Every 700 new objects, Python's own, are a few requests, most of which still serve: with hundreds
# of answers a tenth of all time went into looking through them in vain.
THRESHOLDS = (20_000, 20, 20)
LONG_S = 0.003  # so long a look is worth not being repeated
THOROUGH_EVERY_S = 300.0
THOROUGH_AFTER = 4.0  # times as long as a thorough look took
_OLDEST = 2


class Collecting:
    """A callback for `gc.callbacks`: freezes what a long full collection has left."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began_at = self._thorough_at = clock()
        self._is_thorough = False
        self._thorough_s = LONG_S  # until one has been timed
        self._looked_s = 0.0  # since the last thorough one

    def __call__(self, phase: str, info: Mapping[str, int]) -> None:
        """Do what is due at the start and at the stop of a collection."""
        if info["generation"] != _OLDEST:
            return
        now = self._clock()
        if phase == "start":
            self._began_at = now
            self._is_thorough = (
                now - self._thorough_at >= THOROUGH_EVERY_S
                or self._looked_s >= THOROUGH_AFTER * self._thorough_s
            )
            if self._is_thorough:
                gc.unfreeze()
            return
        took_s = now - self._began_at
        if self._is_thorough:
            self._thorough_at, self._thorough_s, self._looked_s = now, took_s, 0.0
            gc.freeze()
            return
        self._looked_s += took_s
        if took_s >= LONG_S:
            gc.freeze()


def collect_rarely() -> None:
    """Set how many new objects a collection is worth (`gc.set_threshold`).

    First of all: by Python's own measure a sixth of the time that imports take is spent on looking
    for garbage, and they leave none.
    """
    gc.set_threshold(*THRESHOLDS)


def keep_collections_short() -> None:
    """Put what the start has loaded out of the collector's sight, and later what stays.

    Once a process. What imports leave is no garbage: it is not looked through first, which would
    hold up the first page for a tenth of a second.
    """
    gc.freeze()
    collect_rarely()
    if not any(isinstance(one, Collecting) for one in gc.callbacks):
        gc.callbacks.append(Collecting())
