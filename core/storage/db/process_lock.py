"""Whether this process is the only one at an SQLite file: told by a lock that dies with it."""

import os
from pathlib import Path

from core.storage.db.errors import file_errors

try:
    import fcntl
except ImportError:  # Windows has no flock: leases that run out do the same, later
    fcntl = None  # type: ignore[assignment]


class ProcessLock:
    """A shared lock beside the database for as long as it is open.

    `was_only_process` tells that nobody else held it when we came: then whatever another process
    was doing according to the rows, it does no more, even after a SIGKILL a moment ago.
    """

    def __init__(self, database_file: Path) -> None:
        self.was_only_process = False
        self._file: int | None = None
        if fcntl is None:
            return
        path = database_file.with_name(database_file.name + ".lock")
        with file_errors(str(path.parent)):
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                self.was_only_process = True
            except BlockingIOError:
                pass
            fcntl.flock(self._file, fcntl.LOCK_SH)

    def close(self) -> None:
        """Let the next one be alone."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
