"""Backup, restore and verify on the command line."""

from core.admin.studio_files import (
    address_from,
    open_archive,
    open_store,
    work_dir,
)
from core.admin.telling import Telling
from core.archive.backup_places import BackupPlace, split_place
from core.errors import ConfigurationError
from core.settings import Settings
from core.work.maintenance.backup import make_backup
from core.work.maintenance.restore import check_backup, opened, restore_backup
from core.work.maintenance.verification import Verified, verify


def backup(settings: Settings, say: Telling, to: str | None, keep: int | None) -> int:
    """Make a backup at a folder or URL, by default where the settings say."""
    address = address_from(to) if to else settings.backup.place
    if address is None:
        raise ConfigurationError("INKLING_BACKUP_TO", "--to", "error.configuration_missing")
    place = BackupPlace(address)
    store, archive = open_store(settings), open_archive(settings)
    try:
        made = make_backup(store, archive, place, work_dir=work_dir(settings), tell=say.progress)
    finally:
        store.close()
    say.line(
        "admin.backed_up",
        file=f"{made.place}/{made.name}",
        size=made.size_bytes,
        pictures=made.pictures,
        conversations=made.rows["conversations"],
    )
    say.names("admin.missing", made.lost)
    kept = keep if keep is not None else (settings.backup.keep if not to else None)
    if kept is not None and (pruned := place.prune(kept, made=made.name)):
        say.line("admin.backups_pruned", count=pruned, kept=kept)
    return int(bool(made.lost))


def restore(settings: Settings, say: Telling, path_or_url: str) -> int:
    """Bring a backup back into the store and archive of the settings, which must be empty."""
    place, name = split_place(address_from(path_or_url))
    store = open_store(settings, is_to_be_filled=True)
    archive = open_archive(settings)
    try:
        with store.alone():
            back = restore_backup(
                store,
                archive,
                BackupPlace(place),
                name,
                work_dir=work_dir(settings),
                tell=say.progress,
            )
        say.line("admin.restored", made_at=back.made_at, rows=back.rows, pictures=back.pictures)
        say.names("admin.missing", back.lost)
        return _tell_verified(verify(store, archive, tell=say.progress), say)
    finally:
        store.close()


def verify_studio(settings: Settings, say: Telling, path_or_url: str | None) -> int:
    """Look through rows and files, or through a backup; 1 where something is lost or changed."""
    if path_or_url:
        place, name = split_place(address_from(path_or_url))
        manifest = check_backup(BackupPlace(place), name)
        facts = {"made_at": manifest["made_at"], "files": len(manifest["files"])}
        say.line("admin.backup_whole", **facts)
        say.names("admin.missing", manifest.get("lost", []))
        return 0
    store, archive = open_store(settings), open_archive(settings)
    try:
        return _tell_verified(verify(store, archive, tell=say.progress), say)
    finally:
        store.close()


def move_database(settings: Settings, say: Telling, to: str) -> int:
    """Copy all rows to another database, which must be empty, and compare them.

    No studio opens either of them meanwhile.
    """
    store = open_store(settings)
    try:
        with store.alone(), opened(address_from(to)) as target, target.alone():
            rows = store.copies.copy_to(target.copies, tell=say.table, must_stand_still=True)
            say.line("admin.moved_rows", rows=rows, place=target.place)
    finally:
        store.close()
    say.line("admin.now_set", setting="DATABASE_URL")
    return 0


def _tell_verified(found: Verified, say: Telling) -> int:
    say.line("admin.verified", pictures=found.pictures, size=found.bytes_read)
    say.names("admin.missing", found.missing)
    say.names("admin.damaged", found.damaged)
    say.names("admin.damaged_rows", found.rows)
    say.names("admin.unknown", found.unknown)
    say.line("admin.sound" if found.is_sound else "admin.not_sound")
    return int(not found.is_sound)
