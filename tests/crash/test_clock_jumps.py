"""A wall clock that jumps: nothing is given up for it, and nothing deleted."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from core.archive.archive import Archive
from core.models.generations import Generation, GenerationStatus, ImageRequest
from core.storage.store import Store
from core.work.housekeeping import Housekeeping
from tests.crash.fake_kling import FakeKling, Plan
from tests.crash.fake_speech import FakeSpeech
from tests.crash.workshop import OWNER, QUICK, SHORT, Workshop, wait_for
from tests.modules import ROOT

S = GenerationStatus
# What stands still does so for hours; minutes are only for a machine that is very slow.
LONGEST_S = 240.0
ROADS = [
    "",
    "sending",
    "sending uncertain",
    "sending submitted",
    "sending submitted processing",
    "sending submitted succeeded",
]


@pytest.fixture
def fake() -> Iterator[FakeKling]:  # the workshop's, too
    with FakeKling(Plan(runs_s=lambda number: 2.0)) as kling:
        yield kling


class Studio:
    """The runner in a process whose clock a file decides."""

    def __init__(self, folder: Path, origin: str, jumped: str = "+0", **wishes: object) -> None:
        self.offset = folder / "offset"
        self.data = folder / "data"
        self.data.mkdir(exist_ok=True)
        self.set(jumped)
        told = {"data_dir": str(self.data), "origin": origin, "longest_s": LONGEST_S, **wishes}
        environment = os.environ | {
            "LD_PRELOAD": _library(),
            "FAKETIME_TIMESTAMP_FILE": str(self.offset),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_FORCE_MONOTONIC_FIX": "0",  # else waits end at once, as in tests.moments
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.runner", json.dumps(told)],
            cwd=ROOT,
            env=environment,
        )

    def comes_to_its_end(self) -> bool:
        """Wait until everything that was asked for has ended; kill what takes for ever."""
        try:
            return self.process.wait(LONGEST_S + 30.0) == 0
        finally:
            self.process.kill()
            self.process.wait()

    def set(self, offset: str) -> None:
        """Let the clock jump."""
        self.offset.write_text(offset)


def _library() -> str:
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    if not found:
        pytest.skip("libfaketime is not installed")
    return str(found[0])


@pytest.mark.parametrize(
    ("jump", "post"),
    [("+40d", ""), ("-3h", ""), ("+40d", "hidden/after"), ("-3h", "html/before")],
)
def test_tasks_that_run_while_the_clock_jumps_are_all_archived(
    tmp_path: Path, fake: FakeKling, jump: str, post: str
) -> None:
    fake.plan.post, fake.plan.hides_s = post, 0.5
    fake.plan.post_times_in_all = 2
    studio = Studio(tmp_path, fake.origin, intents=[1] * 5)
    try:
        wait_for(lambda: fake.seen.posts.total() >= 3, "several are sent")
        studio.set(jump)
    finally:
        has_ended = studio.comes_to_its_end()
    assert has_ended
    store = Store.open(studio.data / "inkling.sqlite3")
    try:
        rows = store.generation_lists.list(OWNER, limit=100).items
        assert [(row.status, row.error_text_id) for row in rows] == [(S.ARCHIVED, None)] * 5
        assert sorted(fake.seen.accepted.values()) == [1] * 5
    finally:
        store.close()


@pytest.mark.parametrize(("jump", "fault"), [("+40d", "404"), ("+40d", "cut")])
def test_a_sound_whose_link_fails_once_behind_a_jump_is_fetched_again(
    tmp_path: Path, jump: str, fault: str
) -> None:
    with FakeSpeech(Plan(pictures=fault)) as fake:
        at = "move-submitted/after"
        dies = Studio(tmp_path, fake.origin, speech=["说一句话。"], lease_s=30.0, die_at=at)
        dies.process.wait(LONGEST_S)
        lives = Studio(tmp_path, fake.origin, jump, speech=["说一句话。"])
        assert lives.comes_to_its_end()
        store = Store.open(lives.data / "inkling.sqlite3")
        try:
            row = store.generations.find_by_key(OWNER, "-0")
            assert row is not None
            history = store.generations.history(OWNER, row.id)
            assert (row.status, row.error_text_id) == (S.ARCHIVED, None), history
        finally:
            store.close()
        assert fake.seen.accepted.total() == 1


@pytest.mark.parametrize("ahead", ["+1h", "-1h", "+40d"])
def test_a_host_of_another_clock_takes_nothing_from_who_works_on_it(
    tmp_path: Path, fake: FakeKling, ahead: str
) -> None:
    """Two hosts at one database; the other one's claims go on for several leases of ours."""
    fake.plan.runs_s = lambda number: 3 * SHORT.lease_s if number == 0 else 0.5
    (data := tmp_path / "data").mkdir()
    shared: dict[str, Any] = {
        "store_url": f"sqlite:///{data}/inkling.sqlite3",
        "archive": data / "pictures",
    }
    with Workshop(tmp_path, fake.origin, key="ours", timings=SHORT, **shared) as one:
        ours = one.ask()
        one.wait_until(ours, S.PROCESSING)
        other = Studio(
            tmp_path, fake.origin, ahead, intents=[1] * 3, key="theirs", lease_s=SHORT.lease_s
        )
        assert other.comes_to_its_end()
        assert one.wait_until(ours, S.ARCHIVED).error_text_id is None
    names = {ours.external_task_id, one.row(ours).task_id}
    assert {key for _, key, name in fake.seen.polls if name in names} == {"ours"}
    assert sorted(fake.seen.accepted.values()) == [1] * 4


@pytest.mark.parametrize("holder", ["nobody", "us", "the dead"])
def test_what_was_under_way_before_the_clock_was_set_back_goes_on(
    tmp_path: Path, fake: FakeKling, holder: str
) -> None:
    """Every state a row can be in; its lease and its plan end hours from now, and no date of its
    last change tells that."""
    moments = [datetime.now(UTC) + timedelta(hours=3)]
    before = Store.open(tmp_path / "inkling.db", clock=lambda: moments[-1])
    workshop = Workshop(tmp_path, fake.origin, timings=SHORT)  # not alone at the database
    holder_id = workshop.process_id if holder == "us" else "gone"
    sent = [_under_way(before, fake, road, holder_id, moments[-1]) for road in ROADS]
    moments.append(datetime.now(UTC))
    for row in sent:
        before.generations.move(
            row.id, to=row.status, expect={row.status}, next_check_at=moments[0]
        )
        if holder == "nobody":
            before.leases.release(row.id, holder_id, next_check_at=moments[0])
    with workshop:
        rows = workshop.wait_until_all_done()
        before.close()
        assert [(row.status, row.error_text_id) for row in rows] == [(S.ARCHIVED, None)] * 6
        assert [fake.seen.accepted[row.external_task_id] for row in sent] == [1, 1, 1, 0, 0, 0]


def _under_way(
    store: Store, fake: FakeKling, road: str, holder_id: str, moment: datetime
) -> Generation:
    """Lead a new wish along a road, under a lease of this process."""
    row = store.intents.create(OWNER, ImageRequest("a hill"), provider="kling")
    store.leases.claim_due(holder_id, now=moment, limit=9, lease_s=QUICK.lease_s, statuses=set(S))
    moved: Generation | None = row
    for step in road.split():
        if step == "sending":
            moved = store.generations.mark_sending(row.id, holder_id)
        else:
            task_id = fake.add_task(row.external_task_id).task_id if step == "submitted" else None
            moved = store.generations.move(row.id, to=S(step), expect=set(S), task_id=task_id)
    assert moved is not None
    return moved


def test_who_asks_after_the_clock_was_set_back_waits_behind_those_who_asked_before(
    workshop: Workshop, tmp_path: Path, fake: FakeKling
) -> None:
    fake.plan = Plan(cap=1)
    fake.hold()
    wishes = []
    for hours in (3, 3, 0):
        store = Store.open(tmp_path / "inkling.db", clock=_ahead(hours))
        wishes.append(store.intents.create(OWNER, ImageRequest("a hill"), provider="kling"))
        store.close()
        wait_for(lambda: wishes[-1].id in workshop.worker._drivers, "its place in the queue")
    fake.let_go()
    workshop.wait_until_all_done()
    sent = sorted(fake.tasks.values(), key=lambda task: task.accepted_at)
    assert [task.external_task_id for task in sent] == [one.external_task_id for one in wishes]


def _ahead(hours: float) -> Callable[[], datetime]:
    return lambda: datetime.now(UTC) + timedelta(hours=hours)


def test_what_kling_denies_for_a_moment_is_not_given_up_by_an_old_date(
    tmp_path: Path, fake: FakeKling
) -> None:
    """A machine whose clock says that the task was sent forty days ago."""
    task_row = _submitted_long_ago(tmp_path, fake)
    task = fake.tasks[str(task_row.task_id)]
    task.hidden_until = task.accepted_at + 3.0
    with Workshop(tmp_path, fake.origin) as workshop:
        # Kling says for two seconds that it has no such task, by the pace of an hour.
        workshop.worker._poller._timings = replace(QUICK, duplicate_timeout_s=60.0)
        row = workshop.wait_until(task_row, S.ARCHIVED)
        assert [picture.index for picture in row.pictures] == [0]


def test_what_kling_denies_for_good_is_given_up_in_the_end(tmp_path: Path, fake: FakeKling) -> None:
    row = _submitted_long_ago(tmp_path, fake)
    fake.tasks[str(row.task_id)].hidden_until = float("inf")
    with Workshop(tmp_path, fake.origin) as workshop:
        row = workshop.wait_until(row, S.FAILED)
        assert row.error_text_id == "error.task_forgotten"


def _submitted_long_ago(folder: Path, fake: FakeKling) -> Generation:
    moment = datetime.now(UTC) - timedelta(days=40)
    store = Store.open(folder / "inkling.db", clock=lambda: moment)
    row = store.intents.create(OWNER, ImageRequest("a hill"), provider="kling")
    task = fake.add_task(row.external_task_id, age_s=0)
    moved = store.generations.move(
        row.id, to=S.SUBMITTED, expect={S.INTENDED}, task_id=task.task_id, submitted_at=moment
    )
    store.close()
    assert moved is not None
    return moved


@pytest.mark.parametrize("days", [40, 400])
def test_housekeeping_deletes_nothing_for_a_clock_that_jumps(tmp_path: Path, days: int) -> None:
    archive = Archive.open(tmp_path / "pictures")
    store = Store.open(tmp_path / "inkling.db")
    kept = store.conversations.create(OWNER, title="deleted a moment ago")
    store.conversations.delete(OWNER, kept.id)
    running = Housekeeping(store, archive)
    running.tidy(running._ages_from())
    # The same process, and those that begin again and again under the wrong clock.
    for housekeeping in (running, *(Housekeeping(store, archive) for _ in range(9))):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("core.work.housekeeping.datetime", _later(days))
            counted = housekeeping._ages_from()
            housekeeping.tidy(counted)
        assert counted - datetime.now(UTC) <= timedelta(days=8)
    store.conversations.restore(OWNER, kept.id)
    assert store.conversations.get(OWNER, kept.id) is not None
    store.close()


@pytest.mark.parametrize("behind_days", [10, 56 * 365])
def test_a_start_behind_the_clock_is_made_up_for_when_it_is_right_again(
    tmp_path: Path, behind_days: int
) -> None:
    """As on machines without a battery: ages are counted from where they would have been."""
    archive = Archive.open(tmp_path / "pictures")
    store = Store.open(tmp_path / "inkling.db")
    Housekeeping(store, archive)._ages_from()
    begun_early = Housekeeping(store, archive)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("core.work.housekeeping.datetime", _later(-behind_days))
        assert begun_early._ages_from() <= datetime.now(UTC) - timedelta(days=behind_days)
    for housekeeping in (begun_early, Housekeeping(store, archive)):
        assert datetime.now(UTC) - housekeeping._ages_from() < timedelta(hours=1)
    # A clock that falls back while it runs leaves no trace either.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("core.work.housekeeping.datetime", _later(-behind_days))
        begun_early._ages_from()
    for housekeeping in (begun_early, Housekeeping(store, archive)):
        assert datetime.now(UTC) - housekeeping._ages_from() < timedelta(hours=1)
    store.close()


def _later(days: int) -> type[datetime]:
    class Later(datetime):
        @classmethod
        def now(cls, tz=None):  # type: ignore[no-untyped-def]
            return datetime.now(tz) + timedelta(days=days)

    return Later
