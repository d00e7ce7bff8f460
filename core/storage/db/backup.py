"""Backup: one consistent file beside an SQLite database, made before a migration changes it.

`<database>.before-v<version to come>.<UTC time>.bak` is a whole database of the version before,
with what stood in the WAL alone, that any SQLite opens. It takes its name only when all of it is
on the disk: nothing of that name is ever half a backup.
"""

import os
import re
import sqlite3
from collections.abc import Iterable
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path

from core.storage.db.errors import backup_errors

KEPT = 3

_NAME = re.compile(r"\.before-v\d+\.(?P<made_at>\d{8}T\d{6}Z)\.bak")
_PART = ".part"
_UNFINISHED = re.compile(_NAME.pattern + re.escape(_PART) + "(-journal)?")


def make_backup(database_file: Path, *, version: int, now: datetime) -> Path | None:
    """Copy the database as it was last committed; None when there is nothing in it.

    The caller holds the database's write lock: nobody writes meanwhile, nobody else makes a backup.
    """
    made_at = now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    backup = database_file.with_name(f"{database_file.name}.before-v{version}.{made_at}.bak")
    part = backup.with_name(backup.name + _PART)
    with backup_errors(str(database_file.parent)):
        _remove(_beside(database_file, _UNFINISHED))  # left by a process that was killed
        try:
            if not copy_database(database_file, part):
                return None
            os.replace(part, backup)
        finally:
            part.unlink(missing_ok=True)
        _sync_folder(database_file.parent)
    earlier = [one for one in backups(database_file) if one != backup]
    with suppress(OSError):  # one too many is no reason not to migrate
        _remove(earlier[KEPT - 1 :])
    return backup


def backups(database_file: Path) -> list[Path]:
    """Return the backups of this database, newest first by the time in their names."""
    return sorted(_beside(database_file, _NAME), key=_made_at, reverse=True)


def copy_database(database_file: Path, part: Path) -> bool:
    """Write all of the database to `part`, down to the disk; False when there is nothing in it.

    As it was last committed, whoever writes meanwhile.
    """
    # Not the connection that is to migrate: VACUUM does not run inside a transaction.
    source = sqlite3.connect(f"{database_file.as_uri()}?mode=ro", uri=True, isolation_level=None)
    with closing(source):
        if not source.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
            return False
        # SQLite would make the file readable for everyone; into an empty one it writes.
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        source.execute("VACUUM INTO ?", (str(part),))
    with part.open("rb+") as file:
        os.fsync(file.fileno())
    return True


def _beside(database_file: Path, ending: re.Pattern[str]) -> list[Path]:
    """Return the files in the database's folder named as it is, and then as `ending` says."""
    name = database_file.name
    return [
        path
        for path in database_file.parent.iterdir()
        if path.name.startswith(name) and ending.fullmatch(path.name, len(name))
    ]


def _made_at(backup: Path) -> str:
    return backup.name.rsplit(".", 2)[-2]


def _remove(files: Iterable[Path]) -> None:
    for file in files:
        file.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":  # Windows cannot open a folder, and needs no telling
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
