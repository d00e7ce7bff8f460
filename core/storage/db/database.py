"""Connections and transactions: one SQLite file, or one PostgreSQL server by URL."""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError

from core.errors import ConfigurationError
from core.settings.private_files import make_private
from core.storage.db.column_types import MaskedText
from core.storage.db.errors import database_errors, file_errors, store_error
from core.wire.masking.secrets import known_secrets

# Told seconds, and what took them.
NoteTime = Callable[[float, str], None]

_BEGIN = "inkling_begin"
_CONNECT_TIMEOUT_S = 10


class Database:
    """An engine whose transactions are either reads or writes, and whose errors are StoreErrors.

    SQLite has one writer at a time. Within this process a lock queues the writers fairly; between
    processes BEGIN IMMEDIATE waits for `busy_timeout_s`, so no transaction fails half-way for
    want of the write lock.
    """

    def __init__(self, url_or_path: str | Path, *, busy_timeout_s: float) -> None:
        self.url = parse_url(url_or_path)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.place = _place(self.url)
        self._busy_timeout_s = busy_timeout_s
        self._writer = threading.Lock()
        self.note_time: NoteTime | None = None  # told how long each transaction took
        self.engine = self._sqlite_engine() if self.is_sqlite else self._postgres_engine()
        event.listen(self.engine, "before_cursor_execute", _wash, retval=True)

    @property
    def file(self) -> Path | None:
        """Return the SQLite file's path."""
        return Path(self.url.database or "") if self.is_sqlite else None

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a transaction that sees one moment and changes nothing."""
        begun = time.perf_counter()
        with database_errors(self.place), self.engine.connect() as connection, connection.begin():
            yield connection
        self._tell("read", begun)

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """Open a long transaction in which all queries see the same moment."""
        engine = self.engine
        if not self.is_sqlite:  # which sees one moment anyway
            engine = engine.execution_options(isolation_level="REPEATABLE READ")
        with database_errors(self.place), engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Open a transaction that is durable when the block has ended."""
        begun = time.perf_counter()
        with self._writing() as connection:
            yield connection
        self._tell("write", begun)

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        if not self.is_sqlite:
            with (
                database_errors(self.place),
                self.engine.connect() as connection,
                connection.begin(),
            ):
                yield connection
            return
        if not self._writer.acquire(timeout=self._busy_timeout_s):
            raise store_error("error.store_locked", self.place)
        try:
            with (
                database_errors(self.place),
                self.engine.connect().execution_options(**{_BEGIN: "IMMEDIATE"}) as connection,
                connection.begin(),
            ):
                yield connection
        finally:
            self._writer.release()

    def empty_log(self) -> None:
        """Take what SQLite's log holds into the file, and empty it, if nobody reads from it now."""
        if self.is_sqlite:
            with database_errors(self.place), self.engine.connect() as connection:
                raw = connection.connection.driver_connection
                assert isinstance(raw, sqlite3.Connection)
                raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def _tell(self, operation: str, begun: float) -> None:
        if self.note_time is not None:
            self.note_time(time.perf_counter() - begun, operation)

    def close(self) -> None:
        """Close all connections."""
        with database_errors(self.place):
            self.engine.dispose()

    def _sqlite_engine(self) -> Engine:
        folder = Path(self.url.database or "").parent
        with file_errors(str(folder)):
            folder.mkdir(parents=True, exist_ok=True)
        engine = create_engine(
            self.url,
            hide_parameters=True,
            max_overflow=-1,  # readers never wait for each other
            connect_args={"timeout": self._busy_timeout_s, "check_same_thread": False},
        )
        timeout_s = self._busy_timeout_s

        @event.listens_for(engine, "do_connect")
        def make(*_arguments: object) -> None:
            # SQLite would make it readable for everyone; the log beside it takes its mode. What
            # prevents us prevents SQLite, too, and it says why.
            with suppress(OSError):
                make_private(Path(self.url.database or ""))

        @event.listens_for(engine, "connect")
        def prepare(connection: Any, _record: object) -> None:
            connection.isolation_level = None  # we say BEGIN ourselves, below
            _use_wal(connection, timeout_s)
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")

        @event.listens_for(engine, "begin")
        def begin(connection: Connection) -> None:
            mode = connection.get_execution_options().get(_BEGIN, "DEFERRED")
            connection.exec_driver_sql(f"BEGIN {mode}")

        return engine

    def _postgres_engine(self) -> Engine:
        engine = create_engine(
            self.url,
            hide_parameters=True,
            pool_pre_ping=True,
            pool_timeout=self._busy_timeout_s,
            connect_args={
                "connect_timeout": _CONNECT_TIMEOUT_S,
                "tcp_user_timeout": _CONNECT_TIMEOUT_S * 1000,
                "keepalives_idle": _CONNECT_TIMEOUT_S,
                # Poolers in transaction mode (Supabase, Neon) lose prepared statements.
                "prepare_threshold": None,
            },
        )
        lock_timeout_ms = int(self._busy_timeout_s * 1000)

        @event.listens_for(engine, "connect")
        def prepare(connection: Any, _record: object) -> None:
            connection.execute(f"SET lock_timeout = {lock_timeout_ms}")
            connection.commit()

        return engine


def parse_url(url_or_path: str | Path) -> URL:
    """Return what to connect to; the forms hosts hand out all mean psycopg 3."""
    text = str(url_or_path).strip()
    if "://" not in text:
        return URL.create("sqlite", database=str(Path(text).expanduser().absolute()))
    try:
        url = make_url(text)
        backend = url.get_backend_name()
    except (ArgumentError, ValueError):
        # Not chained: the cause would quote the URL, and so the password.
        raise _not_usable() from None
    if backend in ("postgres", "postgresql"):
        return url.set(drivername="postgresql+psycopg")
    if backend == "sqlite" and url.database and url.database != ":memory:":
        return URL.create("sqlite", database=str(Path(url.database).expanduser().absolute()))
    raise _not_usable()


def _not_usable() -> ConfigurationError:
    return ConfigurationError("url", "connections.inkling", "error.database_url")


def _place(url: URL) -> str:
    if url.get_backend_name() == "sqlite":
        return url.database or ""
    host = url.host or "/".join(str(part) for part in [url.query.get("host", "")] if part)
    return f"{host or 'localhost'}/{url.database or ''}"


def _use_wal(connection: sqlite3.Connection, timeout_s: float) -> None:
    """Switch to WAL. Two processes that create the file together can both be told BUSY at once:
    SQLite does not run its busy handler for this switch (sqlite.org/wal.html §"Activating")."""
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
            if not busy or time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def _wash(
    _connection: Connection,
    _cursor: object,
    statement: str,
    parameters: Any,
    _context: object,
    _executemany: bool,
) -> tuple[str, Any]:
    """Mask known secrets in whatever is stored or looked for, in every table there will be."""
    texts: list[str] = []
    _gather(parameters, texts)
    # One look at all of them: hundreds of texts in a row hold nothing to be masked.
    if not known_secrets.may_be_in("\0".join(texts)):
        return statement, parameters
    return statement, _washed(parameters)


def _gather(value: Any, texts: list[str]) -> None:
    for one in value.values() if isinstance(value, dict) else value:
        if isinstance(one, str):
            if type(one) is not MaskedText:
                texts.append(one)
        elif isinstance(one, dict | list | tuple):
            _gather(one, texts)


def _washed(value: Any) -> Any:
    if isinstance(value, str):
        return value if type(value) is MaskedText else known_secrets.wash(value)
    if isinstance(value, dict):
        return {name: _washed(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_washed(one) for one in value)
    return value
