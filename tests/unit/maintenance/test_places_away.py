"""Buckets that do not answer or refuse: told of the bucket, in a sentence, and never as a crash."""

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.archive.archive import Archive
from core.archive.backup_places import BackupPlace
from core.errors import StoreError
from core.storage.store import Store
from core.work.maintenance.backup import make_backup
from core.work.maintenance.restore import check_backup, restore_backup
from tests.unit.maintenance.contents import paint

ANN = "user:ann@example.com"
Ask = Callable[[Path], object]


def _backup_names(_tmp: Path) -> object:
    return BackupPlace("s3://bucket/backups").names()


def _backup_new(_tmp: Path) -> object:
    with BackupPlace("s3://bucket/backups").new("inkling-20260101T000000Z.tar") as file:
        return file.write(b"content")


def _backup_read(_tmp: Path) -> object:
    return check_backup(BackupPlace("s3://bucket/backups"), "inkling-20260101T000000Z.tar")


def _archive_opened(tmp: Path) -> object:
    return Archive.open(tmp / "parts", url="s3://bucket/pictures")


@pytest.mark.parametrize("keys", [{}, {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}])
@pytest.mark.parametrize("ask", [_backup_names, _backup_new, _backup_read, _archive_opened])
def test_a_bucket_that_cannot_be_reached_is_named(
    ask: Ask, keys: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    nobody = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_MAX_ATTEMPTS": "1"}
    for name, value in (nobody | keys | {"AWS_EC2_METADATA_DISABLED": "true"}).items():
        monkeypatch.setenv(name, value)
    import s3fs  # noqa: PLC0415 - only this test needs it

    s3fs.S3FileSystem.clear_instance_cache()  # one that was made with other keys
    with pytest.raises(StoreError) as caught:
        ask(tmp_path)
    s3fs.S3FileSystem.clear_instance_cache()
    assert caught.value.text_id == "error.place_gone"
    assert str(caught.value.facts["place"]).startswith("s3://bucket/")


@pytest.fixture
def made(store: Store, archive: Archive, tmp_path: Path) -> tuple[BackupPlace, str]:
    paint(store, archive, ANN, 1)
    place = BackupPlace(str(tmp_path / "backups"))
    return place, make_backup(store, archive, place, work_dir=tmp_path).name


def test_a_backup_that_is_not_there_is_not_a_failing_disk(
    made: tuple[BackupPlace, str], tmp_path: Path
) -> None:
    with pytest.raises(StoreError) as caught:
        check_backup(made[0], "inkling-mistyped.tar")
    assert caught.value.text_id == "error.backup_none"
    assert caught.value.facts["place"] == str(tmp_path / "backups" / "inkling-mistyped.tar")


def test_a_full_work_folder_is_told_of_that_folder(
    made: tuple[BackupPlace, str],
    store: Store,
    archive: Archive,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    place, name = made
    work = tmp_path / "work"
    work.mkdir()
    opened = open

    def full(file: Any, mode: str = "r", *rest: Any, **more: Any) -> Any:
        if "w" in mode and Path(file).is_relative_to(work):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(file))
        return opened(file, mode, *rest, **more)

    other = Store.open(tmp_path / "other.sqlite3")
    with monkeypatch.context() as patch:
        patch.setattr("builtins.open", full)
        with pytest.raises(StoreError) as caught:
            restore_backup(other, archive, place, name, work_dir=work)
    other.close()
    assert (caught.value.text_id, caught.value.facts) == ("error.store_full", {"place": str(work)})


def test_a_backup_for_which_there_is_no_room_does_not_speak_of_a_migration(
    store: Store, archive: Archive, small_disk: Path, tmp_path: Path
) -> None:
    (small_disk / "filler").write_bytes(os.urandom(900_000))
    place = BackupPlace(str(tmp_path / "backups"))
    with pytest.raises(StoreError) as caught:
        make_backup(store, archive, place, work_dir=small_disk)
    assert caught.value.text_id == "error.store_full"
    assert place.names() == []
