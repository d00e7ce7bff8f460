"""Ages of files, whatever the clocks do: a wall clock may jump, and a NAS keeps one of its own."""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from core.settings.private_files import private


@dataclass(frozen=True, slots=True)
class _Seen:
    mark: tuple[int, int]  # when it was changed, and its size
    age_s: float  # when it was looked at
    at: float  # which was then, by the monotonic clock


class FileAges:
    """How long the files of one folder have been as they are.

    At first sight by the clock of the file system that holds them, and by the monotonic clock from
    then on. Thread-safe enough: what two threads note at once is the same.
    """

    def __init__(self, folder: Path, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._folder = folder
        self._monotonic = monotonic
        self._seen: dict[Path, _Seen] = {}

    def age_s(self, path: Path) -> float:
        """Return how long a file has not been changed; FileNotFoundError where there is none."""
        try:
            status = path.stat()
        except FileNotFoundError:
            self._seen.pop(path, None)
            raise
        mark, now = (status.st_mtime_ns, status.st_size), self._monotonic()
        seen = self._seen.get(path)
        if seen is None or seen.mark != mark:
            age_s = max(0.0, folder_time(self._folder) - status.st_mtime)
            if seen is not None:  # it has been changed since
                age_s = min(age_s, now - seen.at)
            seen = self._seen[path] = _Seen(mark, age_s, now)
        return seen.age_s + now - seen.at

    def touched(self, path: Path) -> None:
        """Note that a file has just been changed by us: what the clock did before is nothing."""
        with suppress(FileNotFoundError):
            status = path.stat()
            mark = (status.st_mtime_ns, status.st_size)
            self._seen[path] = _Seen(mark, 0.0, self._monotonic())

    def forget_gone(self) -> None:
        """Forget the files that are there no more."""
        for path in [path for path in tuple(self._seen) if not path.exists()]:
            self._seen.pop(path, None)


def folder_time(folder: Path) -> float:
    """Return what time it is (s since 1970) for the file system of a folder."""
    probe = folder / f".clock-{uuid4().hex}.part"
    try:
        with open(probe, "wb", opener=private):
            pass
        try:
            return probe.stat().st_mtime
        finally:
            probe.unlink(missing_ok=True)
    except OSError:  # full, or read-only: nothing else tells it
        return time.time()
