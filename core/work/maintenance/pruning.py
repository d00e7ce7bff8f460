"""Pruning: what nobody can see any more goes now, and files that no row speaks of."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from core.archive.archive import Archive
from core.storage.store import Store
from core.work.housekeeping import DELETED_KEPT_FOR, Housekeeping
from core.work.maintenance.archived_files import archived_files
from core.work.maintenance.verification import arriving

# A file's name tells when its task was asked for; younger ones are left alone.
FILES_KEPT_FOR = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Pruned:
    """How much went."""

    pictures: int
    rows: int
    files: int  # without rows


def prune(store: Store, archive: Archive, *, older_than: timedelta = DELETED_KEPT_FOR) -> Pruned:
    """Remove for good what was deleted so long ago, as housekeeping does after a month."""
    now = datetime.now(UTC)
    before = store.copies.counts()
    Housekeeping(store, archive).tidy(now - older_than + DELETED_KEPT_FOR)
    after = store.copies.counts()
    gone = {name: before[name] - after[name] for name in before}
    pictures = gone.pop("pictures")
    return Pruned(pictures, sum(gone.values()), _prune_files(store, archive, now - FILES_KEPT_FOR))


def _prune_files(store: Store, archive: Archive, before: datetime) -> int:
    files = set(archive.names())  # before the rows: see verification
    unknown = files - {row.name for row in archived_files(store)} - arriving(store, files)
    old = [name for name in unknown if _asked_at(name) < f"{before:%Y%m%dT%H%M%SZ}"]
    for name in old:
        archive.remove(name)
    thumbnails = list(archive.orphaned_thumbnails())
    for name in thumbnails:
        archive.remove(name)
    return len(old) + len(thumbnails)


def _asked_at(name: str) -> str:
    return name.rpartition("/")[2].partition("-")[0]
