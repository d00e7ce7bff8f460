"""Sounds that were read aloud: no row of a picture tells of them, and they are kept likewise."""

import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from core.archive.archive import Archive, sound_name
from core.archive.backup_places import BackupPlace
from core.models.generations import GenerationStatus
from core.models.speech import SpeechRequest
from core.practice.speech.voice import tones
from core.storage.db.schema import generations
from core.storage.store import Store
from core.wire.audio import mp3_from
from core.work.maintenance.backup import make_backup
from core.work.maintenance.people import delete_person, export_person
from core.work.maintenance.picture_move import move_pictures
from core.work.maintenance.pruning import prune
from core.work.maintenance.restore import restore_backup
from core.work.maintenance.verification import verify
from tests.unit.maintenance.contents import files_of

OWNER = "user:ann@example.com"
KEPT = [timedelta(days=20), timedelta(seconds=3)]


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive.open(tmp_path / "pictures")


@pytest.fixture
def store(tmp_path: Path, archive: Archive) -> Iterator[Store]:
    """A store with two texts that were read aloud, an old one and a new one."""
    store = Store.open(tmp_path / "a.sqlite3")
    for number, ago in enumerate(KEPT):
        said = store.intents.create(
            OWNER, SpeechRequest(f"你好 {number}。", voice_id="ai_kaiya"), provider="kling"
        )
        ended = {
            "status": GenerationStatus.ARCHIVED.value,
            "created_at": datetime.now(UTC) - ago,
            "task_id": f"task {number}",
        }
        with store._database.write() as connection:
            connection.execute(
                update(generations).where(generations.c.id == said.id).values(**ended)
            )
        row = store.generations.load(said.id)
        assert row is not None
        part = archive.new_part()
        part.write_bytes(mp3_from(tones(f"你好 {number}")))
        archive.adopt_sound(part, sound_name(row))
    yield store
    store.close()


def test_they_outlive_pruning(store: Store, archive: Archive) -> None:
    before = files_of(archive)
    assert len(before) == len(KEPT)
    prune(store, archive, older_than=timedelta(days=1))
    assert files_of(archive) == before


def test_they_are_in_a_backup_and_come_back(store: Store, archive: Archive, tmp_path: Path) -> None:
    place = BackupPlace(str(tmp_path / "backups"))
    made = make_backup(store, archive, place, work_dir=tmp_path)
    assert (made.pictures, made.lost) == (len(KEPT), [])
    other, elsewhere = Store.open(tmp_path / "b.sqlite3"), Archive.open(tmp_path / "elsewhere")
    restore_backup(other, elsewhere, place, made.name, work_dir=tmp_path)
    assert files_of(elsewhere) == files_of(archive)
    assert verify(other, elsewhere) == verify(store, archive)
    other.close()


def test_one_that_is_gone_is_told(store: Store, archive: Archive) -> None:
    assert verify(store, archive).is_sound
    name = sorted(files_of(archive))[0]
    archive.remove(name)
    assert verify(store, archive).missing == [name]


def test_they_move_and_are_not_moved_twice(store: Store, archive: Archive, tmp_path: Path) -> None:
    elsewhere = Archive.open(tmp_path / "elsewhere")
    assert move_pictures(store, archive, elsewhere).copied == len(KEPT)
    assert files_of(elsewhere) == files_of(archive)
    assert move_pictures(store, archive, elsewhere).there == len(KEPT)


def test_they_go_with_their_person(store: Store, archive: Archive, tmp_path: Path) -> None:
    export_person(store, archive, OWNER, tmp_path / "ann.zip")
    with zipfile.ZipFile(tmp_path / "ann.zip") as file:
        assert len([one for one in file.namelist() if one.startswith("sounds/")]) == len(KEPT)
    delete_person(store, archive, OWNER)
    assert files_of(archive) == {}
