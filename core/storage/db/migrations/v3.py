"""Version 3: a message may be of parts, and holds on to the bytes they point to.

`parts` is NULL where a message is one text alone, as all are that stand here: nothing is rewritten.
"""

from sqlalchemy import Connection

from core.storage.db.migrations.dialects import run_script

_PARTS = """
ALTER TABLE messages ADD COLUMN parts TEXT;
CREATE TABLE message_blobs (
    message_id TEXT NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
    sha256 TEXT NOT NULL REFERENCES blobs (sha256), PRIMARY KEY (message_id, sha256)
);
CREATE INDEX message_blobs_of ON message_blobs (sha256)
"""


def m003_message_parts(connection: Connection) -> None:
    """Make room for parts beside a message's plain text."""
    run_script(connection, _PARTS)
