"""Wishes on their way to Kling: in turn, within the cap, and back when a person says so."""

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from core.errors import AppError, InputError
from core.models.generations import GenerationStatus
from tests.crash.counts import assert_archived
from tests.crash.fake_kling import FakeKling, Plan
from tests.crash.workshop import OWNER, QUICK, Workshop, wait_for

S = GenerationStatus


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
    assert workshop.generations.blocking_error(row.id) is None


def test_forty_pictures_on_three_slots_all_arrive_without_a_word(
    workshop: Workshop, fake: FakeKling
) -> None:
    def let_go(moment: str) -> None:
        """End the first tasks once three run at once: on a slow machine none outlasts a POST."""
        if fake.seen.most_at_once >= 3:
            for task in fake.tasks.values():
                task.runs_s = 0.1
                task.ended = min(task.ended, time.time() + task.runs_s)

    fake.hook = let_go
    fake.plan = Plan(cap=3, runs_s=lambda number: 30 if fake.seen.most_at_once < 3 else 0.1)
    wishes = [workshop.ask() for _ in range(40)]
    troubles: list[AppError] = []
    listing = workshop.store.generation_lists.list

    def all_done() -> bool:
        found = (workshop.generations.blocking_error(wish.id) for wish in wishes)
        troubles.extend(blocking_error for blocking_error in found if blocking_error is not None)
        return not listing(OWNER, active_only=True, limit=1).items

    wait_for(all_done, "forty pictures", deadline_s=200)
    assert_archived(workshop, fake, *(workshop.row(wish) for wish in wishes))
    assert troubles == []
    assert fake.seen.refused[1303] <= 5
    assert fake.seen.most_at_once == 3
    assert set(fake.seen.refused) <= {1303}


def one_at_a_time(closed: Callable[..., Workshop]) -> Workshop:
    """Return a workshop that knows the cap: while it is learned, two may be on their way at once.

    Which of those Kling takes first is the network's choice, not the queue's.
    """
    before = closed()
    before.store.key_values.set("slots.kling.image", {"accepted": 1, "refused": 2})
    before.close()
    return closed()


def test_wishes_are_sent_in_the_order_they_were_made(
    closed: Callable[..., Workshop], fake: FakeKling
) -> None:
    workshop = one_at_a_time(closed)
    fake.plan = Plan(cap=1, runs_s=lambda number: 0.05)
    wishes = [workshop.ask() for _ in range(8)]
    workshop.wait_until_all_done()
    sent = [task.external_task_id for task in fake.tasks.values()]
    assert sent == [wish.external_task_id for wish in wishes]


@pytest.mark.parametrize("refusal", ["1302", "1303"])
def test_nobody_overtakes_a_refused_wish_while_the_store_is_slow(
    closed: Callable[..., Workshop],
    fake: FakeKling,
    monkeypatch: pytest.MonkeyPatch,
    refusal: str,
) -> None:
    workshop = one_at_a_time(closed)
    store = workshop.store.generations
    unmark, never = store.unmark_sending, threading.Event()

    def slowly(*arguments: Any, **more: Any) -> Any:
        never.wait(5 * QUICK.rest_first_s)  # the rest is over by then
        return unmark(*arguments, **more)

    monkeypatch.setattr(store, "unmark_sending", slowly)
    fake.plan = Plan(cap=1, runs_s=lambda number: 0.05, post=refusal, post_times_in_all=1)
    refused, *_others = [workshop.ask() for _ in range(5)]
    workshop.wait_until_all_done()
    assert fake.seen.refused[int(refusal)] >= 1
    first = next(iter(fake.tasks.values()))
    assert first.external_task_id == refused.external_task_id


def test_the_limit_is_known_after_a_restart(
    closed: Callable[..., Workshop], fake: FakeKling
) -> None:
    fake.plan = Plan(cap=3, runs_s=lambda number: 0.1)
    fake.hold()
    first = closed()
    for _ in range(5):
        first.ask()
    wait_for(lambda: fake.seen.refused[1303], "the limit to be met")
    fake.let_go()
    first.wait_until_all_done()
    wait_for(
        lambda: first.store.key_values.get("slots.kling.image", {}).get("refused") == 4,
        "the memory",
    )
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


def test_a_wish_that_waits_is_taken_back_for_nothing(workshop: Workshop, fake: FakeKling) -> None:
    fake.plan = Plan(cap=1)
    fake.hold()
    first = workshop.ask()
    workshop.wait_until(first, S.SUBMITTED, S.PROCESSING)
    waiting, last = workshop.ask(), workshop.ask()
    wait_for(lambda: fake.seen.refused[1303], "the queue to be full")
    wait_for(lambda: workshop.generations.cancel(OWNER, waiting.id), "a moment it is not sent")
    fake.let_go()
    workshop.wait_until(last, S.ARCHIVED)
    assert workshop.row(waiting).status is S.CANCELLED
    assert fake.seen.accepted[waiting.external_task_id] == 0


def test_a_task_that_was_sent_cannot_be_taken_back(workshop: Workshop, fake: FakeKling) -> None:
    fake.hold()
    wish = workshop.ask()
    workshop.wait_until(wish, S.SUBMITTED, S.PROCESSING)
    assert not workshop.generations.cancel(OWNER, wish.id)
    fake.let_go()
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
    assert workshop.store.generation_lists.list(OWNER).items == ()
