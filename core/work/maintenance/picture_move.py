"""Move of the archive to another place: what is there already is not copied again.

Whether it is there, its bytes tell, read by pieces in both places: a file of the right size may
hold other ones, and of a sound no row keeps a hash.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Literal

from core.archive.archive import Archive
from core.errors import StoreError
from core.storage.store import Store
from core.work.maintenance.archived_files import ArchivedFile, archived_files

# A bucket answers one request after the other in its own time, and many at once as quickly.
AT_ONCE = 8

Tell = Callable[[int, int], None]
Came = Literal["copied", "there", "missing", "damaged"]


@dataclass(slots=True)
class PictureMove:
    """What was copied; the originals stay where they were."""

    copied: int = 0
    there: int = 0  # from an earlier run
    missing: list[str] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)  # copied as they are

    def note(self, name: str, came: Came) -> None:
        """Note what became of one."""
        if came == "there":
            self.there += 1
        elif came == "missing":
            self.missing.append(name)
        else:
            self.copied += 1
            self.damaged += [name] if came == "damaged" else []


def move_pictures(
    store: Store, source: Archive, target: Archive, *, tell: Tell = lambda _done, _all: None
) -> PictureMove:
    """Copy each original that a row speaks of. Files appear whole or not at all."""
    move = PictureMove()
    rows = list(archived_files(store))
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="move-pictures") as threads:
        try:
            moving = threads.map(lambda row: _move(row, source, target), rows)
            for number, (row, came) in enumerate(zip(rows, moving, strict=True), 1):
                move.note(row.name, came)
                tell(number, len(rows))
        except BaseException:
            threads.shutdown(cancel_futures=True)
            raise
    return move


def _move(row: ArchivedFile, source: Archive, target: Archive) -> Came:
    here, there = source.checksum(row.name), target.checksum(row.name)
    if there is not None and (there == here or there.sha256 == row.sha256):
        return "there"  # as it was archived, even where the source is damaged by now
    if here is None:
        return "missing"
    with source.reading(row.name) as file:
        target.keep_from(row.name, file)
    if target.checksum(row.name) != here:
        facts = {"place": target.place, "table": row.name}
        raise StoreError("error.copy_different", facts=facts)
    return "copied" if row.sha256 in (here.sha256, None) else "damaged"
