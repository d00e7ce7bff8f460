"""core/work: from the wish to the archived files, through real sockets to a Kling that counts."""

import asyncio
import hashlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from core.errors import AppError, InputError, StoreError
from core.models import (
    Generation,
    GenerationStatus,
    ImageRequest,
    KlingApiKey,
    KlingTask,
    TaskStatus,
)
from core.providers.kling import Kling
from core.storage.generation_rows import SlotStatus
from core.storage.store import Store
from core.work.generation_steps import finished_at
from core.work.task_lookup import find_task
from tests.crash.fake_kling import FakeKling, Plan
from tests.crash.workshop import OWNER, QUICK, Workshop, wait_for

S = GenerationStatus


@pytest.fixture
def fake() -> Iterator[FakeKling]:
    with FakeKling() as kling:
        yield kling


@pytest.fixture
def workshop(tmp_path: Path, fake: FakeKling) -> Iterator[Workshop]:
    with Workshop(tmp_path, fake.origin) as opened:
        yield opened


@pytest.fixture
def closed(tmp_path: Path, fake: FakeKling) -> Iterator[Callable[..., Workshop]]:
    """Opens workshops that are closed in the end."""
    opened: list[Workshop] = []

    def open_one(**options: Any) -> Workshop:
        opened.append(Workshop(options.pop("folder", tmp_path), fake.origin, **options))
        return opened[-1].start()

    yield open_one
    for each in opened:
        each.close()


def assert_archived(workshop: Workshop, fake: FakeKling, *rows: Generation) -> None:
    for row in rows:
        assert row.status is S.ARCHIVED
        assert fake.seen.accepted[row.external_task_id] == 1
        assert [picture.index for picture in row.pictures] == list(range(row.request.n))
        for picture in row.pictures:
            sent = fake.picture(str(row.task_id), picture.index)
            assert workshop.archive.original_bytes(picture.name) == sent
            assert picture.sha256 == hashlib.sha256(sent).hexdigest()


def test_a_wish_becomes_files_and_its_history_can_be_read(
    workshop: Workshop, fake: FakeKling
) -> None:
    row = workshop.wait_until(workshop.ask(n=3), S.ARCHIVED)
    assert_archived(workshop, fake, row)
    history = workshop.store.generations.history(OWNER, row.id)
    steps = list(dict.fromkeys(event.status for event in history))
    assert steps[:2] == [S.INTENDED, S.SUBMITTED]
    assert steps[-2:] == [S.SUCCEEDED, S.ARCHIVED]
    assert row.unit_deduction == "8"
    assert workshop.generations.trouble(row.id) is None


# -- the queue -------------------------------------------------------------------------------------


def test_forty_pictures_on_three_slots_all_arrive_without_a_word(
    workshop: Workshop, fake: FakeKling
) -> None:
    fake.plan = Plan(cap=3, runs_s=lambda number: 0.1)
    wishes = [workshop.ask() for _ in range(40)]
    troubles: list[AppError] = []
    listing = workshop.store.generations.list

    def all_done() -> bool:
        found = (workshop.generations.trouble(wish.id) for wish in wishes)
        troubles.extend(trouble for trouble in found if trouble is not None)
        return not listing(OWNER, active_only=True, limit=1).items

    wait_for(all_done, "forty pictures", deadline_s=60)
    assert_archived(workshop, fake, *(workshop.row(wish) for wish in wishes))
    assert troubles == []
    assert fake.seen.refused[1303] <= 5
    assert fake.seen.most_at_once == 3
    assert set(fake.seen.refused) <= {1303}


def test_wishes_are_sent_in_the_order_they_were_made(workshop: Workshop, fake: FakeKling) -> None:
    fake.plan = Plan(cap=1, runs_s=lambda number: 0.05)
    wishes = [workshop.ask() for _ in range(8)]
    workshop.wait_until_all_done()
    sent = [task.external_task_id for task in fake.tasks.values()]
    assert sent == [wish.external_task_id for wish in wishes]


def test_the_limit_is_known_after_a_restart(
    closed: Callable[..., Workshop], fake: FakeKling
) -> None:
    fake.plan = Plan(cap=3, runs_s=lambda number: 2.0 if number < 3 else 0.1)
    first = closed()
    for _ in range(5):
        first.ask()
    first.wait_until_all_done()
    wait_for(lambda: first.store.values.get("slots.kling", {}).get("refused") == 4, "the memory")
    refusals = fake.seen.refused[1303]
    first.close()
    second = closed()
    for _ in range(8):
        second.ask()
    second.wait_until_all_done()
    assert fake.seen.refused[1303] == refusals


@pytest.mark.parametrize(
    ("code", "text_id"),
    [
        (1101, "error.kling_arrears"),
        (1102, "error.kling_package"),
        (1103, "error.kling_no_right"),
        (1201, "error.kling_parameters"),
        (1301, "error.kling_content"),
        (1304, "error.kling_address_list"),
    ],
)
def test_a_no_is_never_asked_twice(
    workshop: Workshop, fake: FakeKling, code: int, text_id: str
) -> None:
    fake.plan = Plan(post=str(code), post_times=99)
    row = workshop.wait_until(workshop.ask(n=2), S.REFUSED)
    assert row.error_text_id == text_id
    assert row.finished_at is not None
    fake.plan = Plan()
    workshop.wait_until(workshop.ask(n=9), S.ARCHIVED)  # the slots are free again
    assert fake.seen.posts[row.external_task_id] == 1
    assert fake.seen.accepted[row.external_task_id] == 0


def test_a_wish_for_more_than_the_account_draws_at_once_says_so_and_holds_up_nobody(
    workshop: Workshop, fake: FakeKling
) -> None:
    fake.plan = Plan(cap=3)
    large, small = workshop.ask(n=4), workshop.ask(n=3)
    row = workshop.wait_until(large, S.REFUSED)
    assert (row.error_text_id, row.error_facts["n"]) == ("error.kling_too_many_at_once", 4)
    workshop.wait_until(small, S.ARCHIVED)


# -- cancelling ------------------------------------------------------------------------------------


def test_a_wish_that_waits_is_taken_back_for_nothing(workshop: Workshop, fake: FakeKling) -> None:
    fake.plan = Plan(cap=1, runs_s=lambda number: 0.4)
    first = workshop.ask()
    workshop.wait_until(first, S.SUBMITTED, S.PROCESSING)
    waiting, last = workshop.ask(), workshop.ask()
    wait_for(lambda: fake.seen.refused[1303], "the queue to be full")
    wait_for(lambda: workshop.generations.cancel(OWNER, waiting.id), "a moment it is not sent")
    workshop.wait_until(last, S.ARCHIVED)
    assert workshop.row(waiting).status is S.CANCELLED
    assert fake.seen.accepted[waiting.external_task_id] == 0


def test_a_task_that_was_sent_cannot_be_taken_back(workshop: Workshop, fake: FakeKling) -> None:
    wish = workshop.ask()
    workshop.wait_until(wish, S.SUBMITTED, S.PROCESSING)
    assert not workshop.generations.cancel(OWNER, wish.id)
    workshop.wait_until(wish, S.ARCHIVED)


def test_nobody_takes_back_what_somebody_else_wished_for(
    workshop: Workshop, fake: FakeKling
) -> None:
    wish = workshop.ask()
    assert not workshop.generations.cancel("somebody else", wish.id)
    workshop.wait_until(wish, S.ARCHIVED)


def test_cancelling_against_the_send_never_leaves_a_paid_task_cancelled(
    workshop: Workshop, fake: FakeKling
) -> None:
    fake.plan = Plan(runs_s=lambda number: 0.02)
    cancelled = set()
    for _ in range(60):
        wish = workshop.ask()
        if workshop.generations.cancel(OWNER, wish.id):
            cancelled.add(wish.id)
    rows = workshop.wait_until_all_done()
    for row in rows:
        assert row.status is (S.CANCELLED if row.id in cancelled else S.ARCHIVED)
        assert fake.seen.accepted[row.external_task_id] == (row.id not in cancelled)
    assert cancelled  # and the race was really run: some were caught in time


def test_the_same_key_is_the_same_wish_from_however_many_threads(
    workshop: Workshop, fake: FakeKling
) -> None:
    ids: list[str] = []

    def ask() -> None:
        ids.append(workshop.ask(idempotency_key="once").id)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(ids)) == 1
    workshop.wait_until_all_done()
    assert fake.seen.posts.total() == 1


def test_a_wish_that_breaks_a_rule_is_not_written_down(workshop: Workshop, fake: FakeKling) -> None:
    with pytest.raises(InputError):
        workshop.ask(n=10)
    assert workshop.store.generations.list(OWNER).items == ()


# -- answers that do not tell ----------------------------------------------------------------------


@pytest.mark.parametrize("times", [1, 2])
def test_a_gateway_that_never_lets_it_through_is_asked_ever_more_rarely(
    workshop: Workshop, fake: FakeKling, times: int
) -> None:
    fake.plan = Plan(post="html/before", post_times=times)
    row = workshop.wait_until(workshop.ask(), S.ARCHIVED)
    assert_archived(workshop, fake, row)
    assert fake.seen.posts[row.external_task_id] == times + 1
    assert row.attempts == times + 1
    history = workshop.store.generations.history(OWNER, row.id)
    again = [event.at for event in history if event.note.startswith("Kling does not have it")]
    assert len(again) == times


def test_while_it_waits_to_be_sent_a_third_time_it_can_be_taken_back(
    tmp_path: Path, fake: FakeKling
) -> None:
    fake.plan = Plan(post="500/before", post_times=99)
    pace = replace(QUICK, resend_after_s=0.3, resend_longest_s=600)
    with Workshop(tmp_path, fake.origin, pace=pace) as workshop:
        wish = workshop.ask()
        wait_for(lambda: fake.seen.posts.total() >= 3, "three tries")
        wait_for(lambda: workshop.generations.cancel(OWNER, wish.id), "a pause")
        assert workshop.row(wish).status is S.CANCELLED


def test_without_a_network_it_stays_a_wish_with_a_reason_and_goes_on_by_itself(
    tmp_path: Path, fake: FakeKling
) -> None:
    with Workshop(tmp_path, "http://127.0.0.1:9") as workshop:
        wishes = [workshop.ask() for _ in range(3)]
        for wish in wishes:
            trouble = wait_for(lambda wish=wish: workshop.generations.trouble(wish.id), "a reason")
            assert trouble.text_id == "error.network_connect"
            assert workshop.row(wish).status is S.INTENDED
    with Workshop(tmp_path, fake.origin) as workshop:
        assert_archived(workshop, fake, *workshop.wait_until_all_done())


def test_a_duplicate_that_cannot_be_found_yet_is_looked_for_and_not_given_up(
    workshop: Workshop, fake: FakeKling
) -> None:
    fake.plan = Plan(post="hidden/after", hides_s=2.5, is_unique=True)
    row = workshop.wait_until(workshop.ask(n=2), S.ARCHIVED)
    assert fake.seen.refused[1201] == 1
    assert_archived(workshop, fake, row)


def test_the_resend_waits_by_a_clock_that_does_not_jump(
    closed: Callable[..., Workshop], tmp_path: Path, fake: FakeKling
) -> None:
    """The row says that the POST was a day ago, or will be tomorrow: it makes no difference."""
    fake.plan = Plan(post="hidden/after", hides_s=QUICK.resend_after_s * 0.6)
    for days in (-1, 1):
        moved = datetime.now(UTC) + timedelta(days=days)
        store = Store.open(tmp_path / "inkling.db", clock=lambda moved=moved: moved)
        row = store.generations.intend(OWNER, ImageRequest("a hill"), provider="kling")
        store.leases.claim_due("gone", now=moved, limit=9, lease_s=0, statuses=set(S))
        store.leases.renew("gone", [row.id], now=moved, lease_s=5)
        assert store.generations.mark_sending(row.id, "gone") is not None
        store.leases.renew("gone", [row.id], now=moved, lease_s=0)
        store.close()
    tasks = [fake.add_task(row.external_task_id, age_s=0) for row in _all_rows(tmp_path)]
    for task in tasks:
        task.hidden_until = task.accepted_at + QUICK.resend_after_s * 0.6
    workshop = closed()
    rows = workshop.wait_until_all_done()
    assert [row.status for row in rows] == [S.ARCHIVED, S.ARCHIVED]
    assert fake.seen.posts.total() == 0


def _all_rows(folder: Path) -> tuple[Generation, ...]:
    store = Store.open(folder / "inkling.db")
    try:
        return store.generations.list(OWNER).items
    finally:
        store.close()


def test_a_list_that_begins_with_the_oldest_is_read_to_its_end(fake: FakeKling) -> None:
    for _ in range(700):
        fake.add_task(None, age_s=3_600)
    fake.add_task("inkling-wanted", age_s=1)
    fake.plan = Plan(post="hidden-id", oldest_first=True)
    now = datetime.now(UTC)
    wanted = Generation(
        "x", OWNER, "inkling-wanted", ImageRequest("a"), S.UNCERTAIN, "kling", now, now
    )

    async def find() -> KlingTask | None:
        kling = Kling(origin=fake.origin, credentials=KlingApiKey("one-account"))
        try:
            return await find_task(kling, wanted)
        finally:
            await kling.aclose()

    found = asyncio.run(find())
    assert found is not None
    assert found.external_task_id == "inkling-wanted"
    assert fake.seen.lists == 2


# -- Kling's side of the work ----------------------------------------------------------------------


def test_a_task_that_kling_ends_as_failed_tells_its_reason(
    workshop: Workshop, fake: FakeKling
) -> None:
    fake.plan = Plan(fails=True)
    row = workshop.wait_until(workshop.ask(), S.FAILED)
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
    trouble = wait_for(lambda: workshop.generations.trouble(wish.id), "a reason")
    assert trouble.text_id == "error.picture_server"
    slots = workshop.store.generations.slots(wish.id)
    wait_for(lambda: workshop.store.generations.slots(wish.id)[4].attempts > 2, "several tries")
    assert [slot.status for slot in slots].count(SlotStatus.ARCHIVED) == 8
    eight_fetches = fake.seen.fetches
    fake.plan = Plan()
    assert_archived(workshop, fake, workshop.wait_until(wish, S.ARCHIVED))
    assert fake.seen.fetches <= eight_fetches + 3  # nobody fetched the eight again


def test_pictures_kling_no_longer_has_end_the_waiting_with_what_arrived(
    tmp_path: Path, fake: FakeKling
) -> None:
    fake.plan = Plan(bad_picture=1)
    with Workshop(tmp_path, fake.origin) as workshop:
        task = fake.add_task("inkling-old", n=2, age_s=40 * 86_400)
        old = datetime.now(UTC) - timedelta(days=40)
        known = KlingTask(task.task_id, TaskStatus.SUCCEED, created_at=old, updated_at=old)
        row, _is_new = workshop.store.generations.adopt_task(
            OWNER, known, provider="kling", request=ImageRequest("a hill", n=2)
        )
        row = workshop.wait_until(row, S.ARCHIVED)
        assert [picture.index for picture in row.pictures] == [0]
        slots = workshop.store.generations.slots(row.id)
        assert [slot.status for slot in slots] == [SlotStatus.ARCHIVED, SlotStatus.FAILED]


def test_a_lost_poll_is_no_trouble_and_many_are(workshop: Workshop, fake: FakeKling) -> None:
    fake.plan = Plan(runs_s=lambda number: 3.0)
    wish = workshop.ask()
    workshop.wait_until(wish, S.PROCESSING)
    for task in fake.tasks.values():
        task.hidden_until = task.accepted_at + 2.0
    trouble = wait_for(lambda: workshop.generations.trouble(wish.id), "trouble")
    assert trouble.text_id == "error.kling_no_task"
    workshop.wait_until(wish, S.ARCHIVED)
    assert workshop.generations.trouble(wish.id) is None


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
    fake.plan = Plan(runs_s=lambda number: 1.5)
    for _ in range(30):
        workshop.ask()
    assert_archived(workshop, fake, *workshop.wait_until_all_done())
    assert fake.seen.lists > 0


# -- recovery --------------------------------------------------------------------------------------


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


# -- who works on what -----------------------------------------------------------------------------


def test_a_clock_that_was_set_back_leaves_nothing_lying(
    closed: Callable[..., Workshop], tmp_path: Path, fake: FakeKling
) -> None:
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    store = Store.open(tmp_path / "inkling.db", clock=lambda: tomorrow)
    store.generations.intend(OWNER, ImageRequest("a hill"), provider="kling")
    store.close()
    assert_archived(workshop := closed(), fake, *workshop.wait_until_all_done())


def test_two_processes_on_one_folder_share_the_work(
    closed: Callable[..., Workshop], fake: FakeKling
) -> None:
    fake.plan = Plan(cap=4, runs_s=lambda number: 0.1)
    one, two = closed(key="one"), closed(key="two")
    for number in range(20):
        (one, two)[number % 2].ask()
    assert_archived(one, fake, *one.wait_until_all_done())
    assert fake.seen.overlapping_polls == 0
    assert max(fake.seen.posts.values()) <= 1 + fake.seen.refused[1303]


def test_who_cannot_renew_lets_go_before_another_takes_over(
    closed: Callable[..., Workshop], fake: FakeKling, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake.plan = Plan(runs_s=lambda number: 5.0)
    one = closed(key="one")
    wish = one.ask(n=2)
    one.wait_until(wish, S.PROCESSING)

    def gone(*_: object, **__: object) -> None:
        raise StoreError("The database does not answer.", text_id="error.store_gone")

    monkeypatch.setattr(one.store.leases, "renew", gone)
    monkeypatch.setattr(one.store.leases, "claim_due", gone)
    two = closed(key="two")
    row = two.wait_until(wish, S.ARCHIVED)
    assert_archived(two, fake, row)
    last_of_one = max(at for at, key, _ in fake.seen.polls if key == "one")
    first_of_two = min(at for at, key, _ in fake.seen.polls if key == "two")
    assert last_of_one < first_of_two
    assert one.generations.trouble(wish.id) is not None


def test_a_lease_taken_away_ends_the_work_here(
    closed: Callable[..., Workshop], fake: FakeKling
) -> None:
    fake.plan = Plan(runs_s=lambda number: 3.0)
    one = closed(key="one")
    wish = one.ask()
    one.wait_until(wish, S.PROCESSING)
    # By a clock far ahead of ours, the lease has run out.
    later = datetime.now(UTC) + timedelta(minutes=5)
    one.store.leases.claim_due("another", now=later, limit=9, lease_s=5, statuses=set(S))
    wait_for(lambda: wish.id not in one.worker._drivers, "letting go")
    polls = len(fake.seen.polls)
    assert one.store.generations.mark_sending(wish.id, one.process_id) is None
    assert len(fake.seen.polls) == polls
