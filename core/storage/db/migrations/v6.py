"""Version 6: what is searched is a folded copy: full-width or half, traditional or simplified.

The index of words so far is of the texts as they stand, and is left behind. All messages are noted
as not indexed yet, which takes no time; what notes of new ones did in SQLite alone is now done in
PostgreSQL too, and core/storage/chat/search_index.py fills both behind the writing. Titles, which
are short, are folded here.
"""

from sqlalchemy import Connection, bindparam, text
from sqlalchemy.exc import DBAPIError

from core.storage.db.folding import fold
from core.storage.db.migrations.dialects import run_script

_TITLES = "ALTER TABLE conversations ADD COLUMN folded_title TEXT NOT NULL DEFAULT ''"
_AT_ONCE = 1000

_SQLITE = (
    "DROP TRIGGER message_index_removed",
    "DROP TABLE message_index",
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
    """
    CREATE TRIGGER message_index_removed AFTER DELETE ON messages
    WHEN old.status <> 'running' BEGIN
        INSERT INTO message_index (message_index, rowid, content, reasoning_content)
        SELECT 'delete', seq, content, reasoning_content FROM message_index_texts
        WHERE seq = old.seq;
        DELETE FROM message_index_texts WHERE seq = old.seq;
        DELETE FROM unindexed_messages WHERE seq = old.seq;
    END
    """,
    "INSERT OR IGNORE INTO unindexed_messages SELECT seq FROM messages WHERE status <> 'running'",
)

_POSTGRES = (
    "DROP INDEX IF EXISTS messages_content_trigrams",
    "DROP INDEX IF EXISTS messages_reasoning_trigrams",
    """
    CREATE TABLE message_index_texts (
        seq BIGINT PRIMARY KEY REFERENCES messages (seq) ON DELETE CASCADE,
        content TEXT NOT NULL, reasoning_content TEXT NOT NULL
    )
    """,
    """
    CREATE TABLE unindexed_messages (
        seq BIGINT PRIMARY KEY REFERENCES messages (seq) ON DELETE CASCADE
    )
    """,
    """
    CREATE FUNCTION note_unindexed_message() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO unindexed_messages (seq) VALUES (new.seq) ON CONFLICT DO NOTHING;
        RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER message_index_added AFTER INSERT ON messages FOR EACH ROW
    WHEN (new.status <> 'running') EXECUTE FUNCTION note_unindexed_message()
    """,
    """
    CREATE TRIGGER message_index_ended AFTER UPDATE OF status ON messages FOR EACH ROW
    WHEN (old.status = 'running' AND new.status <> 'running')
    EXECUTE FUNCTION note_unindexed_message()
    """,
    "INSERT INTO unindexed_messages SELECT seq FROM messages WHERE status <> 'running'",
)

_TRIGRAMS = """
CREATE INDEX message_index_content ON message_index_texts USING gin (content gin_trgm_ops);
CREATE INDEX message_index_reasoning
    ON message_index_texts USING gin (reasoning_content gin_trgm_ops)
"""


def m006_folded_search(connection: Connection) -> None:
    """Make room for what is searched beside what is shown."""
    connection.exec_driver_sql(_TITLES)
    _fold_titles(connection)
    is_sqlite = connection.dialect.name == "sqlite"
    for statement in _SQLITE if is_sqlite else _POSTGRES:
        connection.exec_driver_sql(statement)
    if is_sqlite:
        return
    try:
        with connection.begin_nested():
            run_script(connection, _TRIGRAMS)
    except DBAPIError:
        return  # no pg_trgm there: LIKE finds the same, more slowly


def _fold_titles(connection: Connection) -> None:
    change = text("UPDATE conversations SET folded_title = :folded WHERE id = :of").bindparams(
        bindparam("folded"), bindparam("of")
    )
    rows = connection.execute(text("SELECT id, title FROM conversations")).all()
    for at in range(0, len(rows), _AT_ONCE):
        connection.execute(
            change, [{"folded": fold(row[1]), "of": row[0]} for row in rows[at : at + _AT_ONCE]]
        )
