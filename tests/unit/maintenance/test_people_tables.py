"""What belongs to a person is handed out and erased from every table: found, not listed."""

from core.storage.copying.people import BY_PARENT, OWNED
from core.storage.db.schema import metadata

# Which blobs a message has: the bytes themselves are handed out and erased (`_their_blobs`).
BY_ITS_BLOBS = {"message_blobs"}


def test_every_table_with_an_owner_is_a_persons() -> None:
    owned = {table.name for table in metadata.sorted_tables if "owner" in table.columns}
    assert owned == set(OWNED)


def test_every_table_below_one_is_a_persons_too() -> None:
    theirs = {*OWNED}
    for table in metadata.sorted_tables:  # what is referred to stands before
        if {key.column.table.name for key in table.foreign_keys} & theirs:
            theirs.add(table.name)
    assert theirs - set(OWNED) == {*BY_PARENT} | BY_ITS_BLOBS
