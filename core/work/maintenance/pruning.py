"""Pruning: what nobody can see any more goes now, and files that no row speaks of."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from core.archive.archive import Archive, asked_at
from core.errors import StoreError
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
    Housekeeping(store, archive).tidy(now, deleted_kept_for=older_than)
    after = store.copies.counts()
    # Somebody may have written meanwhile.
    gone = {name: max(0, before[name] - after[name]) for name in before}
    pictures = gone.pop("pictures")
    return Pruned(pictures, sum(gone.values()), _prune_files(store, archive, now - FILES_KEPT_FOR))


def _prune_files(store: Store, archive: Archive, before: datetime) -> int:
    files = set(archive.names())  # before the rows: see verification
    known = {row.name for row in archived_files(store)}
    unknown = files - known - arriving(store, files)
    limit = f"{before:%Y%m%dT%H%M%SZ}"
    # What others laid there has names of another kind.
    old = [name for name in unknown if (at := asked_at(name)) is not None and at < limit]
    if old and not files & known:
        facts = {"place": archive.place, "store": store.place}
        raise StoreError("error.prune_elsewhere", facts=facts)
    for name in old:
        archive.remove(name)
    thumbnails = list(archive.orphaned_thumbnails())
    for name in thumbnails:
        archive.remove(name)
    return len(old) + len(thumbnails)
