"""Pictures moved and pruned, and what there is of one person, on the command line."""

from datetime import timedelta
from pathlib import Path

from core.admin.studio_files import (
    address_from,
    check_person,
    open_archive,
    open_store,
    other_archive,
)
from core.admin.telling import Telling
from core.settings import Settings
from core.work.maintenance.people import delete_person, export_person
from core.work.maintenance.picture_move import move_pictures
from core.work.maintenance.pruning import prune


def move_archive(settings: Settings, say: Telling, to: str) -> int:
    """Copy all pictures to another folder or URL; what is there already is not copied again."""
    store, source = open_store(settings), open_archive(settings)
    try:
        target = other_archive(settings, address_from(to))
        moved = move_pictures(store, source, target, tell=say.progress)
    finally:
        store.close()
    say.line("admin.moved_pictures", copied=moved.copied, there=moved.there, place=target.place)
    say.names("admin.missing", moved.missing)
    say.names("admin.damaged", moved.damaged)
    say.line("admin.now_set", setting="INKLING_ARCHIVE_URL")
    return int(bool(moved.missing or moved.damaged))


def prune_studio(settings: Settings, say: Telling, days: int) -> int:
    """Remove for good what was deleted so many days ago, and files of which no row speaks."""
    store, archive = open_store(settings), open_archive(settings)
    try:
        gone = prune(store, archive, older_than=timedelta(days=days))
    finally:
        store.close()
    say.line("admin.pruned", pictures=gone.pictures, rows=gone.rows, files=gone.files)
    return 0


def export_of(settings: Settings, say: Telling, owner: str, path: Path) -> int:
    """Write what there is of one person to a zip."""
    store, archive = open_store(settings), open_archive(settings)
    try:
        check_person(store, owner)
        counts = export_person(store, archive, owner, path)
    finally:
        store.close()
    say.line("admin.person_exported", file=path, **_person(counts))
    return 0


def delete_of(settings: Settings, say: Telling, owner: str, *, is_sure: bool) -> int:
    """Remove what there is of one person for good; without `is_sure` only say what would go."""
    store, archive = open_store(settings), open_archive(settings)
    try:
        check_person(store, owner)
        if not is_sure:
            counts: dict[str, int] = {}
            for table, _row in store.people.rows(owner):
                counts[table] = counts.get(table, 0) + 1
            say.line("admin.person_would_go", **_person(counts))
            return 1
        counts = delete_person(store, archive, owner)
    finally:
        store.close()
    say.line("admin.person_deleted", **_person(counts))
    if settings.backup.place is not None:
        say.line("admin.person_in_backups", kept=settings.backup.keep)
    return 0


def _person(counts: dict[str, int]) -> dict[str, int]:
    names = ("conversations", "generations", "pictures", "ledger_lines")
    return {name: counts.get(name, 0) for name in names}
