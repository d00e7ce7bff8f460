"""Files of the right size and other bytes: restore and move look into them, piece by piece."""

import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.archive.archive import Archive
from core.archive.backup_places import BackupPlace
from core.archive.file_streams import BYTES_AT_ONCE
from core.archive.remote_files import RemoteFiles
from core.errors import StoreError
from core.storage.store import Store
from core.work.maintenance import restore as restoring
from core.work.maintenance.backup import make_backup
from core.work.maintenance.picture_move import move_pictures
from core.work.maintenance.restore import restore_backup
from core.work.maintenance.verification import verify
from tests.unit.maintenance.contents import files_of, paint
from tests.unit.maintenance.test_sounds import archive, store  # noqa: F401 - two sounds

ANN = "user:ann@example.com"
Changed = Callable[[bytes], bytes]


def _first_byte(content: bytes) -> bytes:
    return bytes([content[0] ^ 1]) + content[1:]


def _last_byte(content: bytes) -> bytes:
    return content[:-1] + bytes([content[-1] ^ 1])


def _zeros(content: bytes) -> bytes:
    return bytes(len(content))  # what a file system may leave after a power cut


def _other_size(content: bytes) -> bytes:
    return content[:-1]


CHANGES = [_first_byte, _last_byte, _zeros, _other_size]


@pytest.fixture(params=["disk", "bucket"])
def elsewhere(request: pytest.FixtureRequest, tmp_path: Path) -> Archive:
    """Another archive of either make."""
    url = f"memory://{tmp_path.name}/pictures" if request.param == "bucket" else None
    return Archive.open(tmp_path / "elsewhere", url=url)


@pytest.mark.parametrize("change", CHANGES)
def test_a_move_replaces_what_is_not_the_same(
    store: Store,  # noqa: F811
    archive: Archive,  # noqa: F811
    elsewhere: Archive,
    change: Changed,
) -> None:
    paint(store, archive, ANN, 1)
    before = files_of(archive)
    assert {name[-4:] for name in before} == {".png", ".mp3"}
    for name, content in before.items():
        elsewhere.keep(name, change(content))
    assert move_pictures(store, archive, elsewhere).copied == len(before)
    assert files_of(elsewhere) == before
    assert move_pictures(store, archive, elsewhere).there == len(before)


@pytest.mark.parametrize("change", CHANGES)
def test_a_restore_replaces_what_is_not_the_same(
    store: Store,  # noqa: F811
    archive: Archive,  # noqa: F811
    elsewhere: Archive,
    change: Changed,
    tmp_path: Path,
) -> None:
    paint(store, archive, ANN, 1)
    place = BackupPlace(str(tmp_path / "backups"))
    made = make_backup(store, archive, place, work_dir=tmp_path)
    before = files_of(archive)
    for name, content in before.items():
        elsewhere.keep(name, change(content))
    other = Store.open(tmp_path / "b.sqlite3")
    restore_backup(other, elsewhere, place, made.name, work_dir=tmp_path)
    assert files_of(elsewhere) == before
    assert verify(other, elsewhere).is_sound
    other.close()


def test_what_is_the_same_is_not_written_anew(
    store: Store,  # noqa: F811
    archive: Archive,  # noqa: F811
    elsewhere: Archive,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    place = BackupPlace(str(tmp_path / "backups"))
    made = make_backup(store, archive, place, work_dir=tmp_path)
    move_pictures(store, archive, elsewhere)
    other = Store.open(tmp_path / "b.sqlite3")

    def refuse(*_arguments: Any) -> None:
        raise AssertionError("written anew")

    monkeypatch.setattr(elsewhere, "keep_from", refuse)
    restore_backup(other, elsewhere, place, made.name, work_dir=tmp_path)
    other.close()


def test_a_damaged_source_does_not_replace_what_was_moved_whole(
    store: Store,  # noqa: F811
    archive: Archive,  # noqa: F811
    elsewhere: Archive,
) -> None:
    name = paint(store, archive, ANN, 1)
    whole = archive.original_bytes(name)
    move_pictures(store, archive, elsewhere)
    archive.keep(name, _last_byte(whole))
    moved = move_pictures(store, archive, elsewhere)
    assert (moved.copied, moved.damaged) == (0, [])
    archive.remove(name)
    assert move_pictures(store, archive, elsewhere).missing == []
    assert elsewhere.original_bytes(name) == whole


def test_a_backup_that_was_exchanged_after_it_was_looked_through_is_refused(
    store: Store,  # noqa: F811
    archive: Archive,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    place = BackupPlace(str(tmp_path / "backups"))
    made = make_backup(store, archive, place, work_dir=tmp_path)
    real = restoring.check_backup

    def exchanged(*arguments: Any) -> dict[str, Any]:
        manifest = real(*arguments)
        tar = tmp_path / "backups" / made.name
        sound = next(iter(files_of(archive).values()))
        tar.write_bytes(tar.read_bytes().replace(sound, _last_byte(sound)))
        return manifest

    monkeypatch.setattr(restoring, "check_backup", exchanged)
    other, elsewhere = Store.open(tmp_path / "b.sqlite3"), Archive.open(tmp_path / "elsewhere")
    with pytest.raises(StoreError) as caught:
        restore_backup(other, elsewhere, place, made.name, work_dir=tmp_path)
    assert caught.value.text_id == "error.backup_not_whole"
    other.close()


def test_a_large_file_is_never_held_whole(tmp_path: Path) -> None:
    """Read, compared and copied by pieces; what is held does not grow with the file."""
    first, second = Archive.open(tmp_path / "first"), Archive.open(tmp_path / "second")
    name = "2026/01/01/20260101T000000Z-abcdefabcdef-0.mp3"
    size = 40 * BYTES_AT_ONCE
    with (tmp_path / "large").open("wb") as file:
        file.truncate(size)
    tracemalloc.start()
    try:
        with (tmp_path / "large").open("rb") as file:
            kept = first.keep_from(name, file)
        with first.reading(name) as reading:
            copied = second.keep_from(name, reading)
        assert kept == copied == first.checksum(name) == second.checksum(name)
        assert kept.size_bytes == size
        assert tracemalloc.get_traced_memory()[1] < 4 * BYTES_AT_ONCE
    finally:
        tracemalloc.stop()


def test_a_bucket_that_breaks_off_while_it_is_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket = Archive.open(tmp_path / "parts", url=f"memory://{tmp_path.name}/pictures")
    name = "2026/01/01/20260101T000000Z-abcdefabcdef-0.mp3"
    bucket.keep(name, b"sound")
    assert isinstance(bucket._files, RemoteFiles)

    def breaks(*_arguments: Any, **_options: Any) -> None:
        raise TimeoutError("s3://key:secret@bucket")

    monkeypatch.setattr(bucket._files._files, "open", breaks)
    with pytest.raises(StoreError) as caught:
        bucket.checksum(name)
    assert caught.value.text_id == "error.place_gone"
    assert "secret" not in str(caught.value)
