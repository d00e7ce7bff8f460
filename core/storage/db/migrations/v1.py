"""Version 1: everything there was to keep at the beginning.

Conversations, generations, the archive's rows, what the studio has learned, and a search index:
FTS5 with trigrams in SQLite, pg_trgm in PostgreSQL where it may be had.
"""

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from core.storage.db.migrations.dialects import TYPES, run_script

# parent_id is checked at commit and never cascades: a long conversation is one long chain, and
# SQLite cascades at most 1,000 levels deep.
_CHAT = """
CREATE TABLE conversations (
    id TEXT PRIMARY KEY, owner TEXT NOT NULL, title TEXT NOT NULL,
    title_is_manual BOOLEAN NOT NULL, pinned BOOLEAN NOT NULL, system_prompt TEXT NOT NULL,
    parameters TEXT NOT NULL, origin TEXT NOT NULL, head_id TEXT,
    created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL, deleted_at BIGINT
);
CREATE INDEX conversations_shown ON conversations (owner, pinned, updated_at, id)
    WHERE deleted_at IS NULL;
CREATE INDEX conversations_deleted ON conversations (deleted_at) WHERE deleted_at IS NOT NULL;
CREATE TABLE messages (
    seq {serial}, id TEXT NOT NULL UNIQUE,
    conversation_id TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    parent_id TEXT REFERENCES messages (id) DEFERRABLE INITIALLY DEFERRED,
    role TEXT NOT NULL, content TEXT NOT NULL, reasoning_content TEXT NOT NULL,
    status TEXT NOT NULL, finish_reason TEXT, model TEXT, parameters TEXT,
    prompt_tokens BIGINT, completion_tokens BIGINT, total_tokens BIGINT,
    cache_hit_tokens BIGINT, cache_miss_tokens BIGINT, reasoning_tokens BIGINT,
    error_text_id TEXT, error_facts TEXT, error_detail TEXT NOT NULL,
    reasoning_s {double}, first_token_s {double}, duration_s {double},
    practice BOOLEAN NOT NULL, created_at BIGINT NOT NULL,
    process_id TEXT, lease_until BIGINT, stop_requested_at BIGINT
);
CREATE INDEX messages_tree ON messages (conversation_id, parent_id, seq);
CREATE INDEX messages_parent ON messages (parent_id);
CREATE UNIQUE INDEX messages_running ON messages (conversation_id) WHERE status = 'running'
"""

_PICTURES = """
CREATE TABLE blobs (
    sha256 TEXT PRIMARY KEY, media_type TEXT NOT NULL, content {bytes} NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE TABLE generations (
    id TEXT PRIMARY KEY, owner TEXT NOT NULL, provider TEXT NOT NULL, origin TEXT NOT NULL,
    external_task_id TEXT, idempotency_key TEXT, task_id TEXT, status TEXT NOT NULL,
    request TEXT NOT NULL, prompt TEXT NOT NULL, model_name TEXT NOT NULL,
    aspect_ratio TEXT NOT NULL, resolution TEXT NOT NULL, n INTEGER NOT NULL,
    reference_sha256 TEXT REFERENCES blobs (sha256),
    created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL, sending_at BIGINT,
    submitted_at BIGINT, finished_at BIGINT, deleted_at BIGINT,
    error_text_id TEXT, error_facts TEXT, error_detail TEXT NOT NULL, unit_deduction TEXT,
    attempts INTEGER NOT NULL, poll_count INTEGER NOT NULL, next_check_at BIGINT NOT NULL,
    lease_owner TEXT, lease_until BIGINT
);
CREATE UNIQUE INDEX generations_external_task_id ON generations (external_task_id);
CREATE UNIQUE INDEX generations_idempotency_key ON generations (owner, idempotency_key);
CREATE UNIQUE INDEX generations_task_id ON generations (provider, task_id);
CREATE INDEX generations_shown ON generations (owner, created_at, id) WHERE deleted_at IS NULL;
CREATE INDEX generations_open ON generations (next_check_at, created_at)
    WHERE status NOT IN ('archived', 'cancelled', 'failed', 'refused');
CREATE INDEX generations_finished
    ON generations (provider, model_name, resolution, n, finished_at);
CREATE INDEX generations_reference ON generations (reference_sha256);
CREATE TABLE generation_events (
    seq {serial}, generation_id TEXT NOT NULL REFERENCES generations (id) ON DELETE CASCADE,
    at BIGINT NOT NULL, status TEXT NOT NULL, note TEXT NOT NULL
);
CREATE INDEX generation_events_of ON generation_events (generation_id, seq);
CREATE TABLE picture_slots (
    generation_id TEXT NOT NULL REFERENCES generations (id) ON DELETE CASCADE,
    "index" INTEGER NOT NULL, status TEXT NOT NULL, attempts INTEGER NOT NULL,
    error_text_id TEXT, updated_at BIGINT NOT NULL, PRIMARY KEY (generation_id, "index")
);
CREATE TABLE pictures (
    id TEXT PRIMARY KEY, generation_id TEXT NOT NULL REFERENCES generations (id) ON DELETE CASCADE,
    "index" INTEGER NOT NULL, owner TEXT NOT NULL, name TEXT NOT NULL, media_type TEXT NOT NULL,
    width INTEGER NOT NULL, height INTEGER NOT NULL, size_bytes BIGINT NOT NULL,
    sha256 TEXT NOT NULL, created_at BIGINT NOT NULL, favourite BOOLEAN NOT NULL,
    deleted_at BIGINT
);
CREATE UNIQUE INDEX pictures_of ON pictures (generation_id, "index");
CREATE UNIQUE INDEX pictures_name ON pictures (name);
CREATE INDEX pictures_shown ON pictures (owner, created_at DESC, generation_id DESC, "index")
    WHERE deleted_at IS NULL;
CREATE INDEX pictures_deleted ON pictures (deleted_at) WHERE deleted_at IS NOT NULL;
CREATE TABLE key_values (key TEXT PRIMARY KEY, value TEXT NOT NULL)
"""

# An answer that still grows is not in the index: it enters once, when it has ended.
_SQLITE_SEARCH = (
    """
    CREATE VIRTUAL TABLE message_index USING fts5(
        content, reasoning_content, content='messages', content_rowid='seq', tokenize='trigram'
    )
    """,
    """
    CREATE TRIGGER message_index_added AFTER INSERT ON messages WHEN new.status <> 'running' BEGIN
        INSERT INTO message_index (rowid, content, reasoning_content)
        VALUES (new.seq, new.content, new.reasoning_content);
    END
    """,
    """
    CREATE TRIGGER message_index_ended AFTER UPDATE OF status ON messages
    WHEN old.status = 'running' AND new.status <> 'running' BEGIN
        INSERT INTO message_index (rowid, content, reasoning_content)
        VALUES (new.seq, new.content, new.reasoning_content);
    END
    """,
    """
    CREATE TRIGGER message_index_removed AFTER DELETE ON messages
    WHEN old.status <> 'running' BEGIN
        INSERT INTO message_index (message_index, rowid, content, reasoning_content)
        VALUES ('delete', old.seq, old.content, old.reasoning_content);
    END
    """,
)

_POSTGRES_SEARCH = """
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE INDEX messages_content_trigrams ON messages USING gin (content gin_trgm_ops)
    WHERE status <> 'running';
CREATE INDEX messages_reasoning_trigrams ON messages USING gin (reasoning_content gin_trgm_ops)
    WHERE status <> 'running';
CREATE INDEX generations_prompt_trigrams ON generations USING gin (prompt gin_trgm_ops)
"""


def m001_initial(connection: Connection) -> None:
    """Make conversations, generations, the archive's rows and the search index."""
    dialect = connection.dialect.name
    run_script(connection, (_CHAT + ";" + _PICTURES).format(**TYPES[dialect]))
    if dialect == "sqlite":
        for statement in _SQLITE_SEARCH:
            connection.exec_driver_sql(statement)
        return
    try:
        with connection.begin_nested():
            run_script(connection, _POSTGRES_SEARCH)
    except DBAPIError:
        # Not installed there, or not ours to install: ILIKE finds the same, more slowly.
        return
