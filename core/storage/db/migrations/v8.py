"""Version 8: a generation may go with several reference pictures, in the order they are named.

The first stays in `generations.reference_sha256`, where it always was; those behind it stand here.
"""

from sqlalchemy import Connection

from core.storage.db.migrations.dialects import run_script

_REFERENCES = """
CREATE TABLE generation_references (
    generation_id TEXT NOT NULL REFERENCES generations (id) ON DELETE CASCADE,
    place INTEGER NOT NULL, sha256 TEXT NOT NULL REFERENCES blobs (sha256),
    PRIMARY KEY (generation_id, place)
);
CREATE INDEX generation_references_of ON generation_references (sha256)
"""


def m008_more_references(connection: Connection) -> None:
    """Give the reference pictures behind the first a table."""
    run_script(connection, _REFERENCES)
