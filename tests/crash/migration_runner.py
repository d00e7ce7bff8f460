"""Opens copies of an old store, and is killed in each: one step later, or a moment later.

A step is a statement of SQLite's, four hundred instructions of its machine, or a call that makes,
renames, removes or syncs a file. `python -m tests.crash.migration_runner` is a process of one
thread, so that it can fork.
"""

import os
import shutil
import signal
import sqlite3
import sys
import time
from collections.abc import Callable
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

from core.storage.store import Store

_INSTRUCTIONS = 400
_MOMENTS = 40
_OF_FILES = {"open", "os.rename", "os.remove", "sqlite3.connect"}


def main(old: Path, folder: Path) -> None:
    """Make a folder for each death, and one for the opening that outlives its last step."""
    for steps in count(1):
        if not _is_killed(old, folder / f"step-{steps}", partial(_die_at_step, steps)):
            break
    began = time.monotonic()
    _is_killed(old, folder / "whole", lambda: None)
    whole_s = time.monotonic() - began
    for number in range(1, _MOMENTS + 1):
        # Its signal is not handled in Python: it ends the process even in the middle of a write.
        after_s = whole_s * number / _MOMENTS
        _is_killed(old, folder / f"moment-{number}", partial(_die_after, after_s))


def _is_killed(old: Path, place: Path, arrange: Callable[[], None]) -> bool:
    shutil.copytree(old, place)
    child = os.fork()
    if child == 0:
        try:
            arrange()
            Store.open(place / "inkling.sqlite3").close()
            os._exit(0)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status) != 0:
        raise SystemExit(f"{place.name} failed by itself")
    return os.WIFSIGNALED(status)


def _die_after(seconds: float) -> None:
    signal.setitimer(signal.ITIMER_REAL, seconds)


def _die_at_step(last: int) -> None:
    taken = 0

    def step(*_: object) -> None:
        nonlocal taken
        taken += 1
        if taken == last:
            os.kill(os.getpid(), signal.SIGKILL)

    def connect(*arguments: Any, **options: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect_as_before(*arguments, **options)
        connection.set_trace_callback(step)
        connection.set_progress_handler(step, _INSTRUCTIONS)
        return connection

    def fsync(file: int) -> None:
        step()
        fsync_as_before(file)
        step()

    connect_as_before, fsync_as_before = sqlite3.connect, os.fsync
    sqlite3.connect = sqlite3.dbapi2.connect = connect  # type: ignore[assignment]
    os.fsync = fsync  # type: ignore[assignment]
    sys.addaudithook(lambda event, _arguments: step() if event in _OF_FILES else None)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
