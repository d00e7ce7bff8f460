"""The store: everything the app remembers in rows, SQLite by default, PostgreSQL by URL."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from core.storage.chat.branches import Branches
from core.storage.chat.conversations import Conversations
from core.storage.chat.messages import Messages
from core.storage.chat.posted_chats import PostedChats
from core.storage.chat.running_answers import RunningAnswers
from core.storage.chat.search import Search
from core.storage.chat.search_index import SearchIndex
from core.storage.copying.copier import refuse_unfinished
from core.storage.copying.copies import Copies
from core.storage.copying.people import People
from core.storage.db.database import Database, NoteTime
from core.storage.db.errors import store_error
from core.storage.db.key_values import KeyValues
from core.storage.db.migrate import migrate
from core.storage.db.notifications import Notifications
from core.storage.db.process_lock import ProcessLock, alone_on_server, refuse_kept_away
from core.storage.expiry import Expiry
from core.storage.generations.expected_outputs import ExpectedPictures
from core.storage.generations.gallery import Gallery
from core.storage.generations.generations import Generations
from core.storage.generations.intents import Intents
from core.storage.generations.leases import Leases
from core.storage.generations.listing import GenerationLists
from core.storage.lineage.lineage import Lineage
from core.storage.money.ledger import Ledger
from core.storage.transfer.exports import Exports
from core.storage.transfer.imports import Imports

_BUSY_TIMEOUT_S = 15.0


def utc_now() -> datetime:
    """Return this moment, aware."""
    return datetime.now(UTC)


class Store:
    """The rows, by noun. Every method may be called from any thread and raises StoreError."""

    def __init__(
        self, database: Database, process_lock: ProcessLock | None, clock: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._process_lock = process_lock
        self.opened_as_only_process = process_lock is not None and process_lock.was_only_process
        self.place = database.place
        self.is_sqlite = database.is_sqlite
        self.ledger = Ledger(database, clock)
        self.conversations = Conversations(database, clock)
        self.messages = Messages(database, clock, self.ledger)
        self.running_answers = RunningAnswers(database, clock, self.ledger)
        self.branches = Branches(database, clock)
        self.posted_chats = PostedChats(database, clock, self.ledger)
        self.search = Search(database)
        self.search_index = SearchIndex(database)
        self.exports = Exports(database, clock)
        self.imports = Imports(database, clock)
        self.generations = Generations(database, clock, self.ledger)
        self.intents = Intents(database, clock, self.ledger)
        self.generation_lists = GenerationLists(database, clock)
        self.expected_pictures = ExpectedPictures(database, clock)
        self.leases = Leases(database)
        self.gallery = Gallery(database, clock)
        self.lineage = Lineage(database)
        self.key_values = KeyValues(database)
        self.expiry = Expiry(database)
        self.copies = Copies(database, clock)
        self.notifications = Notifications(None if database.is_sqlite else database.url)
        self.people = People(database, clock)

    @classmethod
    def open(
        cls,
        url_or_path: str | Path,
        *,
        clock: Callable[[], datetime] = utc_now,
        busy_timeout_s: float = _BUSY_TIMEOUT_S,
        may_be_unfinished: bool = False,
    ) -> "Store":
        """Open the database at a path or URL, and bring its tables up to date.

        StoreError while its rows are being moved, and for one that is being filled by a restore or
        a move, or was until that was cut off; with `may_be_unfinished` it is opened to go on.
        """
        database = Database(url_or_path, busy_timeout_s=busy_timeout_s)
        process_lock = ProcessLock(database.file) if database.file is not None else None
        try:
            refuse_kept_away(database)
            migrate(database, now=clock())
            if not may_be_unfinished:
                refuse_unfinished(database)
        except BaseException:
            database.close()
            if process_lock is not None:
                process_lock.close()
            raise
        return cls(database, process_lock, clock)

    def __repr__(self) -> str:
        return f"Store({self.place!r})"

    def check_writable(self) -> None:
        """Write something small; StoreError says why that is not possible."""
        if (file := self._database.file) is not None and not file.exists():
            # Deleted under us: SQLite goes on writing to what nobody will find again.
            raise store_error("error.store_broken", self.place)
        # Never the same twice: what changes nothing SQLite does not write.
        self.key_values.set("store.checked", uuid4().hex)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep all other processes away meanwhile; StoreError where one works with the rows.

        What is not seen: an idle studio on PostgreSQL behind a pooler in transaction mode, and one
        on Windows.
        """
        lock = self._process_lock
        with alone_on_server(self._database) if lock is None else lock.alone():
            if self.copies.has_leases():
                raise store_error("error.copy_in_use", self.place)
            yield

    def note_times(self, note: NoteTime) -> None:
        """Tell `note` how long each transaction takes from now on."""
        self._database.note_time = note

    def close(self) -> None:
        """Close all connections."""
        self.notifications.close()
        self._database.close()
        if self._process_lock is not None:
            self._process_lock.close()
