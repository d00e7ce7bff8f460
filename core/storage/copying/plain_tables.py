"""Plain tables: those of the schema with what the database holds, not what our types make of it.

Copied so, a row is the same in the other database to the last sign: no JSON is written anew.
"""

from typing import Any

from sqlalchemy import Column, ColumnElement, LargeBinary, MetaData, Table, TypeDecorator, tuple_

from core.storage.db.schema import metadata, schema_migrations

_ROWS_AT_ONCE = 500
_BLOBS_AT_ONCE = 4  # megabytes each

_plain = MetaData()


def _clone(table: Table) -> Table:
    columns: list[Column[Any]] = []
    for one in table.columns:
        kind = one.type.impl_instance if isinstance(one.type, TypeDecorator) else one.type
        columns.append(Column(one.name, kind, primary_key=one.primary_key))
    return Table(table.name, _plain, *columns)


# Parents before their children. What migrations a database went through is its own history.
PLAIN_TABLES: tuple[Table, ...] = tuple(
    _clone(table) for table in metadata.sorted_tables if table is not schema_migrations
)


def plain(name: str) -> Table:
    """Return the plain table of that name."""
    return _plain.tables[name]


def rows_at_once(table: Table) -> int:
    """Return how many rows of a table are held in memory."""
    has_bytes = any(isinstance(one.type, LargeBinary) for one in table.columns)
    return _BLOBS_AT_ONCE if has_bytes else _ROWS_AT_ONCE


def key_of(table: Table, row: dict[str, Any]) -> tuple[Any, ...]:
    """Return the primary key of a row."""
    return tuple(row[one.name] for one in table.primary_key)


def is_one_of(table: Table, keys: list[tuple[Any, ...]]) -> ColumnElement[bool]:
    """Return the condition for the rows with these keys."""
    columns = list(table.primary_key)
    if len(columns) == 1:
        return columns[0].in_([key[0] for key in keys])
    return tuple_(*columns).in_(keys)
