"""A database's health: written and read back, and looked through for damage."""

from pathlib import Path
from typing import Literal
from uuid import uuid4

from sqlalchemy import inspect

from core.errors import StoreError
from core.storage.db.database import Database, parse_url
from core.storage.db.errors import database_errors
from core.storage.db.key_values import KeyValues
from core.storage.db.schema import key_values

_KEY = "store.probe"
_LOOK_S = 15.0

Health = Literal["good", "new", "damaged"]


def database_health(url_or_path: str, *, busy_timeout_s: float) -> tuple[Health, str]:
    """Return how a database is, and its place; StoreError where it cannot be written.

    Nothing is made or migrated: one that is not there yet is new.
    """
    database = Database(url_or_path, busy_timeout_s=busy_timeout_s)
    try:
        if _is_new(database):
            return "new", database.place
        values, nonce = KeyValues(database), uuid4().hex
        values.set(_KEY, nonce)
        is_same = values.get(_KEY) == nonce
        values.remove(_KEY)
        return ("good" if is_same and _is_whole(database) else "damaged"), database.place
    finally:
        database.close()


def place_without_store(url_or_path: str | Path) -> str | None:
    """Return the place that an address names where no studio keeps rows there; None if one does.

    Nothing is made, no folder either.
    """
    url = parse_url(url_or_path)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").exists():
        return url.database
    database = Database(url_or_path, busy_timeout_s=_LOOK_S)
    try:
        return database.place if _is_new(database) else None
    finally:
        database.close()


def _is_new(database: Database) -> bool:
    if database.file is not None and not database.file.exists():
        return True
    with database_errors(database.place):
        return not inspect(database.engine).has_table(key_values.name)


def is_damage(error: StoreError) -> bool:
    """Tell whether an error speaks of a file that SQLite cannot make sense of."""
    return error.detail.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB"))


def _is_whole(database: Database) -> bool:
    if not database.is_sqlite:
        return True
    with database.read() as connection:
        told = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar()
    return told == "ok"
