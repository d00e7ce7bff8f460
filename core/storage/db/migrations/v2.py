"""Version 2: SQLite's search index is filled behind the writing.

Indexing an answer took ten times as long as storing it, with the write lock held. Triggers now
only note which messages are to be indexed; core/storage/chat/search_index.py does it later.
"""

from sqlalchemy import Connection

_SQLITE_SEARCH_LATER = (
    "DROP TRIGGER message_index_added",
    "DROP TRIGGER message_index_ended",
    "DROP TRIGGER message_index_removed",
    "CREATE TABLE unindexed_messages (seq INTEGER PRIMARY KEY)",
    """
    CREATE TRIGGER message_index_added AFTER INSERT ON messages WHEN new.status <> 'running' BEGIN
        INSERT INTO unindexed_messages (seq) VALUES (new.seq);
    END
    """,
    """
    CREATE TRIGGER message_index_ended AFTER UPDATE OF status ON messages
    WHEN old.status = 'running' AND new.status <> 'running' BEGIN
        INSERT INTO unindexed_messages (seq) VALUES (new.seq);
    END
    """,
    """
    CREATE TRIGGER message_index_removed AFTER DELETE ON messages
    WHEN old.status <> 'running' BEGIN
        INSERT INTO message_index (message_index, rowid, content, reasoning_content)
        SELECT 'delete', old.seq, old.content, old.reasoning_content
        WHERE NOT EXISTS (SELECT 1 FROM unindexed_messages WHERE seq = old.seq);
        DELETE FROM unindexed_messages WHERE seq = old.seq;
    END
    """,
)


def m002_index_later(connection: Connection) -> None:
    """Take the filling of SQLite's search index out of the writing."""
    if connection.dialect.name == "sqlite":
        for statement in _SQLITE_SEARCH_LATER:
            connection.exec_driver_sql(statement)
