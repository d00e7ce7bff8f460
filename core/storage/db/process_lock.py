"""Process lock: which processes are at a database, told by locks that die with them.

Beside an SQLite file lies a lock file, shared by all who have it open. On PostgreSQL it is an
advisory lock: asked for when a store opens, and held by a studio on the connection on which it
hears others, where that is a session of its own (through a pooler in transaction mode it is none).
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import text

from core.storage.db.database import Database
from core.storage.db.errors import database_errors, file_errors, store_error

try:
    import fcntl
except ImportError:  # Windows has no flock: leases that stand still do the same, later
    fcntl = None  # type: ignore[assignment]

# Whoever opens is alone for a moment, to learn whether it was; whoever moves rows, for long.
_MOMENT_S = 1.0
_LOOK_AGAIN_S = 0.01

# Any number will do; the second one is the schema, since a server may hold several studios.
_KEY = "7164200, hashtext(current_schema())"
_SHARED_NOW = text(f"SELECT pg_try_advisory_xact_lock_shared({_KEY})")
_ALONE = text(f"SELECT pg_try_advisory_xact_lock({_KEY})")
# For as long as the session lasts; a second time it changes nothing that matters.
SHARED_BY_SESSION = f"SELECT pg_try_advisory_lock_shared({_KEY})"


class ProcessLock:
    """A shared lock beside the database for as long as it is open.

    `was_only_process` tells that nobody else held it when we came: then whatever another process
    was doing according to the rows, it does no more, even after a SIGKILL a moment ago.
    StoreError where somebody keeps others away.
    """

    def __init__(self, database_file: Path) -> None:
        self.was_only_process = False
        self._place = str(database_file)
        self._file: int | None = None
        if fcntl is None:
            return
        path = database_file.with_name(database_file.name + ".lock")
        with file_errors(str(path.parent)):
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            self.was_only_process = self._try(fcntl.LOCK_EX)
            deadline = time.monotonic() + _MOMENT_S
            while not self._try(fcntl.LOCK_SH):
                if time.monotonic() > deadline:
                    self.close()
                    raise store_error("error.store_moving", self._place)
                time.sleep(_LOOK_AGAIN_S)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep all others away meanwhile; StoreError where there are any."""
        if fcntl is None:
            yield
            return
        with file_errors(self._place):
            is_alone = self._try(fcntl.LOCK_EX)
        try:
            if not is_alone:
                raise store_error("error.copy_in_use", self._place)
            yield
        finally:
            with file_errors(self._place):
                self._try(fcntl.LOCK_SH)  # one that failed to be alone may have lost this, too

    def _try(self, kind: int) -> bool:
        assert self._file is not None
        try:
            fcntl.flock(self._file, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def close(self) -> None:
        """Let the next one be alone."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


def refuse_kept_away(database: Database) -> None:
    """Raise StoreError where somebody keeps others away from a PostgreSQL database."""
    if database.is_sqlite:
        return
    with database.read() as connection:
        if not connection.scalar(_SHARED_NOW):
            raise store_error("error.store_moving", database.place)


@contextmanager
def alone_on_server(database: Database) -> Iterator[None]:
    """Keep all others away from a PostgreSQL database meanwhile; StoreError where there are any.

    The lock is a transaction's, which is one session through any pooler.
    """
    with (
        database_errors(database.place),
        database.engine.connect() as connection,
        connection.begin(),
    ):
        connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
        if not connection.scalar(_ALONE):
            raise store_error("error.copy_in_use", database.place)
        yield
