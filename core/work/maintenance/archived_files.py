"""The archive's files as rows tell of them: pictures by rows of their own, sounds by their task."""

from collections.abc import Iterator
from dataclasses import dataclass

from core.archive.archive import name_for
from core.storage.store import Store

SOUND_SUFFIX = "mp3"


@dataclass(frozen=True, slots=True)
class ArchivedFile:
    """A file that a row speaks of. Of a sound no hash was kept."""

    row_id: str  # of the picture, or of the generation of speech
    name: str
    sha256: str | None


def archived_files(store: Store, owner: str | None = None) -> Iterator[ArchivedFile]:
    """Yield what the rows say of the archive, also of what is in the bin; of one person, or all."""
    if owner is None:
        for row in store.copies.archived():
            yield ArchivedFile(row.picture_id, row.name, row.sha256)
    else:
        for name in store.people.picture_names(owner):
            yield ArchivedFile("", name, None)
    for generation_id, created_at, whose in store.copies.sounds():
        if owner not in (None, whose):
            continue
        yield ArchivedFile(
            generation_id, name_for(created_at, generation_id, 0, SOUND_SUFFIX), None
        )


def has_row(store: Store, file: ArchivedFile) -> bool:
    """Tell whether the row of a file is there still; it may have been purged meanwhile."""
    return store.copies.has_file_row(file.row_id)
