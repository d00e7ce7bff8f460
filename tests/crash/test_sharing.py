"""Who works on what: leases between processes, and clocks that do not agree."""

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from core.errors import StoreError
from core.models.generations import GenerationStatus, ImageRequest
from core.storage.store import Store
from tests.crash.counts import assert_archived
from tests.crash.fake_kling import FakeKling, Plan
from tests.crash.workshop import OWNER, QUICK, Workshop, wait_for

S = GenerationStatus


def test_a_clock_that_was_set_back_leaves_nothing_lying(
    closed: Callable[..., Workshop], tmp_path: Path, fake: FakeKling
) -> None:
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    store = Store.open(tmp_path / "inkling.db", clock=lambda: tomorrow)
    store.intents.create(OWNER, ImageRequest("a hill"), provider="kling")
    store.close()
    workshop = closed()
    assert_archived(workshop, fake, *workshop.wait_until_all_done())


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
    fake.plan = Plan(runs_s=lambda number: 8.0)
    slow = replace(QUICK, lease_s=5.0)
    one = closed(key="one", timings=slow)
    wish = one.ask(n=2)
    one.wait_until(wish, S.PROCESSING)

    def gone(*_: object, **__: object) -> None:
        raise StoreError("error.store_gone")

    monkeypatch.setattr(one.store.leases, "renew", gone)
    monkeypatch.setattr(one.store.leases, "claim_due", gone)
    two = closed(key="two", timings=slow)  # all processes on a database have leases of one length
    row = two.wait_until(wish, S.ARCHIVED)
    assert_archived(two, fake, row)
    last_of_one = max(at for at, key, _ in fake.seen.polls if key == "one")
    first_of_two = min(at for at, key, _ in fake.seen.polls if key == "two")
    assert last_of_one < first_of_two
    assert one.generations.blocking_error(wish.id) is not None


def test_a_lease_taken_away_ends_the_work_here(
    closed: Callable[..., Workshop], fake: FakeKling, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake.hold()
    one = closed(key="one")
    wish = one.ask()
    one.wait_until(wish, S.PROCESSING)
    claim_due = one.store.leases.claim_due  # which this process must not be quicker with
    monkeypatch.setattr(one.store.leases, "claim_due", lambda *_, **__: ())
    one.store.leases.free(one.process_id, [wish.id])
    later = datetime.now(UTC) + timedelta(minutes=5)
    assert claim_due("another", now=later, limit=9, lease_s=5, statuses=set(S))
    wait_for(lambda: wish.id not in one.worker._drivers, "letting go")
    polls = len(fake.seen.polls)
    assert one.store.generations.mark_sending(wish.id, one.process_id) is None
    assert len(fake.seen.polls) == polls


def test_what_a_stopped_process_held_is_free_at_once(
    closed: Callable[..., Workshop], fake: FakeKling
) -> None:
    fake.hold()
    hours = replace(QUICK, lease_s=3_600.0)
    one = closed(key="one", timings=hours)
    wish = one.ask()
    one.wait_until(wish, S.SUBMITTED, S.PROCESSING)
    two = closed(key="two", timings=hours)
    one.close()
    fake.let_go()
    assert_archived(two, fake, two.wait_until(wish, S.ARCHIVED))


def test_slots_that_another_process_holds_are_waited_for(
    closed: Callable[..., Workshop], tmp_path: Path, fake: FakeKling
) -> None:
    now = datetime.now(UTC)
    store = Store.open(tmp_path / "inkling.db")
    theirs = store.intents.create(OWNER, ImageRequest("a hill", n=3), provider="kling")
    store.leases.claim_due("another", now=now, limit=1, lease_s=3_600, statuses=set(S))
    store.generations.move(theirs.id, to=S.SUBMITTED, expect={S.INTENDED}, task_id="theirs")
    store.key_values.set("slots.kling.image", {"accepted": 3, "refused": 4})
    fake.plan = Plan(cap=3, runs_s=lambda number: 1.5)
    fake.add_task(theirs.external_task_id, n=3, age_s=0)
    workshop = closed(timings=replace(QUICK, lease_s=3_600.0))
    wish = workshop.ask()
    wait_for(lambda: all(time.time() > task.ended for task in fake.tasks.values()), "their end")
    assert fake.seen.posts.total() == 0
    store.generations.move(theirs.id, to=S.FAILED, expect={S.SUBMITTED})
    store.close()
    assert_archived(workshop, fake, workshop.wait_until(wish, S.ARCHIVED))
    assert fake.seen.refused.total() == 0


def test_a_picture_that_cannot_be_put_away_leaves_nothing_behind_but_a_reason(
    workshop: Workshop, fake: FakeKling, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[Path] = []

    def full(part: Path, **_: object) -> None:
        tries.append(part)
        raise StoreError("error.store_full")

    with monkeypatch.context() as patch:
        patch.setattr(workshop.archive, "adopt", full)
        wish = workshop.ask(n=2)
        wait_for(lambda: len(tries) > 6, "several tries")
        blocking_error = wait_for(partial(workshop.generations.blocking_error, wish.id), "a reason")
        assert blocking_error.text_id == "error.store_full"
        wait_for(lambda: sum(part.exists() for part in tries) <= 2, "the parts to be removed")
    assert_archived(workshop, fake, workshop.wait_until(wish, S.ARCHIVED))
    assert not any(part.exists() for part in tries)
