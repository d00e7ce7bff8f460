"""Move of the archive to another place: what is there already, whole, is not copied again."""

import hashlib
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
    size = source.size(row.name)
    if size is None:
        return "missing"
    if target.size(row.name) == size:
        return "there"
    content = source.original_bytes(row.name)
    digest = hashlib.sha256(content).hexdigest()
    target.keep(row.name, content)
    if hashlib.sha256(target.original_bytes(row.name)).hexdigest() != digest:
        facts = {"place": target.place, "table": row.name}
        raise StoreError("error.copy_different", facts=facts)
    return "copied" if row.sha256 in (digest, None) else "damaged"
