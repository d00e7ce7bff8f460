"""The full text index is filled behind the writing: what waits for it is noted in a table.

To index a text costs ten times as much as to store it, and holds up every other writer meanwhile.
SQLite only: PostgreSQL keeps such a list by itself (its documentation, "GIN Fast Update").
"""

from sqlalchemy import column, delete, func, select, table, text

from core.storage.db.database import Database
from core.storage.db.schema import messages

# Made by m002_index_later; triggers add what is written down for good, and take out what is gone.
unindexed = table("unindexed_messages", column("seq"))

_AT_ONCE_CHARACTERS = 100_000  # some 6 ms during which nobody else can write
_AT_ONCE = 200

# Neither joins the list: SQLite knows nothing of its size, and would begin with all messages.
_INDEX = text(
    "INSERT INTO message_index (rowid, content, reasoning_content) "
    "SELECT seq, content, reasoning_content FROM messages "
    "WHERE seq IN (SELECT seq FROM unindexed_messages WHERE seq <= :last)"
)
_OLDEST = (
    select(
        messages.c.seq,
        func.length(messages.c.content) + func.length(messages.c.reasoning_content),
    )
    .where(messages.c.seq.in_(select(unindexed.c.seq).order_by(unindexed.c.seq).limit(_AT_ONCE)))
    .order_by(messages.c.seq)
)


class SearchIndex:
    """What is searched for words, and what is still to come into it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def waiting(self) -> int:
        """Return how many messages are not in the index yet."""
        if not self._database.is_sqlite:
            return 0
        with self._database.read() as connection:
            return connection.scalar(select(func.count()).select_from(unindexed)) or 0

    def catch_up(self) -> None:
        """Index the oldest of what waits, as much as may be done at once."""
        with self._database.write() as connection:
            last = characters = 0
            for seq, size in connection.execute(_OLDEST):
                if last and characters + size > _AT_ONCE_CHARACTERS:
                    break
                last, characters = seq, characters + size
            if last:
                connection.execute(_INDEX, {"last": last})
                connection.execute(delete(unindexed).where(unindexed.c.seq <= last))
