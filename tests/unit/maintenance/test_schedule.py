"""The schedule of backups: due by a clock that may be wrong, going on whatever one ends with."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.archive.archive import Archive
from core.archive.backup_places import BackupPlace
from core.errors import AppError, StoreError
from core.settings.operations import BackupSettings
from core.storage.store import Store
from core.work.maintenance import schedule as scheduling
from core.work.maintenance.backup import make_backup
from core.work.maintenance.schedule import BackupSchedule
from tests.conftest import Clock


def test_of_several_processes_one_makes_each_backup_that_is_due(
    open_store: Callable[..., Store], archive: Archive, clock: Clock, tmp_path: Path
) -> None:
    settings = BackupSettings(str(tmp_path / "backups"), hours=24, keep=2)
    schedules = [
        BackupSchedule(open_store(), archive, lambda: settings, work_dir=tmp_path, clock=clock)
        for _ in range(2)
    ]
    place = BackupPlace(str(tmp_path / "backups"))
    for days in range(4):
        assert [one.make_if_due() for one in schedules] == [True, False]
        assert len(place.names()) == min(days + 1, 2)
        last = schedules[1].last()
        assert last is not None
        assert (last.state, last.name) == ("made", place.names()[0])
        clock.advance(24 * 3600)
        schedules.reverse()


def test_a_backup_that_failed_is_told_and_tried_again_after_an_hour(
    store: Store, archive: Archive, clock: Clock, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    where = [str(tmp_path / "file" / "backups")]
    schedule = BackupSchedule(
        store, archive, lambda: BackupSettings(where[0]), work_dir=tmp_path, clock=clock
    )
    with pytest.raises(StoreError):
        schedule.make_if_due()
    last = schedule.last()
    assert last is not None
    assert (last.state, last.error_text_id) == ("failed", "error.store_unmade")
    where[0] = str(tmp_path / "backups")
    assert not schedule.make_if_due()
    clock.advance(3601)
    assert schedule.make_if_due()


@pytest.fixture
def place(tmp_path: Path) -> BackupPlace:
    return BackupPlace(str(tmp_path / "backups"))


@pytest.fixture
def schedule(store: Store, archive: Archive, clock: Clock, tmp_path: Path) -> BackupSchedule:
    settings = BackupSettings(str(tmp_path / "backups"), hours=24, keep=1)
    return BackupSchedule(store, archive, lambda: settings, work_dir=tmp_path, clock=clock)


def test_a_clock_that_was_ahead_holds_no_backup_back(
    schedule: BackupSchedule, clock: Clock, place: BackupPlace
) -> None:
    clock.advance(3650 * 24 * 3600)
    assert schedule.make_if_due()
    clock.advance(-3650 * 24 * 3600)
    assert schedule.make_if_due()
    clock.advance(-60)  # another process's clock
    assert not schedule.make_if_due()


def test_a_backup_that_was_made_is_made_where_older_ones_may_not_be_removed(
    schedule: BackupSchedule, clock: Clock, place: BackupPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_self: BackupPlace, _keep: int, *, made: str) -> int:
        raise StoreError("error.store_readonly", facts={"place": made})

    monkeypatch.setattr(BackupPlace, "prune", refuse)
    for _ in range(2):
        assert schedule.make_if_due()
        last = schedule.last()
        assert last is not None
        assert (last.state, last.error_text_id) == ("made", "error.store_readonly")
        clock.advance(3601)
        assert not schedule.make_if_due()
        clock.advance(24 * 3600)
    assert len(place.names()) == 2


def test_whatever_one_ends_with_the_next_one_is_made(
    schedule: BackupSchedule, clock: Clock, place: BackupPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert schedule.make_if_due()
    first = schedule.last()
    assert first is not None
    make: Any = make_backup
    ended: list[bool] = []

    def break_once(*arguments: object, **more: object) -> object:
        if not ended:
            ended.append(True)
            raise KeyError("nobody thought of this")
        return make(*arguments, **more)

    monkeypatch.setattr(scheduling, "make_backup", break_once)
    monkeypatch.setattr(scheduling, "LOOK_EVERY_S", 0.01)
    clock.advance(24 * 3600)

    async def look_on() -> None:
        running = asyncio.create_task(schedule.run())
        while (last := schedule.last()) is None or last.state != "failed":
            await asyncio.sleep(0.01)
        assert (last.error_text_id, last.made_at) == (AppError().text_id, first.begun_at)
        clock.advance(3601)
        while (last := schedule.last()) is None or last.state != "made":
            await asyncio.sleep(0.01)
        assert last.made_at == last.begun_at > first.begun_at
        running.cancel()

    asyncio.run(look_on())


def make_older(folder: Path) -> None:
    """Make a folder more than a day older, by the clock of whoever keeps it: not by ours."""
    os.utime(folder, (folder.stat().st_mtime - 90_000,) * 2)


def test_what_killed_backups_left_behind_goes(
    schedule: BackupSchedule, clock: Clock, place: BackupPlace, tmp_path: Path
) -> None:
    assert schedule.make_if_due()
    left = tmp_path / "backups" / f"inkling-{clock():%Y%m%dT%H%M%SZ}.tar.{'0a' * 16}.part"
    own = tmp_path / "backups" / "notes.part"
    rows = [tmp_path / f"{kind}-lef_t012" for kind in ("backup", "restore")]
    for folder in rows:
        folder.mkdir()
        (folder / "store.sqlite3").write_bytes(b"everybody's rows")
        make_older(folder)
    under_way = tmp_path / "backup-un_derwa"
    under_way.mkdir()
    named_alike = tmp_path / "backup-personal"
    named_alike.mkdir()
    (named_alike / "letters.zip").write_bytes(b"somebody's own")
    make_older(named_alike)
    for file in (left, own):
        file.write_bytes(b"half")
    clock.advance(24 * 3600)
    assert schedule.make_if_due()
    assert left.exists()  # it may still be under way
    clock.advance(24 * 3600)
    assert schedule.make_if_due()
    assert (left.exists(), own.exists(), under_way.exists()) == (False, True, True)
    assert (named_alike / "letters.zip").exists()
    assert not any(folder.exists() for folder in rows)
