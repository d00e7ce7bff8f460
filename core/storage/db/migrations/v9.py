"""Version 9: a picture knows the message that it was drawn from, and the message its pictures.

A row of its own, tied to neither: whichever end is deleted, the other one still tells of it, and an
import brings it along to where the picture is not. `request` is what was asked for.
"""

from sqlalchemy import Connection

from core.storage.db.migrations.dialects import run_script

_LINKS = """
CREATE TABLE picture_links (
    generation_id TEXT NOT NULL, message_id TEXT NOT NULL, owner TEXT NOT NULL, request TEXT,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (generation_id, message_id)
);
CREATE INDEX picture_links_of_message ON picture_links (message_id)
"""


def m009_picture_links(connection: Connection) -> None:
    """Give what ties pictures to messages a table."""
    run_script(connection, _LINKS)
