"""What Kling makes of a wish, and what comes back after a loss."""

import math
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from core.models.generations import (
    Generation,
    GenerationStatus,
    ImageRequest,
    KlingTask,
    TaskStatus,
)
from core.storage.generations.rows import ExpectedStatus
from core.work.generations.collection import UNREADABLE_TRIES
from core.work.generations.transitions import finished_at
from tests.crash.counts import assert_archived
from tests.crash.fake_kling import FakeKling, Plan
from tests.crash.workshop import OWNER, Workshop, wait_for

S = GenerationStatus
HOUR_S = 3600.0


def test_a_task_that_kling_ends_as_failed_tells_its_reason(
    workshop: Workshop, fake: FakeKling
) -> None:
    fake.plan = Plan(fails=True, runs_s=lambda number: HOUR_S)
    wish = workshop.ask()
    wait_for(lambda: fake.tasks, "it is accepted")
    (task,) = fake.tasks.values()
    task.accepted_at -= HOUR_S / 2  # it is under way now, and ends once that was seen
    workshop.wait_until(wish, S.PROCESSING)
    task.ended = time.time()
    row = workshop.wait_until(wish, S.FAILED)
    assert row.error_text_id == "error.task_failed"
    assert "risk control" in row.error_detail
    steps = [event.status for event in workshop.store.generations.history(OWNER, row.id)]
    assert S.PROCESSING in steps


def test_a_status_nobody_knows_is_waited_out(workshop: Workshop, fake: FakeKling) -> None:
    fake.plan = Plan(polls="unknown-status")
    assert_archived(workshop, fake, workshop.wait_until(workshop.ask(), S.ARCHIVED))


def test_fewer_pictures_than_asked_for_are_kept_and_said(
    workshop: Workshop, fake: FakeKling
) -> None:
    fake.plan = Plan(images_short=1)
    row = workshop.wait_until(workshop.ask(n=3), S.ARCHIVED)
    assert len(row.pictures) == 2
    assert row.error_text_id == "error.pictures_fewer"
    assert row.error_facts == {"made": 2, "asked": 3}


def test_one_picture_of_nine_that_does_not_come_holds_up_no_other(
    workshop: Workshop, fake: FakeKling
) -> None:
    fake.plan = Plan(bad_picture=4)
    wish = workshop.ask(n=9)
    wait_for(lambda: len(workshop.row(wish).pictures) == 8, "the other eight")
    blocking_error = wait_for(lambda: workshop.generations.blocking_error(wish.id), "a reason")
    assert blocking_error.text_id == "error.picture_server"
    wait_for(
        lambda: workshop.store.expected_pictures.of(wish.id)[4].attempts > 2,
        "several tries",
    )
    expected_pictures = workshop.store.expected_pictures.of(wish.id)
    assert [expected.status for expected in expected_pictures].count(ExpectedStatus.ARCHIVED) == 8
    eight_fetches = fetches_but_of(4, fake)
    fake.plan = Plan()
    assert_archived(workshop, fake, workshop.wait_until(wish, S.ARCHIVED))
    assert fetches_but_of(4, fake) == eight_fetches  # nobody fetched the eight again


def fetches_but_of(index: int, fake: FakeKling) -> dict[str, int]:
    return {path: n for path, n in fake.fetched.items() if not path.endswith(f"/{index}")}


def test_pictures_kling_no_longer_has_end_the_waiting_with_what_arrived(
    tmp_path: Path, fake: FakeKling
) -> None:
    fake.plan = Plan(bad_picture=1)
    with Workshop(tmp_path, fake.origin) as workshop:
        task = fake.add_task("inkling-old", n=2, age_s=40 * 86_400)
        old = datetime.now(UTC) - timedelta(days=40)
        known = KlingTask(task.task_id, TaskStatus.SUCCEED, created_at=old, updated_at=old)
        row = workshop.store.intents.adopt_task(
            OWNER, known, provider="kling", request=ImageRequest("a hill", n=2)
        )
        assert row is not None
        row = workshop.wait_until(row, S.ARCHIVED)
        assert [picture.index for picture in row.pictures] == [0]
        expected_pictures = workshop.store.expected_pictures.of(row.id)
        assert [expected.status for expected in expected_pictures] == [
            ExpectedStatus.ARCHIVED,
            ExpectedStatus.FAILED,
        ]


def test_a_lost_poll_is_no_trouble_and_many_are(workshop: Workshop, fake: FakeKling) -> None:
    fake.hold()
    wish = workshop.ask()
    workshop.wait_until(wish, S.PROCESSING)
    (task,) = fake.tasks.values()
    task.hidden_until = math.inf
    blocking_error = wait_for(lambda: workshop.generations.blocking_error(wish.id), "trouble")
    assert blocking_error.text_id == "error.kling_no_task"
    task.hidden_until = 0.0
    fake.let_go()
    workshop.wait_until(wish, S.ARCHIVED)
    assert workshop.generations.blocking_error(wish.id) is None


@pytest.mark.parametrize(
    ("span_s", "expected_s"), [(20.0, 20.0), (0.0, 3_600.0), (-5.0, 3_600.0), (9_999.0, 3_600.0)]
)
def test_a_task_that_ended_while_the_app_was_off_did_not_take_all_night(
    span_s: float, expected_s: float
) -> None:
    now = datetime(2026, 11, 22, tzinfo=UTC)
    submitted = now - timedelta(hours=1)
    row = Generation(
        "x", OWNER, "y", ImageRequest("a"), S.SUBMITTED, "kling", now, now, submitted_at=submitted
    )
    klings = datetime(2020, 1, 1, tzinfo=UTC)  # its clock is its own affair
    ended = klings + timedelta(seconds=span_s)
    task = KlingTask("t", TaskStatus.SUCCEED, created_at=klings, updated_at=ended)
    took = finished_at(row, task, now=now) - submitted
    assert took.total_seconds() == pytest.approx(expected_s)


def test_never_more_than_one_look_at_a_task_at_once(workshop: Workshop, fake: FakeKling) -> None:
    fake.plan = Plan(runs_s=lambda number: 0.5)
    for _ in range(5):
        workshop.ask()
    workshop.wait_until_all_done()
    assert fake.seen.overlapping_polls == 0


def test_thirty_tasks_at_once_are_watched_by_list(workshop: Workshop, fake: FakeKling) -> None:
    fake.hold()
    for _ in range(30):
        workshop.ask()
    wait_for(lambda: fake.seen.lists, "a look at the list")
    fake.let_go()
    assert_archived(workshop, fake, *workshop.wait_until_all_done())


def test_what_was_made_comes_back_and_nothing_is_bought(
    closed: Callable[..., Workshop], tmp_path: Path, fake: FakeKling
) -> None:
    for number in range(30):
        fake.add_task(f"inkling-{number:032x}", n=1 + number % 4, age_s=86_400 * number * 0.9)
    for number in range(5):
        fake.add_task(f"other-{number}" if number else None)
    fake.add_task("inkling-too-old", age_s=86_400 * 31)
    workshop = closed()
    result = workshop.generations.recover(OWNER)
    assert (result.found, result.new, result.known, result.elsewhere) == (30, 30, 0, 5)
    rows = workshop.wait_until_all_done()
    assert len(rows) == 30
    assert_archived(workshop, fake, *rows_with_counts(rows, fake))
    assert all(row.request.prompt == "" and row.origin == "recovered" for row in rows)
    again = workshop.generations.recover(OWNER)
    assert (again.found, again.new, again.known) == (30, 0, 30)
    assert fake.seen.posts.total() == 0


def rows_with_counts(rows: tuple[Generation, ...], fake: FakeKling) -> list[Generation]:
    for row in rows:
        fake.seen.accepted[row.external_task_id] += 1
    return list(rows)


def test_a_task_still_running_comes_back_with_all_its_pictures(
    workshop: Workshop, fake: FakeKling
) -> None:
    fake.plan = Plan(runs_s=lambda number: 1.0)
    fake.add_task("inkling-running", n=4, age_s=0)
    assert workshop.generations.recover(OWNER).new == 1
    (row,) = workshop.wait_until_all_done()
    assert (row.status, len(row.pictures)) == (S.ARCHIVED, 4)


@pytest.mark.parametrize(("n", "is_html"), [(1, False), (3, False), (1, True)])
def test_a_file_that_is_never_a_picture_is_fetched_so_often_and_then_again_when_asked(
    workshop: Workshop, fake: FakeKling, n: int, is_html: bool
) -> None:
    fake.plan = Plan(unreadable=0, unreadable_is_html=is_html)
    wish = workshop.ask(n=n)
    row = workshop.wait_until(wish, S.FAILED, S.ARCHIVED)
    assert row.status is (S.FAILED if n == 1 else S.ARCHIVED)
    assert row.error_text_id == "error.pictures_unreadable"
    assert row.error_facts == {"made": n - 1, "asked": n}
    assert fake.seen.fetches == UNREADABLE_TRIES + n - 1
    assert not workshop.generations.fetch_again("somebody", row.id)

    fake.plan = Plan()  # the file is whole now
    assert workshop.generations.fetch_again(OWNER, row.id)
    row = workshop.wait_until(wish, S.ARCHIVED)
    assert row.error_text_id is None
    assert_archived(workshop, fake, row)
    assert not workshop.generations.fetch_again(OWNER, row.id)
