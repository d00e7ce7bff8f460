"""Version 7: messages in the order of their time, and an index for words shorter than a trigram.

Search walks from the newest backwards and ends early where much is found. In SQLite a text is
indexed with two line ends behind it, so that each of its characters begins a trigram: the words of
one or two characters are found as what trigrams begin with (`message_index_terms`). PostgreSQL has
an index of single characters and pairs. For both, all messages are noted as not indexed yet once
more; core/storage/chat/search_index.py fills the index behind the writing.
"""

from sqlalchemy import Connection

_NEWEST = (
    "CREATE INDEX messages_newest ON messages (created_at, id, conversation_id) "
    "WHERE status <> 'running'"
)

_SQLITE = (
    "DROP TABLE message_index",
    "DROP TABLE message_index_texts",
    """
    CREATE TABLE message_index_texts (
        seq INTEGER PRIMARY KEY, content TEXT NOT NULL, reasoning_content TEXT NOT NULL
    )
    """,
    """
    CREATE VIRTUAL TABLE message_index USING fts5(
        content, reasoning_content, content='message_index_texts', content_rowid='seq',
        tokenize='trigram'
    )
    """,
    "CREATE VIRTUAL TABLE message_index_terms USING fts5vocab('message_index', 'instance')",
    "INSERT OR IGNORE INTO unindexed_messages SELECT seq FROM messages WHERE status <> 'running'",
)

_POSTGRES = (
    "TRUNCATE message_index_texts",
    "ALTER TABLE message_index_texts ADD COLUMN grams TEXT[] NOT NULL DEFAULT '{}'",
    "ALTER TABLE message_index_texts ADD COLUMN reasoning_grams TEXT[] NOT NULL DEFAULT '{}'",
    "CREATE INDEX message_index_grams ON message_index_texts USING gin (grams)",
    "CREATE INDEX message_index_reasoning_grams ON message_index_texts USING gin (reasoning_grams)",
    """
    INSERT INTO unindexed_messages SELECT seq FROM messages WHERE status <> 'running'
    ON CONFLICT DO NOTHING
    """,
)


def m007_newest_first(connection: Connection) -> None:
    """Index messages by their time, and words of one and two characters."""
    connection.exec_driver_sql(_NEWEST)
    for statement in _SQLITE if connection.dialect.name == "sqlite" else _POSTGRES:
        connection.exec_driver_sql(statement)
