"""Verification: does each row have its file, each file its row, and is every byte as it was."""

from collections.abc import Callable
from dataclasses import dataclass, field

from core.archive.archive import Archive
from core.storage.store import Store
from core.work.maintenance.archived_files import archived_files, has_row

Tell = Callable[[int, int], None]


@dataclass(slots=True)
class Verified:
    """What was looked at, and what was found; names of files, and the database's own words."""

    pictures: int = 0
    bytes_read: int = 0
    missing: list[str] = field(default_factory=list)  # there is a row, and no file
    damaged: list[str] = field(default_factory=list)  # other bytes than were archived
    unknown: list[str] = field(default_factory=list)  # there is a file, and no row
    rows: list[str] = field(default_factory=list)

    @property
    def is_sound(self) -> bool:
        """Whether nothing is lost or changed. A file too many is no loss."""
        return not (self.missing or self.damaged or self.rows)


def verify(store: Store, archive: Archive, *, tell: Tell = lambda _done, _all: None) -> Verified:
    """Look through all rows and files; nothing is changed, and the studio may work meanwhile."""
    verified = Verified()
    # Listed before the rows are read: a picture that comes in between is no file without a row.
    files = set(archive.names())
    rows = list(archived_files(store))
    for number, row in enumerate(rows, 1):
        found = archive.checksum(row.name)
        if found is None:
            if has_row(store, row):  # not purged meanwhile
                verified.missing.append(row.name)
            continue
        if row.sha256 and found.sha256 != row.sha256:
            verified.damaged.append(row.name)
        verified.pictures += 1
        verified.bytes_read += found.size_bytes
        tell(number, len(rows))
    verified.unknown = sorted(files - {row.name for row in rows} - arriving(store, files))
    verified.rows = store.copies.damaged_rows()
    return verified


def arriving(store: Store, files: set[str]) -> set[str]:
    """Return the files of tasks that are under way: their rows may be about to be written."""
    beginnings = {one[:12] for one in store.copies.open_generations()}
    return {
        name
        for name in files
        if name.rpartition("/")[2].split("-")[1:2]
        and (name.rpartition("/")[2].split("-")[1] in beginnings)
    }
