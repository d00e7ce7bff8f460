"""Migrate: bring a database's tables up to date, once, all of it in one transaction.

An SQLite database that holds something is copied first; without that backup nothing begins. Of a
PostgreSQL server there is no file to copy: what fails there is rolled back as a whole, and copies
are its owner's to make.
"""

from datetime import datetime

from sqlalchemy import func, insert, select, text

from core.storage.db.backup import make_backup
from core.storage.db.database import Database
from core.storage.db.errors import store_error
from core.storage.db.migrations import MIGRATIONS, Migration
from core.storage.db.schema import schema_migrations

# Any number will do, as long as nothing else on the server uses it.
_ADVISORY_LOCK = 7_164_200_451

_HISTORY = """
CREATE TABLE IF NOT EXISTS schema_migrations (
    number INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at BIGINT NOT NULL
)
"""


def migrate(
    database: Database,
    *,
    now: datetime,
    migrations: tuple[Migration, ...] = MIGRATIONS,
) -> None:
    """Apply what this database lacks; a second process that starts meanwhile waits, then skips."""
    with database.write() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
        connection.exec_driver_sql(_HISTORY)
        applied = connection.scalar(select(func.max(schema_migrations.c.number))) or 0
        if applied > len(migrations):
            raise store_error("error.store_newer", database.place)
        if applied == len(migrations):
            return
        if database.file is not None:
            make_backup(database.file, version=len(migrations), now=now)
        for number, migration in enumerate(migrations[applied:], applied + 1):
            migration(connection)
            connection.execute(
                insert(schema_migrations).values(
                    number=number, name=migration.__name__, applied_at=now
                )
            )
