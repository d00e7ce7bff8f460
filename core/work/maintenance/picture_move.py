"""Move of the archive to another place: what is there already, whole, is not copied again."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field

from core.archive.archive import Archive
from core.errors import StoreError
from core.storage.store import Store

Tell = Callable[[int, int], None]


@dataclass(slots=True)
class PictureMove:
    """What was copied; the originals stay where they were."""

    copied: int = 0
    there: int = 0  # from an earlier run
    missing: list[str] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)  # copied as they are


def move_pictures(
    store: Store, source: Archive, target: Archive, *, tell: Tell = lambda _done, _all: None
) -> PictureMove:
    """Copy each original that a row speaks of. Files appear whole or not at all."""
    move = PictureMove()
    rows = list(store.copies.archived())
    for number, row in enumerate(rows, 1):
        size = source.size(row.name)
        if size is None:
            move.missing.append(row.name)
        elif target.size(row.name) == size:
            move.there += 1
        else:
            _copy(move, row.name, row.sha256, source, target)
        tell(number, len(rows))
    return move


def _copy(move: PictureMove, name: str, sha256: str, source: Archive, target: Archive) -> None:
    content = source.original_bytes(name)
    if hashlib.sha256(content).hexdigest() != sha256:
        move.damaged.append(name)
    target.keep(name, content)
    if (
        hashlib.sha256(target.original_bytes(name)).hexdigest()
        != hashlib.sha256(content).hexdigest()
    ):
        raise StoreError("error.copy_different", facts={"place": target.place, "table": name})
    move.copied += 1
