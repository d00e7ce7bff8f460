"""Copy of all rows into another database: resumable, since a second run writes what is different.

What it reads is one moment of the source, whoever writes meanwhile. A note in the target says from
where it is being filled, for as long as it is: nothing else is ever overwritten, and nobody else
works there.
"""

from collections.abc import Callable, Generator
from contextlib import closing
from typing import Any

from sqlalchemy import Connection, Table, bindparam, delete, func, insert, select, text, update

from core.errors import StoreError
from core.storage.copying.plain_tables import (
    PLAIN_TABLES,
    is_one_of,
    key_of,
    plain,
    rows_at_once,
)
from core.storage.db.database import Database
from core.storage.db.key_values import KeyValues

# How far it came: the table, and how many of its rows.
Tell = Callable[[str, int], None]
_Row = dict[str, Any]

NOTE = "store.copied_from"
# Where any of these has a row, somebody works with the database.
_IN_USE = ("conversations", "generations", "ledger_lines", "pictures")


def tell_nobody(_table: str, _rows: int) -> None:
    """Tell nobody how far it came."""


def copy_rows(
    source: Database,
    target: Database,
    *,
    origin: str,
    tell: Tell = tell_nobody,
    must_stand_still: bool = False,
) -> int:
    """Make the rows of `target` those of `source`; return how many there are.

    StoreError where the target holds rows that did not come from `origin`, and, for a source that
    `must_stand_still`, where it holds others in the end than it held in the beginning.
    """
    claim(target, origin)
    total = 0
    with source.snapshot() as reading:
        for table in PLAIN_TABLES:
            total += _copy_table(reading, target, table, tell)
        for table in reversed(PLAIN_TABLES):
            _remove_others(reading, target, table)
        if different := _first_difference(reading, target):
            raise StoreError(
                "error.copy_different", facts={"place": target.place, "table": different}
            )
    if must_stand_still:
        with source.snapshot() as reading:
            if changed := _first_difference(reading, target):
                facts = {"place": source.place, "table": changed}
                raise StoreError("error.copy_source_changed", facts=facts)
    with target.write() as writing:
        _go_on_counting(writing)
        writing.execute(delete(plain("key_values")).where(plain("key_values").c.key == NOTE))
    return total


def claim(target: Database, origin: str) -> None:
    """Note that `target` is being filled from `origin`; StoreError where it holds other rows."""
    with target.write() as writing:
        if KeyValues.value_in(writing, NOTE) == origin:
            return
        if any(_count(writing, plain(name)) for name in _IN_USE):
            raise StoreError("error.copy_not_empty", facts={"place": target.place})
        KeyValues.set_in(writing, NOTE, origin)


def refuse_unfinished(database: Database) -> None:
    """Raise StoreError where a copy into this database was begun and has not ended."""
    with database.read() as reading:
        origin = KeyValues.value_in(reading, NOTE)
    if origin is not None:
        facts = {"place": database.place, "source": origin}
        raise StoreError("error.store_unfinished", facts=facts)


def _copy_table(reading: Connection, target: Database, table: Table, tell: Tell) -> int:
    with target.read() as looking:
        is_new = _count(looking, table) == 0
    copied = 0
    with closing(_chunks(reading, table)) as chunks:
        for rows in chunks:
            with target.write() as writing:
                _write(writing, table, rows, {} if is_new else _there(writing, table, rows))
            copied += len(rows)
            tell(table.name, copied)
    return copied


def _write(writing: Connection, table: Table, rows: list[_Row], there: dict[Any, _Row]) -> None:
    lacking = [row for row in rows if key_of(table, row) not in there]
    if lacking:
        writing.execute(insert(table), lacking)
    for row in rows:
        if there.get(key_of(table, row), row) != row:
            _overwrite(writing, table, row)


def _remove_others(reading: Connection, target: Database, table: Table) -> None:
    """Remove what the source has not, or no longer: rarely anything."""
    with target.read() as looking:
        if _count(looking, table) == _count(reading, table):
            return
        keys = [tuple(row) for row in looking.execute(select(*table.primary_key))]
    for at in range(0, len(keys), 500):
        some = keys[at : at + 500]
        known = reading.execute(select(*table.primary_key).where(is_one_of(table, some)))
        if others := list(set(some) - {tuple(row) for row in known}):
            with target.write() as writing:
                writing.execute(delete(table).where(is_one_of(table, others), *_not_note(table)))


def _first_difference(reading: Connection, target: Database) -> str | None:
    """Return the first table of which the rows are not the same in both."""
    with target.read() as looking:
        for table in PLAIN_TABLES:
            if _count(looking, table) != _count(reading, table):
                return table.name
            with closing(_chunks(reading, table)) as chunks:
                for rows in chunks:
                    if _there(looking, table, rows) != {key_of(table, row): row for row in rows}:
                        return table.name
    return None


def _chunks(reading: Connection, table: Table) -> Generator[list[_Row], None, None]:
    at_once = rows_at_once(table)
    query = select(table).where(*_not_note(table)).order_by(*table.primary_key)
    with reading.execution_options(yield_per=at_once).execute(query) as found:
        for some in found.mappings().partitions(at_once):
            yield [dict(row) for row in some]


def _there(connection: Connection, table: Table, rows: list[_Row]) -> dict[Any, _Row]:
    keys = [key_of(table, row) for row in rows]
    found = connection.execute(select(table).where(is_one_of(table, keys))).mappings()
    return {key_of(table, dict(row)): dict(row) for row in found}


def _overwrite(writing: Connection, table: Table, row: _Row) -> None:
    names = [one.name for one in table.columns if not one.primary_key]
    change = update(table).where(is_one_of(table, [key_of(table, row)]))
    values: dict[Any, Any] = {name: bindparam(f"new_{name}") for name in names}
    writing.execute(change.values(values), {f"new_{name}": row[name] for name in names})


def _count(connection: Connection, table: Table) -> int:
    query = select(func.count()).select_from(table).where(*_not_note(table))
    return connection.scalar(query) or 0


def _not_note(table: Table) -> list[Any]:
    return [table.c.key != NOTE] if table.name == "key_values" else []


def _go_on_counting(writing: Connection) -> None:
    """Let PostgreSQL number what comes behind what was copied; SQLite does by itself."""
    if writing.dialect.name != "postgresql":
        return
    for table in PLAIN_TABLES:
        if "seq" in table.c:
            writing.execute(
                text(
                    "SELECT setval(pg_get_serial_sequence(:name, 'seq'), "
                    f"(SELECT coalesce(max(seq), 0) + 1 FROM {table.name}), false)"
                ),
                {"name": table.name},
            )
