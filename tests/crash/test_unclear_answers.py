"""Answers that do not tell: looked up, never bought twice, never given up too early."""

import asyncio
import math
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from core.models.accounts import KlingApiKey
from core.models.generations import Generation, GenerationStatus, ImageRequest, KlingTask, Note
from core.providers.kling.client import Kling
from core.storage.store import Store
from core.work.generations.lookup import find_task
from core.work.generations.sending import submission
from tests.crash.counts import assert_archived
from tests.crash.fake_kling import FakeKling, Plan
from tests.crash.workshop import OWNER, QUICK, Workshop, wait_for

S = GenerationStatus


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
    again = [event.at for event in history if event.note == Note("note.send_again")]
    assert len(again) == times


def test_while_it_waits_to_be_sent_a_third_time_it_can_be_taken_back(
    tmp_path: Path, fake: FakeKling
) -> None:
    fake.plan = Plan(post="500/before", post_times=99)
    timings = replace(QUICK, resend_after_s=0.3, resend_longest_s=600)
    with Workshop(tmp_path, fake.origin, timings=timings) as workshop:
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
            blocking_error = wait_for(
                partial(workshop.generations.blocking_error, wish.id), "a reason"
            )
            assert blocking_error.text_id == "error.network_connect"
            assert workshop.row(wish).status is S.INTENDED
    with Workshop(tmp_path, fake.origin) as workshop:
        assert_archived(workshop, fake, *workshop.wait_until_all_done())


def test_a_duplicate_that_cannot_be_found_yet_is_looked_for_and_not_given_up(
    workshop: Workshop, fake: FakeKling
) -> None:
    fake.plan = Plan(post="hidden/after", hides_s=math.inf, is_unique=True)
    wish = workshop.ask(n=2)
    wait_for(lambda: fake.seen.refused[1201], "its second POST to be refused")
    (task,) = fake.tasks.values()
    task.hidden_until = time.time() + 4.0  # longer than anything else is looked for
    row = workshop.wait_until(wish, S.ARCHIVED)
    assert fake.seen.refused[1201] == 1
    assert_archived(workshop, fake, row)


@pytest.mark.parametrize("days", [-1, 1])
def test_the_resend_waits_by_a_clock_that_does_not_jump(
    closed: Callable[..., Workshop], tmp_path: Path, fake: FakeKling, days: int
) -> None:
    """The row says that the POST was a day ago, or will be tomorrow: it makes no difference."""
    row = _sent_by_a_process_that_died(tmp_path, datetime.now(UTC) + timedelta(days=days))
    task = fake.add_task(row.external_task_id, age_s=0)
    task.hidden_until = task.accepted_at + QUICK.resend_after_s * 0.6
    row = closed().wait_until(row, S.ARCHIVED)
    assert fake.seen.posts.total() == 0


def test_a_look_that_is_answered_late_tells_of_the_moment_it_was_asked(
    closed: Callable[..., Workshop],
    tmp_path: Path,
    fake: FakeKling,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Asked before the pause is over, answered behind it: Kling may have found the task since."""
    row = _sent_by_a_process_that_died(tmp_path, datetime.now(UTC))
    task = fake.add_task(row.external_task_id, age_s=0)
    asked: list[float] = []

    async def late(kling: Kling, generation: Generation) -> KlingTask | None:
        asked.append(time.monotonic())
        is_early = asked[-1] - asked[0] < QUICK.resend_after_s * 0.9
        task.hidden_until = math.inf if is_early else 0.0
        found = await find_task(kling, generation)
        if len(asked) > 1:
            await asyncio.sleep(QUICK.resend_after_s)
        return found

    monkeypatch.setattr(submission, "find_task", late)
    closed().wait_until(row, S.ARCHIVED)
    assert fake.seen.posts.total() == 0


def test_what_kling_may_have_forgotten_is_not_bought_again(
    closed: Callable[..., Workshop], tmp_path: Path, fake: FakeKling
) -> None:
    row = _sent_by_a_process_that_died(tmp_path, datetime.now(UTC) - timedelta(days=60))
    row = closed().wait_until(row, S.FAILED)
    assert row.error_text_id == "error.task_fate_unknown"
    assert fake.seen.posts.total() == 0


def _sent_by_a_process_that_died(folder: Path, moment: datetime) -> Generation:
    store = Store.open(folder / "inkling.db", clock=lambda: moment)
    row = store.intents.create(OWNER, ImageRequest("a hill"), provider="kling")
    store.leases.claim_due("gone", now=moment, limit=9, lease_s=5, statuses=set(S))
    marked = store.generations.mark_sending(row.id, "gone")
    assert marked is not None
    store.leases.free("gone", [row.id])
    store.close()
    return marked


def test_a_list_that_begins_with_the_oldest_is_read_to_its_end(fake: FakeKling) -> None:
    for number in range(700):
        fake.add_task(None, age_s=(800 - number) * 3_600)
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
