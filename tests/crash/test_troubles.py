"""A disk that is full, a folder that turns read-only, a database that is locked or goes away."""

import sqlite3
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from core.models.generations import Generation, GenerationStatus
from tests.crash.fake_kling import FakeKling, Plan
from tests.crash.workshop import DEADLINE_S, SHORT, Workshop, wait_for

S = GenerationStatus


@pytest.fixture
def fake() -> Iterator[FakeKling]:
    with FakeKling(Plan(runs_s=lambda number: 0.6)) as kling:
        yield kling


@pytest.fixture
def open_workshop(tmp_path: Path, fake: FakeKling) -> Iterator[Callable[..., Workshop]]:
    opened: list[Workshop] = []

    def open_one(**options: Any) -> Workshop:
        opened.append(Workshop(options.pop("folder", tmp_path / "data"), fake.origin, **options))
        return opened[-1].start()

    yield open_one
    for each in opened:
        each.close()


def trouble_of(workshop: Workshop, wish: Generation) -> str:
    blocking_error = wait_for(lambda: workshop.generations.blocking_error(wish.id), "a reason")
    assert str(blocking_error)
    return str(blocking_error.text_id)


def assert_all_arrived(workshop: Workshop, fake: FakeKling) -> None:
    for row in workshop.wait_until_all_done():
        assert row.status is S.ARCHIVED
        assert fake.seen.accepted[row.external_task_id] == 1
        for picture in row.pictures:
            sent = fake.picture(str(row.task_id), picture.index)
            assert workshop.archive.original_bytes(picture.name) == sent


def test_a_full_disk_is_said_and_fills_up_no_further_and_then_it_goes_on(
    open_workshop: Callable[..., Workshop], small_disk: Path, fake: FakeKling
) -> None:
    workshop = open_workshop(archive=small_disk / "pictures")
    fake.hold()
    wish = workshop.ask(n=4)
    ballast = small_disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        _fill(file)
        fake.let_go()
        assert trouble_of(workshop, wish) in ("error.archive_write", "error.store_full")
        fetched = fake.seen.fetches
        wait_for(lambda: fake.seen.fetches > fetched + 8, "several more tries")
        parts = sum(each.stat().st_size for each in small_disk.glob("pictures/parts/*"))
        assert parts < 64 * 1024
    ballast.unlink()
    workshop.wait_until(wish, S.ARCHIVED)
    assert_all_arrived(workshop, fake)
    assert list((small_disk / "pictures" / "parts").iterdir()) == []


def _fill(file: Any) -> None:
    for size in (65_536, 4_096, 512):
        while True:
            try:
                if file.write(bytes(size)) < size:
                    break
            except OSError:
                break


def test_a_folder_that_turns_read_only_is_said_and_then_it_goes_on(
    open_workshop: Callable[..., Workshop], small_disk: Path, fake: FakeKling
) -> None:
    workshop = open_workshop(archive=small_disk / "pictures")
    fake.hold()
    wish = workshop.ask(n=2)
    _remount(small_disk, "ro")
    try:
        fake.let_go()
        assert trouble_of(workshop, wish) in ("error.archive_write", "error.store_readonly")
        assert workshop.row(wish).status is S.SUCCEEDED
    finally:
        _remount(small_disk, "rw")
    workshop.wait_until(wish, S.ARCHIVED)
    assert workshop.generations.blocking_error(wish.id) is None
    assert_all_arrived(workshop, fake)


def _remount(folder: Path, mode: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{mode}", str(folder)], check=True)


class StopAt:
    """Holds Kling at a moment until the trouble is there: nothing is over before it begins."""

    def __init__(self, moment: str, fake: FakeKling) -> None:
        self.reached, self.goes_on = threading.Event(), threading.Event()
        self._moment = moment
        fake.hook = self._stop

    def _stop(self, moment: str) -> None:
        if moment == self._moment:
            self.reached.set()
            self.goes_on.wait(DEADLINE_S)


@pytest.mark.parametrize("moment", ["post-received", "picture-asked"])
def test_a_locked_database_is_said_and_then_it_goes_on(
    open_workshop: Callable[..., Workshop], tmp_path: Path, fake: FakeKling, moment: str
) -> None:
    workshop = open_workshop(busy_timeout_s=0.2, timings=SHORT)
    stop = StopAt(moment, fake)
    wish = workshop.ask(n=2)
    assert stop.reached.wait(DEADLINE_S)
    other = sqlite3.connect(tmp_path / "data" / "inkling.db", isolation_level=None, timeout=60)
    other.execute("BEGIN IMMEDIATE")
    stop.goes_on.set()
    try:
        assert trouble_of(workshop, wish) == "error.store_locked"
        # Longer than a lease: what was under way is let go, and taken up again afterwards.
        wait_for(lambda: not workshop.worker._drivers, "the lease to run out")
        assert trouble_of(workshop, wish) == "error.store_locked"
    finally:
        other.execute("ROLLBACK")
        other.close()
    workshop.wait_until(wish, S.ARCHIVED)
    wait_for(lambda: workshop.generations.blocking_error(wish.id) is None, "the trouble to be over")
    assert_all_arrived(workshop, fake)


@pytest.fixture
def own_postgres(postgres: Any) -> Iterator[tuple[str, Callable[[bool], None]]]:
    """A database of this test's own, and a switch that lets nobody in and throws everybody out."""
    uri = postgres.get_uri()
    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute("CREATE DATABASE workshop")

        def switch(is_on: bool) -> None:
            connection.execute(f"ALTER DATABASE workshop ALLOW_CONNECTIONS {is_on}")
            if not is_on:
                connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = 'workshop'"
                )

        try:
            yield uri.replace("/postgres?", "/workshop?"), switch
        finally:
            connection.execute("DROP DATABASE workshop WITH (FORCE)")


@pytest.mark.postgres
@pytest.mark.parametrize("moment", ["post-received", "poll"])
def test_a_database_that_goes_away_is_said_and_then_it_goes_on(
    open_workshop: Callable[..., Workshop],
    own_postgres: tuple[str, Callable[[bool], None]],
    fake: FakeKling,
    moment: str,
) -> None:
    url, switch = own_postgres
    workshop = open_workshop(store_url=url, timings=SHORT)
    stop = StopAt(moment, fake)
    wishes = [workshop.ask(n=2) for _ in range(3)]
    assert stop.reached.wait(DEADLINE_S)
    switch(False)
    stop.goes_on.set()
    try:
        assert trouble_of(workshop, wishes[0]) == "error.store_gone"
        wait_for(lambda: not workshop.worker._drivers, "the lease to run out")
    finally:
        switch(True)
    assert_all_arrived(workshop, fake)
    blocking_error = workshop.generations.blocking_error
    wait_for(lambda: not any(blocking_error(wish.id) for wish in wishes), "the trouble to be over")
