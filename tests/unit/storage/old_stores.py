"""Old stores: databases and exports that earlier versions wrote, kept as text in `data/`."""

import sqlite3
from contextlib import closing
from pathlib import Path

DATA = Path(__file__).parent / "data"


def number_of(version: str) -> int:
    """Return the number of a schema that is called `v<N>`."""
    return int(version.removeprefix("v"))


VERSIONS = sorted((path.stem for path in DATA.glob("v*.sql")), key=number_of)

# What SQLite and the search index keep for themselves.
_NOT_OURS = ("sqlite_", "message_index", "unindexed_messages")

# A table's columns, and its rows in one order.
Tables = dict[str, tuple[list[str], list[tuple[object, ...]]]]


def lay_down(version: str, path: Path) -> Path:
    """Make the database that `version` of the schema left, in the mode it left it in."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript((DATA / f"{version}.sql").read_text(encoding="utf-8"))
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
    return path


def tables_in(path: Path, columns: Tables | None = None) -> Tables:
    """Return everything that is in a database, or what it holds in these columns."""
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        wanted = {name: of for name, (of, _) in columns.items()} if columns else _names(connection)
        return {name: (of, _rows(connection, name, of)) for name, of in wanted.items()}


def schema_of(path: Path) -> list[str]:
    """Return the statements that made a database."""
    with closing(sqlite3.connect(path)) as connection:
        query = "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name"
        return [row[0] for row in connection.execute(query)]


def _names(connection: sqlite3.Connection) -> dict[str, list[str]]:
    tables = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
    return {
        name: [row[1] for row in connection.execute(f'PRAGMA table_info("{name}")')]
        for (name,) in tables
        if not name.startswith(_NOT_OURS)
    }


def _rows(
    connection: sqlite3.Connection, table: str, columns: list[str]
) -> list[tuple[object, ...]]:
    names = ", ".join(f'"{column}"' for column in columns)
    return sorted(connection.execute(f'SELECT {names} FROM "{table}"'), key=repr)
