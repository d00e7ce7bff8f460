"""Garbage collection that costs what came since, and not all there is.

Streamlit collects in full behind each run of a script (`runner.postScriptGC`), while nothing else
runs: 13 ms with one page open, and a third of a millisecond more for each further one, since all
that lives is looked through each time. With five hundred pages that was four fifths of all time.
What outlived a long look is put out of sight (`gc.freeze`), and looked through again now and then:
cycles that have become garbage since are found then.
"""

import gc
import time
from collections.abc import Callable, Mapping

# Every 700 new objects, Python's own, are a few requests, most of which still serve: with hundreds
# of answers a tenth of all time went into looking through them in vain.
THRESHOLDS = (20_000, 20, 20)
LONG_S = 0.003  # so long a look is worth not being repeated
THOROUGH_EVERY_S = 300.0
_OLDEST = 2


class Collecting:
    """A callback for `gc.callbacks`: freezes what a long full collection has left."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began_at = self._thorough_at = clock()
        self._is_thorough = False

    def __call__(self, phase: str, info: Mapping[str, int]) -> None:
        """Do what is due at the start and at the stop of a collection."""
        if info["generation"] != _OLDEST:
            return
        now = self._clock()
        if phase == "start":
            self._began_at = now
            self._is_thorough = now - self._thorough_at >= THOROUGH_EVERY_S
            if self._is_thorough:
                self._thorough_at = now
                gc.unfreeze()
        elif self._is_thorough or now - self._began_at >= LONG_S:
            gc.freeze()


def keep_collections_short() -> None:
    """Put what the start has loaded out of the collector's sight, and later what stays.

    Once a process.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
    if not any(isinstance(one, Collecting) for one in gc.callbacks):
        gc.callbacks.append(Collecting())
