"""Backup: rows and pictures of one moment in one tar file, made while the studio works.

    pictures/<name>     each original that the rows speak of, pictures and sounds
    store.sqlite3       all rows, whatever database they came from
    manifest.json       size and SHA-256 of each of them; last, so that half a backup has none

The rows are taken first: a picture is in the archive before its row is written, so each is there.
One that was purged since is left out with its row.
"""

import io
import json
import sqlite3
import tarfile
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, cast

from core.archive.archive import Archive
from core.archive.backup_places import BackupPlace, backup_name
from core.archive.file_streams import PlaceStream, SummingReader
from core.errors import StoreError
from core.storage.store import Store
from core.work.maintenance.archived_files import ArchivedFile, archived_files, has_row
from core.work.maintenance.work_folder import ROWS, work_folder
from core.work.transfer.tickets import SIGNING_KEY

FORMAT = 1
MANIFEST = "manifest.json"
STORE = ROWS
PICTURES = "pictures/"
_MODE = 0o600
# What speaks of a file, by the id of its picture or of its generation of speech; children first.
_OF_FILES = (
    ("pictures", "id"),
    ("generation_events", "generation_id"),
    ("generation_references", "generation_id"),
    ("picture_slots", "generation_id"),
    ("generations", "id"),
)

# How many pictures are done, and of how many.
Tell = Callable[[int, int], None]


@dataclass(slots=True)
class Backup:
    """A backup that was made."""

    name: str
    place: str
    pictures: int = 0
    size_bytes: int = 0
    rows: dict[str, int] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)  # pictures whose files are not in the archive


def make_backup(
    store: Store,
    archive: Archive,
    place: BackupPlace,
    *,
    work_dir: Path,
    now: datetime | None = None,
    tell: Tell = lambda _done, _all: None,
) -> Backup:
    """Write a backup; StoreError where that is not possible, and then nothing is left of it."""
    made_at = now or datetime.now(UTC)
    backup = Backup(backup_name(made_at), place.place)
    with work_folder(work_dir, "backup-") as folder:
        rows = folder / STORE
        store.copies.snapshot(rows)
        wanted = _files_of(rows)
        with (
            place.new(backup.name) as file,
            tarfile.open(fileobj=file, mode="w|", format=tarfile.PAX_FORMAT) as tar,
        ):
            files = _Files(tar, made_at)
            gone = _add_pictures(files, backup, wanted, store, archive, tell)
            _leave_out(rows, gone)
            backup.rows = _counts(rows)
            files.add_file(STORE, rows)
            manifest = {
                "format": FORMAT,
                "made_at": made_at.isoformat(),
                "schema": store.copies.schema,
                "rows": backup.rows,
                "lost": backup.lost,
                "files": files.manifest,
            }
            files.add(MANIFEST, json.dumps(manifest, indent=1).encode())
            backup.size_bytes = files.written
    return backup


class _Files:
    """Adds files to a tar, and notes what they were."""

    def __init__(self, tar: tarfile.TarFile, made_at: datetime) -> None:
        self._tar = tar
        self._made_at = int(made_at.timestamp())
        self.manifest: dict[str, dict[str, object]] = {}
        self.written = 0

    def add(self, name: str, content: bytes) -> None:
        self.add_stream(name, len(content), io.BytesIO(content))

    def add_file(self, name: str, path: Path) -> None:
        with path.open("rb") as file:
            self.add_stream(name, path.stat().st_size, file)

    def add_stream(self, name: str, size: int, file: IO[bytes] | PlaceStream) -> None:
        member = tarfile.TarInfo(name)
        member.size, member.mtime, member.mode = size, self._made_at, _MODE
        reader = SummingReader(file)
        self._tar.addfile(member, cast(IO[bytes], reader))
        self.manifest[name] = {"size": size, "sha256": reader.checksum.sha256}
        self.written += size


def _add_pictures(
    files: _Files,
    backup: Backup,
    wanted: Sequence[ArchivedFile],
    store: Store,
    archive: Archive,
    tell: Tell,
) -> list[str]:
    """Add each picture's file; return the pictures that were purged meanwhile."""
    gone: list[str] = []
    for number, one in enumerate(wanted, 1):
        try:
            size = archive.size(one.name) or 0
            with archive.reading(one.name) as file:
                files.add_stream(PICTURES + one.name, size, file)
            backup.pictures += 1
        except StoreError as error:
            if error.text_id != "error.picture_missing":
                raise
            if has_row(store, one):
                backup.lost.append(one.name)
            else:
                gone.append(one.row_id)
        tell(number, len(wanted))
    return gone


def _files_of(rows: Path) -> list[ArchivedFile]:
    """Return the files that a snapshot speaks of, whatever came or went behind it."""
    snapshot = Store.open(rows)
    try:
        return list(archived_files(snapshot))
    finally:
        snapshot.close()


def _leave_out(rows: Path, gone: list[str]) -> None:
    """Remove from a snapshot what was purged meanwhile, and what opens the studio itself."""
    with closing(sqlite3.connect(rows)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")  # all of it in the one file
        connection.execute("PRAGMA secure_delete = ON")  # not in its free pages either
        with connection:
            connection.execute("DELETE FROM key_values WHERE key = ?", (SIGNING_KEY,))
            for table, column in _OF_FILES:
                statement = f"DELETE FROM {table} WHERE {column} = ?"
                connection.executemany(statement, [(one,) for one in gone])


def _counts(rows: Path) -> dict[str, int]:
    tables = ("conversations", "messages", "generations", "pictures", "ledger_lines")
    with closing(sqlite3.connect(rows)) as connection:
        return {
            table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for table in tables
        }


def manifest_from(content: bytes) -> dict[str, Any]:
    """Return a manifest; StoreError where it is none that this version can read."""
    try:
        found = json.loads(content)
        files = found["files"]
        if found["format"] > FORMAT or not isinstance(files, dict):
            raise StoreError("error.backup_format")
    except (ValueError, KeyError, TypeError) as error:
        raise StoreError("error.backup_format") from error
    return dict(found)
