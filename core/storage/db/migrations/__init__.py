"""The migrations, oldest first, one file each: what a version of the schema changes, and why.

Forward only, and each as it ran: a later change of a table is a new file at the end of the list.
A migration is given a connection in a transaction; it neither commits nor opens another one.
"""

from collections.abc import Callable

from sqlalchemy import Connection

from core.storage.db.migrations.v1 import m001_initial
from core.storage.db.migrations.v2 import m002_index_later
from core.storage.db.migrations.v3 import m003_message_parts
from core.storage.db.migrations.v4 import m004_generation_kind
from core.storage.db.migrations.v5 import m005_ledger
from core.storage.db.migrations.v6 import m006_folded_search
from core.storage.db.migrations.v7 import m007_newest_first
from core.storage.db.migrations.v8 import m008_more_references
from core.storage.db.migrations.v9 import m009_picture_links

Migration = Callable[[Connection], None]

MIGRATIONS: tuple[Migration, ...] = (
    m001_initial,
    m002_index_later,
    m003_message_parts,
    m004_generation_kind,
    m005_ledger,
    m006_folded_search,
    m007_newest_first,
    m008_more_references,
    m009_picture_links,
)
