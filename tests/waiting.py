"""Waits for facts, not for time."""

import time
from collections.abc import Callable
from typing import Any

PATIENCE_S = 60.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.005, 0.05


def until(fact: Callable[[], Any], what: str, *, rest: Callable[[float], None] = time.sleep) -> Any:
    """Return what `fact` returns once it is true; between two looks it rests for some seconds.

    It looks less often the longer it waits: a look every 5 ms took a third of what a run of the
    tests computes.
    """
    deadline, pause = time.monotonic() + PATIENCE_S, _FIRST_PAUSE_S
    while not (result := fact()):
        assert time.monotonic() < deadline, f"waited in vain for: {what}"
        rest(pause)
        pause = min(1.2 * pause, _LONGEST_PAUSE_S)
    return result
