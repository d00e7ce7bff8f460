"""Version 4: a generation says what kind it is of, and how many concurrency slots it takes.

All there were are pictures, and Kling counts a slot for each. Models of one name serve several
kinds, so how long a task takes is asked by kind; the learned limit belongs to a package of slots.
What is open is asked for by provider: without that first in its index, SQLite took another one and
read every generation there ever was, every few seconds.
"""

from sqlalchemy import Connection

from core.storage.db.migrations.dialects import run_script

_KIND = """
ALTER TABLE generations ADD COLUMN kind TEXT NOT NULL DEFAULT 'image';
ALTER TABLE generations ADD COLUMN slots INTEGER NOT NULL DEFAULT 1;
UPDATE generations SET slots = n;
DROP INDEX generations_finished;
CREATE INDEX generations_finished
    ON generations (provider, kind, model_name, resolution, n, finished_at);
DROP INDEX generations_open;
CREATE INDEX generations_open ON generations (provider, next_check_at, created_at)
    WHERE status NOT IN ('archived', 'cancelled', 'failed', 'refused');
UPDATE key_values SET key = key || '.image' WHERE key IN ('slots.kling', 'slots.practice')
"""


def m004_generation_kind(connection: Connection) -> None:
    """Give every generation its kind and its slots."""
    run_script(connection, _KIND)
