"""Snapshots and copies of a store, and what its rows say of the archive's files."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import func, select

from core.models.speech import SpeechRequest
from core.storage.copying.copier import Tell, claim, copy_rows, tell_nobody
from core.storage.copying.plain_tables import PLAIN_TABLES, rows_at_once
from core.storage.db.backup import copy_database
from core.storage.db.database import Database
from core.storage.db.errors import copy_errors
from core.storage.db.migrate import migrate
from core.storage.db.migrations import MIGRATIONS
from core.storage.db.schema import blobs, generations, messages, pictures

_FINAL = ("archived", "failed", "refused", "cancelled")
_TIMEOUT_S = 15.0


@dataclass(frozen=True, slots=True)
class ArchivedRow:
    """What a row says of a file in the archive."""

    picture_id: str
    name: str
    size_bytes: int
    sha256: str


class Copies:
    """All rows at once. Every method may be called while the studio works."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock
        self.schema = len(MIGRATIONS)

    def snapshot(self, path: Path) -> None:
        """Write all rows, as they are at one moment, into a new SQLite file."""
        if (file := self._database.file) is not None:
            with copy_errors(str(path.parent)):
                copy_database(file, path)
            return
        database = Database(path, busy_timeout_s=_TIMEOUT_S)
        try:
            migrate(database, now=self._clock())
            copy_rows(self._database, database, origin=self._database.place)
            with database.engine.connect() as connection:  # all of it in the one file
                connection.connection.driver_connection.execute("PRAGMA journal_mode = DELETE")  # type: ignore[union-attr]
        finally:
            database.close()

    def copy_to(
        self,
        target: "Copies",
        *,
        origin: str | None = None,
        tell: Tell = tell_nobody,
        must_stand_still: bool = False,
    ) -> int:
        """Make the rows of another store those of this one; return how many there are.

        Cut off, it is begun again: what is there is compared, not doubled. StoreError where the
        other one holds rows of its own, or where these `must_stand_still` and did not.
        """
        return copy_rows(
            self._database,
            target._database,
            origin=origin or self._database.place,
            tell=tell,
            must_stand_still=must_stand_still,
        )

    def claim(self, origin: str) -> None:
        """Note that this store is about to be filled: until it is, it opens for nothing else."""
        claim(self._database, origin)

    def has_leases(self) -> bool:
        """Tell whether a process works on any of the rows."""
        now = self._clock()
        with self._database.read() as connection:
            return any(
                connection.scalar(select(func.count()).where(table.c.lease_until > now))
                for table in (messages, generations)
            )

    def counts(self) -> dict[str, int]:
        """Return how many rows each table has."""
        with self._database.snapshot() as connection:
            return {
                table.name: connection.scalar(select(func.count()).select_from(table)) or 0
                for table in PLAIN_TABLES
            }

    def archived(self) -> Iterator[ArchivedRow]:
        """Yield what the rows say of the archive, also of pictures that are in the bin."""
        columns = (pictures.c.id, pictures.c.name, pictures.c.size_bytes, pictures.c.sha256)
        with self._database.snapshot() as connection:
            query = select(*columns).order_by(pictures.c.name)
            with connection.execution_options(yield_per=500).execute(query) as found:
                for row in found:
                    yield ArchivedRow(*row)

    def sounds(self) -> list[tuple[str, datetime, str]]:
        """Return id, time and owner of each generation of speech whose sound is archived.

        The file of a text that was read aloud is named by these; no other row tells of it.
        """
        columns = (generations.c.id, generations.c.created_at, generations.c.owner)
        wanted = (generations.c.kind == SpeechRequest.kind) & (generations.c.status == "archived")
        with self._database.read() as connection:
            found = connection.execute(select(*columns).where(wanted).order_by(columns[1]))
            return [(row.id, row.created_at, row.owner) for row in found]

    def has_file_row(self, row_id: str) -> bool:
        """Tell whether the row of a picture, or of a generation of speech, is there."""
        with self._database.read() as connection:
            return any(
                connection.execute(select(column).where(column == row_id)).first() is not None
                for column in (pictures.c.id, generations.c.id)
            )

    def open_generations(self) -> frozenset[str]:
        """Return the generations that are under way: their files come before their rows say so."""
        with self._database.read() as connection:
            query = select(generations.c.id).where(generations.c.status.not_in(_FINAL))
            return frozenset(connection.scalars(query))

    def damaged_rows(self) -> list[str]:
        """Return what is wrong within the rows, in the database's words or by hash; often none."""
        found: list[str] = []
        if self._database.is_sqlite:
            with self._database.read() as connection:
                told = connection.exec_driver_sql("PRAGMA integrity_check").scalars().all()
                found += [str(one) for one in told if one != "ok"]
                orphans = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
                found += [f"{row[0]} {row[1]} → {row[2]}" for row in orphans]
        with self._database.snapshot() as connection:
            query = select(blobs.c.sha256, blobs.c.content)
            at_once = rows_at_once(blobs)
            for sha256, content in connection.execution_options(yield_per=at_once).execute(query):
                if hashlib.sha256(content).hexdigest() != sha256:
                    found.append(f"blobs {sha256}")
        return found
