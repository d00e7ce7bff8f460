"""Restore: a backup into an empty store and archive, of whatever kind they are.

It is read twice: once to see that all of it is whole, before anything is written, and once to be
written. Cut off, it is begun again, and what is there, by its checksum, is not written anew.
"""

import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from core.archive.archive import Archive
from core.archive.backup_places import BackupPlace
from core.archive.file_streams import Checksum, SummingReader, checksum_of
from core.errors import StoreError
from core.settings.private_files import private
from core.storage.store import Store
from core.work.maintenance.backup import MANIFEST, PICTURES, STORE, manifest_from
from core.work.maintenance.work_folder import work_folder

Tell = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Restored:
    """What came back."""

    made_at: str
    rows: int
    pictures: int
    lost: tuple[str, ...]  # pictures that the backup itself lacked


def check_backup(place: BackupPlace, name: str) -> dict[str, Any]:
    """Return the manifest of a backup of which every file is whole; StoreError where one is not."""
    found: dict[str, Checksum] = {}
    manifest: dict[str, Any] | None = None
    with _members(place, name) as members:
        for member, file in members:
            if member.name == MANIFEST:
                manifest = manifest_from(file.read())
            else:
                found[member.name] = checksum_of(file)
    if manifest is None:
        raise _broken(place, name, MANIFEST)
    said = _checksums(manifest)
    if STORE not in said:
        raise _broken(place, name, STORE)
    for one in sorted(said.keys() | found.keys()):
        if said.get(one) != found.get(one):
            raise _broken(place, name, one)
    return manifest


def restore_backup(
    store: Store,
    archive: Archive,
    place: BackupPlace,
    name: str,
    *,
    work_dir: Path,
    tell: Tell = lambda _done, _all: None,
) -> Restored:
    """Bring rows and pictures back. StoreError where the store holds anything of its own."""
    manifest = check_backup(place, name)
    store.copies.claim(name)
    said, done = _checksums(manifest), 0
    with work_folder(work_dir, "restore-") as folder:
        rows = folder / STORE
        with _members(place, name) as members:
            for member, file in members:
                if member.name == STORE:
                    came: Checksum | None = _write(file, rows)
                elif member.name.startswith(PICTURES):
                    picture = member.name.removeprefix(PICTURES)
                    if (came := archive.checksum(picture)) != said.get(member.name):
                        came = archive.keep_from(picture, file)
                    done += 1
                    tell(done, len(said) - 1)
                else:
                    continue
                if came != said.get(member.name):  # another one than was looked through
                    raise _broken(place, name, member.name)
        with opened(rows) as kept:  # of an earlier version: it is migrated first
            kept.generations.suppose_sent(_moment(manifest["made_at"]))
            total = kept.copies.copy_to(store.copies, origin=name)
    return Restored(manifest["made_at"], total, done, tuple(manifest.get("lost", ())))


@contextmanager
def opened(url_or_path: str | Path) -> Iterator[Store]:
    """Open another store for a while, to be copied or to be filled."""
    store = Store.open(url_or_path, may_be_unfinished=True)
    try:
        yield store
    finally:
        store.close()


@contextmanager
def _members(
    place: BackupPlace, name: str
) -> Iterator[Iterator[tuple[tarfile.TarInfo, IO[bytes]]]]:
    with place.open(name) as file:
        try:
            with tarfile.open(fileobj=file, mode="r|") as tar:
                yield _files_of(tar)
        except (tarfile.TarError, EOFError) as error:
            raise _broken(place, name, type(error).__name__) from error


def _files_of(tar: tarfile.TarFile) -> Iterator[tuple[tarfile.TarInfo, IO[bytes]]]:
    for member in tar:
        file = tar.extractfile(member)
        if file is not None:
            yield member, file


def _moment(written: str) -> datetime:
    try:
        return datetime.fromisoformat(written).astimezone(UTC)
    except ValueError:
        return datetime.now(UTC)


def _write(file: IO[bytes], path: Path) -> Checksum:
    reader = SummingReader(file)
    with open(path, "wb", opener=private) as target:
        while some := reader.read():
            target.write(some)
    return reader.checksum


def _checksums(manifest: dict[str, Any]) -> dict[str, Checksum]:
    return {
        name: Checksum(facts["size"], facts["sha256"]) for name, facts in manifest["files"].items()
    }


def _broken(place: BackupPlace, name: str, file: str) -> StoreError:
    return StoreError(
        "error.backup_not_whole", facts={"place": f"{place.place}/{name}", "file": file}
    )
