"""The error border: what databases and file systems raise becomes a StoreError with a sentence.

Codes decide, never words: SQLite's result codes (sqlite.org/rescode.html), PostgreSQL's SQLSTATE
classes (postgresql.org/docs/current/errcodes-appendix.html), the system's errno.
"""

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from core.errors import AppError, StoreError

# What a trouble with the disk means to a backup.
_OF_BACKUPS = {
    "error.store_full": "error.backup_full",
    "error.store_readonly": "error.backup_readonly",
    "error.store_locked": "error.store_locked",
}

_SQLITE = {
    sqlite3.SQLITE_FULL: "error.store_full",
    sqlite3.SQLITE_READONLY: "error.store_readonly",
    sqlite3.SQLITE_PERM: "error.store_readonly",
    sqlite3.SQLITE_CANTOPEN: "error.store_readonly",
    sqlite3.SQLITE_BUSY: "error.store_locked",
    sqlite3.SQLITE_LOCKED: "error.store_locked",
}

# Longest prefix first.
_SQLSTATES = (
    ("53100", "error.store_full"),
    ("53", "error.store_locked"),  # out of connections or memory for now
    ("25006", "error.store_readonly"),
    ("42501", "error.store_readonly"),
    ("55P03", "error.store_locked"),
    ("57014", "error.store_locked"),
    ("40", "error.store_locked"),
    ("23505", "error.store_locked"),  # another process wrote the same a moment ago
    ("28", "error.store_gone"),
    ("3D000", "error.store_gone"),
    ("08", "error.store_gone"),
    ("57P", "error.store_gone"),
)

_ERRNOS = {
    errno.ENOSPC: "error.store_full",
    errno.EDQUOT: "error.store_full",
    errno.EFBIG: "error.store_full",
    errno.EACCES: "error.store_readonly",
    errno.EPERM: "error.store_readonly",
    errno.EROFS: "error.store_readonly",
    errno.EBUSY: "error.store_locked",
    errno.ENOTDIR: "error.store_unmade",
    errno.EEXIST: "error.store_unmade",
}


def store_error(text_id: str, place: str, detail: str = "") -> StoreError:
    """Return the error that says `text_id` about `place`."""
    return StoreError(text_id, facts={"place": place}, detail=detail)


@contextmanager
def database_errors(place: str) -> Iterator[None]:
    """Raise what the database raises inside as StoreError."""
    try:
        yield
    except PoolTimeoutError as error:
        raise store_error("error.store_locked", place) from error
    except SQLAlchemyError as error:
        text_id, detail = _read(error)
        raise store_error(text_id, place, detail) from error


@contextmanager
def file_errors(place: str) -> Iterator[None]:
    """Raise what the file system raises inside as StoreError."""
    try:
        yield
    except OSError as error:
        text_id, detail = _read_system(error)
        raise store_error(text_id, place, detail) from error


@contextmanager
def remote_errors(place: str) -> Iterator[None]:
    """Raise what a bucket's library raises inside as StoreError, of whatever make it is."""
    try:
        yield
    except AppError:
        raise
    except Exception as error:
        number = getattr(error, "errno", None) or 0
        text_id = _ERRNOS.get(number, "error.place_gone")
        # Its words may quote an address, and that may hold a key.
        detail = errno.errorcode.get(number, type(error).__name__)
        raise store_error(text_id, place, detail) from error


@contextmanager
def copy_errors(place: str) -> Iterator[None]:
    """Raise what is raised inside, while a file of rows is put together, as StoreError."""
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        text_id, detail = _read_system(error) if isinstance(error, OSError) else _read_sqlite(error)
        raise store_error(text_id, place, detail) from error


@contextmanager
def backup_errors(place: str) -> Iterator[None]:
    """Raise what is raised inside, while a copy is made before a migration, as StoreError."""
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        text_id, detail = _read_system(error) if isinstance(error, OSError) else _read_sqlite(error)
        text_id = _OF_BACKUPS.get(text_id, "error.backup_broken")
        raise store_error(text_id, place, detail) from error


def _read_system(error: OSError) -> tuple[str, str]:
    text_id = _ERRNOS.get(error.errno or 0, "error.store_broken")
    return text_id, errno.errorcode.get(error.errno or 0, type(error).__name__)


def _read_sqlite(error: sqlite3.Error) -> tuple[str, str]:
    code = getattr(error, "sqlite_errorcode", 0)
    name = getattr(error, "sqlite_errorname", type(error).__name__)
    return _SQLITE.get(code & 0xFF, "error.store_broken"), name


def _read(error: SQLAlchemyError) -> tuple[str, str]:
    """Return text_id and a detail without values: the driver's words may quote what was stored."""
    cause = error.orig if isinstance(error, DBAPIError) else None
    if isinstance(cause, sqlite3.Error):
        return _read_sqlite(cause)
    sqlstate = getattr(cause, "sqlstate", None)
    if sqlstate:
        for prefix, text_id in _SQLSTATES:
            if sqlstate.startswith(prefix):
                return text_id, f"SQLSTATE {sqlstate}"
        return "error.store_broken", f"SQLSTATE {sqlstate}"
    if isinstance(error, DBAPIError) and (
        error.connection_invalidated or type(cause).__name__ == "OperationalError"
    ):
        # No SQLSTATE: the line broke, or nobody listens there.
        return "error.store_gone", type(cause).__name__
    return "error.store_broken", type(cause or error).__name__
