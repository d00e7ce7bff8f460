"""Restore: a backup into an empty store and archive, of whatever kind they are.

It is read twice: once to see that all of it is whole, before anything is written, and once to be
written. Cut off, it is begun again, and what is there is not written anew.
"""

import hashlib
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from core.archive.archive import Archive
from core.archive.backup_places import BackupPlace
from core.errors import StoreError
from core.storage.store import Store
from core.work.maintenance.backup import MANIFEST, PICTURES, STORE, manifest_from
from core.work.maintenance.work_folder import work_folder

_BYTES_AT_ONCE = 1 << 20

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
    found: dict[str, tuple[int, str]] = {}
    manifest: dict[str, Any] | None = None
    with _members(place, name) as members:
        for member, file in members:
            if member.name == MANIFEST:
                manifest = manifest_from(file.read())
            else:
                found[member.name] = (member.size, _digest(file))
    if manifest is None:
        raise _broken(place, name, MANIFEST)
    said = {one: (facts["size"], facts["sha256"]) for one, facts in manifest["files"].items()}
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
    files, done = manifest["files"], 0
    with work_folder(work_dir, "restore-") as folder:
        rows = folder / STORE
        with _members(place, name) as members:
            for member, file in members:
                if member.name == STORE:
                    _write(file, rows)
                elif member.name.startswith(PICTURES):
                    picture = member.name.removeprefix(PICTURES)
                    if archive.size(picture) != member.size:
                        archive.keep(picture, file.read())
                    done += 1
                    tell(done, len(files) - 1)
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


def _digest(file: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while some := file.read(_BYTES_AT_ONCE):
        digest.update(some)
    return digest.hexdigest()


def _write(file: IO[bytes], path: Path) -> None:
    with path.open("wb") as target:
        while some := file.read(_BYTES_AT_ONCE):
            target.write(some)


def _broken(place: BackupPlace, name: str, file: str) -> StoreError:
    return StoreError(
        "error.backup_not_whole", facts={"place": f"{place.place}/{name}", "file": file}
    )
