"""Backups: made while others write, restored anywhere, never taken for whole when they are not."""

import hashlib
import json
import os
import tarfile
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from core.archive.archive import Archive
from core.archive.backup_places import BackupPlace
from core.errors import StoreError
from core.storage.store import Store
from core.work.maintenance.backup import make_backup
from core.work.maintenance.restore import restore_backup
from core.work.maintenance.verification import verify
from tests.conftest import Clock
from tests.unit.maintenance.contents import files_of, paint, rows_of
from tests.unit.storage.old_stores import lay_down

OWNER = "user:ann@example.com"


@pytest.fixture
def place(tmp_path: Path) -> BackupPlace:
    return BackupPlace(str(tmp_path / "backups"))


@pytest.fixture
def filled(store: Store, archive: Archive) -> Store:
    for number in range(3):
        store.conversations.create(OWNER, title=f"题 {number}")
        paint(store, archive, OWNER, number)
    return store


def test_a_backup_comes_back_row_by_row_and_byte_by_byte(
    filled: Store, archive: Archive, place: BackupPlace, tmp_path: Path
) -> None:
    made = make_backup(filled, archive, place, work_dir=tmp_path)
    assert (made.pictures, made.rows["conversations"], made.lost) == (3, 3, [])
    assert place.names() == [made.name]
    other = Store.open(tmp_path / "other" / "inkling.sqlite3")
    pictures = Archive.open(tmp_path / "other" / "pictures")
    back = restore_backup(other, pictures, place, made.name, work_dir=tmp_path)
    assert back.pictures == 3
    assert rows_of(other) == rows_of(filled)
    assert files_of(pictures) == files_of(archive)
    assert verify(other, pictures).is_sound
    # Again into what is filled by now: refused, and nothing is changed.
    with pytest.raises(StoreError) as caught:
        restore_backup(other, pictures, place, made.name, work_dir=tmp_path)
    assert caught.value.text_id == "error.copy_not_empty"
    other.close()
    assert not list(tmp_path.glob("backup-*")) + list(tmp_path.glob("restore-*"))


def test_a_backup_that_is_cut_or_changed_writes_nothing(
    filled: Store, archive: Archive, place: BackupPlace, tmp_path: Path
) -> None:
    made = make_backup(filled, archive, place, work_dir=tmp_path)
    path = tmp_path / "backups" / made.name
    assert path.stat().st_mode & 0o077 == 0
    whole = path.read_bytes()
    said = len(whole.rstrip(b"\0"))  # what stands behind only fills up the last record
    middle = whole.index(b"\x89PNG") + 40
    other = Store.open(tmp_path / "other.sqlite3")
    pictures = Archive.open(tmp_path / "other")
    for broken in (
        whole[: said - 4096],
        whole[:middle],
        whole[:middle] + b"!" + whole[middle + 1 :],
    ):
        path.write_bytes(broken)
        with pytest.raises(StoreError) as caught:
            restore_backup(other, pictures, place, made.name, work_dir=tmp_path)
        assert caught.value.text_id == "error.backup_not_whole"
    assert files_of(pictures) == {}
    assert other.copies.counts()["conversations"] == 0
    other.close()


def test_a_restore_that_was_cut_is_begun_again(
    filled: Store,
    archive: Archive,
    place: BackupPlace,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = make_backup(filled, archive, place, work_dir=tmp_path)
    other = Store.open(tmp_path / "other.sqlite3")
    pictures = Archive.open(tmp_path / "other")
    keep, kept = Archive.keep_from, 0

    def keep_two(self: Archive, name: str, source: Any) -> Any:
        nonlocal kept
        if kept == 2:
            raise StoreError("error.store_full", facts={"place": "here"})
        kept += 1
        return keep(self, name, source)

    with monkeypatch.context() as patch:
        patch.setattr(Archive, "keep_from", keep_two)
        with pytest.raises(StoreError):
            restore_backup(other, pictures, place, made.name, work_dir=tmp_path)
    restore_backup(other, pictures, place, made.name, work_dir=tmp_path)
    assert files_of(pictures) == files_of(archive)
    assert rows_of(other) == rows_of(filled)
    other.close()


def test_a_backup_of_an_earlier_version_is_brought_up_to_date(
    archive: Archive, place: BackupPlace, tmp_path: Path
) -> None:
    old = lay_down("v4", tmp_path / "old.sqlite3")
    (tmp_path / "backups").mkdir()
    digest = hashlib.sha256(old.read_bytes()).hexdigest()
    files = {"store.sqlite3": {"size": old.stat().st_size, "sha256": digest}}
    manifest = tmp_path / "manifest.json"
    manifest.write_text(json.dumps({"format": 1, "made_at": "then", "files": files}))
    with tarfile.open(tmp_path / "backups" / "inkling-old.tar", "w") as tar:
        tar.add(old, "store.sqlite3")
        tar.add(manifest, "manifest.json")
    today = Store.open(lay_down("v4", tmp_path / "today.sqlite3"))
    other = Store.open(tmp_path / "other.sqlite3")
    restore_backup(other, archive, place, "inkling-old.tar", work_dir=tmp_path)
    assert rows_of(other)["messages"] == rows_of(today)["messages"]
    today.close()
    other.close()


def test_what_is_lost_is_told_and_what_is_purged_meanwhile_is_not(
    filled: Store,
    archive: Archive,
    place: BackupPlace,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lost, purged, _ = sorted(archive.names())
    archive.remove(lost)
    read = Archive.reading

    def purge_then_read(self: Archive, name: str) -> Any:
        if name == purged and archive.exists(purged):
            archive.remove(purged)
            (gone,) = [one for one in filled.copies.archived() if one.name == purged]
            filled.gallery.delete_pictures(OWNER, [gone.picture_id])
            filled.gallery.forget_pictures([gone.picture_id])
        return read(self, name)

    monkeypatch.setattr(Archive, "reading", purge_then_read)
    made = make_backup(filled, archive, place, work_dir=tmp_path)
    assert made.lost == [lost]
    assert (made.pictures, made.rows["pictures"]) == (1, 2)
    found = verify(filled, archive)
    assert (found.missing, found.damaged, found.is_sound) == ([lost], [], False)


def test_a_full_disk_leaves_no_half_backup(
    filled: Store, archive: Archive, small_disk: Path, tmp_path: Path
) -> None:
    (small_disk / "filler").write_bytes(os.urandom(900_000))
    place = BackupPlace(str(small_disk / "backups"))
    with pytest.raises(StoreError) as caught:
        make_backup(filled, archive, place, work_dir=tmp_path)
    assert caught.value.text_id == "error.store_full"
    assert list((small_disk / "backups").iterdir()) == []


@pytest.fixture
def made(
    filled: Store, archive: Archive, place: BackupPlace, tmp_path: Path
) -> Callable[[datetime], str]:
    """Make a backup when a clock says so; its name."""
    return lambda moment: make_backup(filled, archive, place, work_dir=tmp_path, now=moment).name


def test_a_clock_that_was_ahead_costs_no_backup_that_is_made_when_it_is_right_again(
    clock: Clock, place: BackupPlace, made: Callable[[datetime], str]
) -> None:
    now = clock.now
    old = made(now - timedelta(days=1))
    ahead = [made(now + timedelta(days=40 + day)) for day in range(3)]
    first = made(now)
    assert place.prune(3, made=first) == 1
    assert place.names() == [ahead[2], ahead[1], first, old]
    later = [made(now + timedelta(hours=hour)) for hour in (1, 2, 3)]
    assert place.prune(3, made=later[2]) == 3
    assert place.names() == [ahead[2], *later[::-1]]


def test_a_clock_that_is_behind_costs_no_more_than_what_was_made_by_it(
    clock: Clock, place: BackupPlace, made: Callable[[datetime], str]
) -> None:
    good = [made(clock.now + timedelta(days=day)) for day in range(4)]
    for hour in range(3):
        behind = made(clock.now - timedelta(days=30, hours=-hour))
        place.prune(4, made=behind)
        assert {good[3], behind} <= set(place.names())
        assert len(place.names()) == 5
        assert hour or set(good) < set(place.names())
    right = made(clock.now + timedelta(days=4))
    place.prune(4, made=right)
    assert place.names()[:2] == [right, good[3]]


def test_a_bucket_holds_backups_too_and_only_the_newest(
    filled: Store, archive: Archive, clock: Clock, tmp_path: Path
) -> None:
    place = BackupPlace(f"memory://{tmp_path.name}/backups")
    made = []
    for _ in range(3):
        now = clock.advance(60)
        made.append(make_backup(filled, archive, place, work_dir=tmp_path, now=now).name)
    assert place.names() == made[::-1]
    assert place.prune(2, made=made[2]) == 1
    assert place.names() == made[:0:-1]
    other = Store.open(tmp_path / "other.sqlite3")
    restore_backup(other, archive, place, made[2], work_dir=tmp_path)
    assert rows_of(other) == rows_of(filled)
    other.close()
