"""Hides what was left behind by owners who do not come back."""

from datetime import datetime

from sqlalchemy import ColumnElement, Table, update

from core.storage.db.database import Database
from core.storage.db.schema import conversations, generations, pictures

_FINAL = ("archived", "failed", "refused", "cancelled")


class Expiry:
    """Deletes by age, for whole groups of owners."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def expire(self, owner_prefix: str, *, before: datetime, deleted_at: datetime) -> int:
        """Mark what these owners last touched before a moment as deleted; return how many rows.

        `deleted_at` decides how soon they are purged: a moment long past means the next time.
        """
        with self._database.write() as connection:
            marked = 0
            for table, moment in (
                (conversations, conversations.c.updated_at),
                (generations, generations.c.updated_at),
                (pictures, pictures.c.created_at),
            ):
                chosen = _theirs(table, owner_prefix) & (moment < before)
                if table is generations:
                    chosen &= generations.c.status.in_(_FINAL)
                marked += connection.execute(
                    update(table)
                    .where(chosen, table.c.deleted_at.is_(None))
                    .values(deleted_at=deleted_at)
                ).rowcount
            return marked


def _theirs(table: Table, owner_prefix: str) -> ColumnElement[bool]:
    return table.c.owner.startswith(owner_prefix, autoescape=True)
