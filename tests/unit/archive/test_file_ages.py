"""Ages of files while clocks jump, and where a NAS has a clock of its own."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.archive.file_ages import FileAges, folder_time

DAY = 86_400.0


class Clock:
    """A monotonic clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def watched(folder: Path) -> tuple[Clock, FileAges, Path]:
    """Return the ages of a folder's files by a clock of one's own, and one file in it."""
    clock, path = Clock(), folder / "one"
    path.write_bytes(b"x")
    return clock, FileAges(folder, monotonic=clock), path


def shift(path: Path, by_s: float) -> None:
    """Move a file's time of change, as a jump of the clock makes it look."""
    at = path.stat().st_mtime + by_s
    os.utime(path, (at, at))


@pytest.mark.parametrize("jump_s", [-40 * DAY, -10_800.0, 10_800.0, 40 * DAY])
def test_a_file_that_changes_while_it_is_watched_is_young_whatever_the_clock_says(
    tmp_path: Path, jump_s: float
) -> None:
    clock, ages, path = watched(tmp_path)
    assert ages.age_s(path) < 5
    for size in range(2, 6):
        clock.now += 7
        path.write_bytes(b"x" * size)
        shift(path, -jump_s)
        assert ages.age_s(path) <= 7


def test_a_file_that_was_left_is_old_at_first_sight_and_grows_older(tmp_path: Path) -> None:
    clock, ages, path = watched(tmp_path)
    shift(path, -2 * DAY)
    assert 2 * DAY - 5 < ages.age_s(path) < 2 * DAY + 60
    clock.now += DAY
    assert 3 * DAY - 5 < ages.age_s(path) < 3 * DAY + 60


def test_a_file_of_the_future_grows_old_too(tmp_path: Path) -> None:
    clock, ages, path = watched(tmp_path)
    shift(path, 3 * 3600)  # a clock that was put back
    assert ages.age_s(path) == 0
    clock.now += 16
    assert ages.age_s(path) == 16


def test_what_is_gone_is_told_as_such_and_forgotten(tmp_path: Path) -> None:
    clock, ages, path = watched(tmp_path)
    ages.age_s(path)
    path.unlink()
    with pytest.raises(FileNotFoundError):
        ages.age_s(path)
    clock.now += DAY
    path.write_bytes(b"y")
    assert ages.age_s(path) < 5


@given(st.lists(st.tuples(st.floats(0, DAY), st.floats(-50 * DAY, 50 * DAY)), max_size=8))
def test_no_jump_makes_a_watched_file_older_than_it_was_watched(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[float, float]]
) -> None:
    clock, ages, path = watched(tmp_path_factory.mktemp("ages"))
    began, first = clock.now, ages.age_s(path)
    for passed_s, jump_s in steps:
        clock.now += passed_s
        shift(path, jump_s)
        assert 0 <= ages.age_s(path) <= first + clock.now - began + 1e-6


def test_a_folder_tells_its_own_time_and_keeps_nothing(tmp_path: Path) -> None:
    path = tmp_path / "one"
    path.write_bytes(b"x")
    assert abs(folder_time(tmp_path) - path.stat().st_mtime) < 5
    assert [one.name for one in tmp_path.iterdir()] == ["one"]
    assert folder_time(tmp_path / "missing") > 0


@pytest.mark.parametrize("jump_s", [-40 * DAY, 40 * DAY])
def test_what_we_change_ourselves_is_young_though_nobody_looked_before(
    tmp_path: Path, jump_s: float
) -> None:
    clock, ages, path = watched(tmp_path)
    shift(path, jump_s)  # by when it is written the clock is wrong
    ages.touched(path)
    clock.now += 3
    assert ages.age_s(path) == 3
    ages.touched(tmp_path / "missing")


def test_files_that_are_gone_are_forgotten(tmp_path: Path) -> None:
    clock = Clock()
    ages = FileAges(tmp_path, monotonic=clock)
    kept, gone = tmp_path / "kept", tmp_path / "gone"
    for path in (kept, gone):
        path.write_bytes(b"x")
        ages.touched(path)
    clock.now += DAY
    gone.unlink()
    ages.forget_gone()
    gone.write_bytes(b"y")
    assert ages.age_s(kept) == DAY
    assert ages.age_s(gone) < 5
