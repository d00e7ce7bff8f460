"""Everything the rows hold of one person: handed out whole, and erased for good.

Money that was spent stays in the books, without the name.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, delete, exists, func, or_, select, update

from core.storage.copying.plain_tables import plain, rows_at_once
from core.storage.db.database import Database
from core.storage.db.schema import (
    blobs,
    budget_totals,
    conversations,
    generation_references,
    generations,
    key_values,
    ledger_lines,
    message_blobs,
    messages,
    picture_links,
    pictures,
)
from core.texts.catalogue import LANGUAGES

ERASED = "erased"
_EXCHANGES = "xray.kept."  # the beginning of their keys, before the owner
_INDEX_ANEW = "INSERT INTO message_index (message_index) VALUES ('optimize')"
_FINAL = ("archived", "failed", "refused", "cancelled")
# What is a row of a person's by another row that is.
BY_PARENT = {
    "messages": ("conversation_id", "conversations"),
    "generation_references": ("generation_id", "generations"),
    "generation_events": ("generation_id", "generations"),
    "picture_slots": ("generation_id", "generations"),
}
_ID_LENGTH = 32
OWNED = ("conversations", "generations", "pictures", "picture_links", "ledger_lines")
# Only of use to the processes that work on a row.
_OF_PROCESSES = frozenset({"process_id", "lease_owner", "lease_until", "next_check_at"})


class People:
    """The rows of one owner, all of them."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    def rows(self, owner: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield each row of a person with its table's name: what is in the bin, too."""
        with self._database.snapshot() as connection:
            for name in (*OWNED, *BY_PARENT):
                table = plain(name)
                query = select(table).where(_theirs(table, owner)).order_by(*table.primary_key)
                options = connection.execution_options(yield_per=rows_at_once(table))
                with options.execute(query) as found:
                    for row in found.mappings():
                        yield name, {one: row[one] for one in row if one not in _OF_PROCESSES}
            yield from self._kept(connection, owner)

    def owners(self) -> list[str]:
        """Return everybody of whom there is a row, whose name is theirs by itself."""
        owned = [select(plain(name).c.owner).distinct() for name in OWNED]
        with self._database.read() as connection:
            found = connection.scalars(owned[0].union(*owned[1:]))
            return sorted(one for one in found if one != ERASED)

    def attached(self, owner: str) -> Iterator[tuple[str, str, bytes]]:
        """Yield hash, media type and bytes of what a person attached or sent as a reference."""
        with self._database.snapshot() as connection:
            query = select(blobs.c.sha256, blobs.c.media_type, blobs.c.content).where(
                blobs.c.sha256.in_(_their_blobs(owner))
            )
            with connection.execution_options(yield_per=2).execute(query) as found:
                for row in found:
                    yield row.sha256, row.media_type, row.content

    def open_work(self, owner: str) -> int:
        """Return how many of a person's answers and tasks are under way."""
        running = select(func.count()).where(
            plain("messages").c.status == "running", _theirs(plain("messages"), owner)
        )
        waiting = select(func.count()).where(
            generations.c.owner == owner, generations.c.status.not_in(_FINAL)
        )
        with self._database.read() as connection:
            return (connection.scalar(running) or 0) + (connection.scalar(waiting) or 0)

    def picture_names(self, owner: str) -> list[str]:
        """Return the names of a person's files in the archive."""
        with self._database.read() as connection:
            return list(
                connection.scalars(select(pictures.c.name).where(pictures.c.owner == owner))
            )

    def erase(self, owner: str) -> dict[str, int]:
        """Remove a person's rows for good; return how many by table. Their files go before.

        Of SQLite's file their bytes go too: freed pages are overwritten, the index is written anew.
        """
        with self._database.write() as connection:
            if self._database.is_sqlite:
                connection.exec_driver_sql("PRAGMA secure_delete = ON")
            theirs = list(connection.scalars(_their_blobs(owner)))
            removed = {
                table.name: connection.execute(delete(table).where(table.c.owner == owner)).rowcount
                for table in (pictures, picture_links, generations, conversations)
            }
            removed["ledger_lines"] = connection.execute(
                update(ledger_lines)
                .where(ledger_lines.c.owner == owner)
                .values(owner=ERASED, caller=ERASED)
            ).rowcount
            name = owner.removeprefix("user:")
            connection.execute(
                delete(budget_totals).where(
                    budget_totals.c.key.endswith(f"|user|{name}", autoescape=True)
                )
            )
            connection.execute(delete(key_values).where(_keys_of(owner)))
            removed["blobs"] = sum(_forget_blob(connection, one) for one in theirs)
            if self._database.is_sqlite:
                connection.exec_driver_sql(_INDEX_ANEW)
                connection.exec_driver_sql("PRAGMA secure_delete = OFF")
        self._database.empty_log()
        return removed

    def _kept(self, connection: Connection, owner: str) -> Iterator[tuple[str, dict[str, Any]]]:
        for row in connection.execute(select(key_values).where(_keys_of(owner))).mappings():
            yield "key_values", dict(row)


def _theirs(table: Table, owner: str) -> ColumnElement[bool]:
    if (parent := BY_PARENT.get(table.name)) is None:
        return table.c.owner == owner
    column, name = parent
    ids = select(plain(name).c.id).where(plain(name).c.owner == owner)
    return table.c[column].in_(ids)


def _their_blobs(owner: str) -> Any:
    attached = (
        select(message_blobs.c.sha256)
        .join(messages, messages.c.id == message_blobs.c.message_id)
        .join(conversations, conversations.c.id == messages.c.conversation_id)
        .where(conversations.c.owner == owner)
    )
    sent = select(generations.c.reference_sha256).where(
        generations.c.owner == owner, generations.c.reference_sha256.is_not(None)
    )
    more = (
        select(generation_references.c.sha256)
        .join(generations, generations.c.id == generation_references.c.generation_id)
        .where(generations.c.owner == owner)
    )
    return attached.union(sent, more)


def _keys_of(owner: str) -> ColumnElement[bool]:
    """Return the condition for what was kept for a person, by the whole of its key.

    The name within is not enough: one person's is the beginning or the end of another's.
    """
    mark = sha256(owner.encode()).hexdigest()[:16]
    keys = [f"read_aloud_by.{mark}", f"arrangement.{owner}", f"language.{owner}"]
    keys += [f"language.{owner}.{one}" for one in LANGUAGES]
    exchanges = f"{_EXCHANGES}{owner}."
    of_subject = (func.substr(key_values.c.key, 1, len(exchanges)) == exchanges) & (
        func.length(key_values.c.key) == len(exchanges) + _ID_LENGTH
    )
    return or_(key_values.c.key.in_(keys), of_subject)


def _forget_blob(connection: Connection, sha256: str) -> int:
    """Remove bytes that nobody else holds on to."""
    sent = exists().where(generations.c.reference_sha256 == blobs.c.sha256)
    more = exists().where(generation_references.c.sha256 == blobs.c.sha256)
    attached = exists().where(message_blobs.c.sha256 == blobs.c.sha256)
    unused = delete(blobs).where(blobs.c.sha256 == sha256, ~sent, ~more, ~attached)
    return connection.execute(unused).rowcount
