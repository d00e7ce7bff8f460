"""Values: what the studio has learned and wants to know after a restart."""

from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from core.storage.database import Database
from core.storage.schema import key_values


class Values:
    """Small JSON values by key."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, key: str, default: Any = None) -> Any:
        """Return the value, or `default` when there is none."""
        with self._database.read() as connection:
            query = select(key_values.c.value).where(key_values.c.key == key)
            row = connection.execute(query).one_or_none()
        return default if row is None else row[0]

    def set(self, key: str, value: Any) -> None:
        """Keep the value instead of the one before."""
        change = update(key_values).where(key_values.c.key == key).values(value=value)
        with self._database.write() as connection:
            if connection.execute(change).rowcount:
                return
            try:
                with connection.begin_nested():
                    connection.execute(insert(key_values).values(key=key, value=value))
            except IntegrityError:
                connection.execute(change)

    def remove(self, key: str) -> None:
        """Forget the value, if there is one."""
        with self._database.write() as connection:
            connection.execute(delete(key_values).where(key_values.c.key == key))
