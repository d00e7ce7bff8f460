"""Values: what the studio has learned and wants to know after a restart."""

import secrets
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from core.storage.db.database import Database
from core.storage.db.schema import key_values


class KeyValues:
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
        with self._database.write() as connection:
            self.set_in(connection, key, value)

    @staticmethod
    def set_in(connection: Connection, key: str, value: Any) -> None:
        """Keep the value as a part of a transaction."""
        change = update(key_values).where(key_values.c.key == key).values(value=value)
        if connection.execute(change).rowcount:
            return
        try:
            with connection.begin_nested():
                connection.execute(insert(key_values).values(key=key, value=value))
        except IntegrityError:
            connection.execute(change)

    @staticmethod
    def value_in(connection: Connection, key: str) -> Any:
        """Return the value as a transaction sees it; None when there is none."""
        query = select(key_values.c.value).where(key_values.c.key == key)
        return connection.execute(query).scalar_one_or_none()

    def replace(self, key: str, value: Any) -> bool:
        """Keep the value instead of the one before; False, and nothing kept, without one."""
        change = update(key_values).where(key_values.c.key == key).values(value=value)
        with self._database.write() as connection:
            return bool(connection.execute(change).rowcount)

    def swap(self, key: str, known: Any, value: Any) -> bool:
        """Keep the value instead of `known`; False, and nothing kept, where another one stands.

        Of several who know the same, in whatever process, one has it. None known: there was none.
        """
        with self._database.write() as connection:
            if known is None:
                try:
                    with connection.begin_nested():
                        connection.execute(insert(key_values).values(key=key, value=value))
                except IntegrityError:
                    return False
                return True
            same = (key_values.c.key == key) & (key_values.c.value == known)
            return bool(
                connection.execute(update(key_values).where(same).values(value=value)).rowcount
            )

    def secret(self, key: str) -> bytes:
        """Return 32 random bytes that are this store's for good: the same in each process."""
        found = self.get(key)
        if found is None:
            self.swap(key, None, secrets.token_hex(32))
            found = self.get(key)  # another process may have been quicker
        return bytes.fromhex(found)

    def take(self, key: str) -> Any:
        """Remove the value and return it; None when there is none. Of several takers one has it."""
        one = key_values.c.key == key
        with self._database.write() as connection:
            value = connection.execute(select(key_values.c.value).where(one)).scalar_one_or_none()
            is_ours = connection.execute(delete(key_values).where(one)).rowcount == 1
        return value if is_ours else None

    def starting_with(self, prefix: str) -> dict[str, Any]:
        """Return the values whose keys begin with `prefix`."""
        query = select(key_values.c.key, key_values.c.value).where(
            key_values.c.key.startswith(prefix, autoescape=True)
        )
        with self._database.read() as connection:
            return {key: value for key, value in connection.execute(query)}

    def remove(self, key: str) -> None:
        """Forget the value, if there is one."""
        with self._database.write() as connection:
            self.remove_in(connection, key)

    @staticmethod
    def remove_in(connection: Connection, key: str) -> None:
        """Forget the value as a part of a transaction."""
        connection.execute(delete(key_values).where(key_values.c.key == key))
