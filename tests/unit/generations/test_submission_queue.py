"""core/work/slots: whose turn it is, and what acceptances and refusals teach."""

import asyncio
from collections.abc import Callable, Coroutine
from random import Random
from typing import Any

import pytest

from core.work.generations.sending.concurrency_limit import (
    PROBE_AFTER_LOWERING_S,
    PROBE_AFTER_S,
    ConcurrencyLimit,
)
from core.work.generations.sending.submission_queue import UNCLEAR_IN_A_ROW, Permit, SubmissionQueue


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def on_a_loop(test: Callable[[Clock], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    def run() -> None:
        asyncio.run(test(Clock()))

    run.__name__ = test.__name__
    return run


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def queue(submissions: SubmissionQueue, n: int, place: int) -> "asyncio.Task[Permit]":
    return asyncio.create_task(submissions.acquire(n, order=(place,)))


def limit_after(*accepted: int, refused: int | None = None) -> ConcurrencyLimit:
    limit = ConcurrencyLimit(now=0)
    for total in accepted:
        limit.note_accepted(total, now=0)
    if refused is not None:
        limit.note_refused(refused, n=1, now=0)
    return limit


def test_what_is_not_known_is_tried_one_at_a_time() -> None:
    limit = ConcurrencyLimit(now=0)
    assert limit.may_send(9, in_flight=0, sending=0, now=0)
    assert not limit.may_send(1, in_flight=9, sending=1, now=0)


def test_what_was_accepted_before_is_sent_without_waiting_for_answers() -> None:
    limit = limit_after(1, 2, 3)
    assert limit.may_send(1, in_flight=2, sending=2, now=0)


def test_a_refusal_shows_the_cap() -> None:
    limit = limit_after(1, 2, 3, refused=4)
    assert limit.may_send(1, in_flight=2, sending=0, now=0)
    assert not limit.may_send(1, in_flight=3, sending=0, now=0)


def test_between_what_was_accepted_and_what_was_refused_one_is_tried() -> None:
    limit = limit_after(2, refused=5)
    assert limit.may_send(2, in_flight=2, sending=0, now=0)
    assert not limit.may_send(2, in_flight=2, sending=1, now=0)


def test_a_wish_larger_than_the_cap_is_tried_alone() -> None:
    limit = limit_after(3, refused=4)
    assert limit.may_send(9, in_flight=0, sending=0, now=0)
    assert not limit.may_send(9, in_flight=1, sending=0, now=0)


def test_now_and_then_one_more_is_tried_and_less_often_when_it_fails() -> None:
    limit = limit_after(3, refused=4)
    later = PROBE_AFTER_S + 1
    assert limit.may_send(1, in_flight=3, sending=0, now=later)
    assert not limit.may_send(2, in_flight=3, sending=0, now=later)
    limit.note_refused(4, n=1, now=later)
    assert limit.probe_at == later + 2 * PROBE_AFTER_S
    assert not limit.may_send(1, in_flight=3, sending=0, now=later + PROBE_AFTER_S + 1)


def test_a_probe_that_is_accepted_lifts_the_limit() -> None:
    limit = limit_after(3, refused=4)
    limit.note_accepted(4, now=700)
    assert limit.may_send(1, in_flight=4, sending=0, now=700)


def test_a_refusal_below_the_limit_lowers_it_and_is_doubted_soon() -> None:
    limit = limit_after(5, refused=6)
    limit.note_refused(5, n=1, now=0)
    assert (limit.accepted, limit.refused) == (4, 5)
    assert limit.may_send(1, in_flight=4, sending=0, now=PROBE_AFTER_LOWERING_S + 1)


def test_what_was_learned_is_remembered() -> None:
    limit = ConcurrencyLimit(now=0, known=limit_after(3, refused=4).figures())
    assert not limit.may_send(1, in_flight=3, sending=0, now=0)
    assert limit.may_send(1, in_flight=2, sending=1, now=0)


@pytest.mark.parametrize("known", [{}, {"accepted": "3"}, {"refused": None}, {"limit": 3}])
def test_a_memory_that_makes_no_sense_is_no_memory(known: dict[str, object]) -> None:
    assert ConcurrencyLimit(now=0, known=known).may_send(9, in_flight=3, sending=0, now=0)


@on_a_loop
async def test_the_oldest_wish_goes_first_whoever_came_when(clock: Clock) -> None:
    submissions = SubmissionQueue(clock=clock)
    first = await queue(submissions, 1, 5)
    young, old = queue(submissions, 1, 9), queue(submissions, 1, 1)
    await settle()
    first.accepted()
    await settle()
    assert old.done()
    assert not young.done()
    old.result().accepted()
    await settle()
    assert young.done()


@on_a_loop
async def test_a_refused_wish_goes_to_the_head_again_after_a_rest(clock: Clock) -> None:
    submissions = SubmissionQueue(clock=clock, rest_first_s=0.0)
    for place in range(3):
        (await queue(submissions, 1, place)).accepted()
    permit = await queue(submissions, 1, 3)
    waiting = queue(submissions, 1, 8)
    permit.refused(is_full=True)
    again = queue(submissions, 1, 3)
    await settle()
    assert not again.done()
    assert submissions.limit == submissions.own == 3
    submissions._rest_until = 0
    # A task has ended: one slot is free, and it is the refused one's.
    submissions.count(in_flight=-1)
    submissions.wake()
    await settle()
    assert again.done()
    assert not waiting.done()
    waiting.cancel()


@on_a_loop
async def test_who_leaves_the_queue_holds_nothing(clock: Clock) -> None:
    submissions = SubmissionQueue(clock=clock)
    permit = await queue(submissions, 1, 0)
    leaving, staying = queue(submissions, 4, 1), queue(submissions, 1, 2)
    await settle()
    leaving.cancel()
    permit.accepted()
    await settle()
    assert staying.done()
    assert submissions.own == 2


@on_a_loop
async def test_who_leaves_at_the_moment_of_the_turn_gives_it_back(clock: Clock) -> None:
    submissions = SubmissionQueue(clock=clock)
    permit = await queue(submissions, 1, 0)
    leaving = queue(submissions, 4, 1)
    await settle()
    permit.accepted()
    leaving.cancel()  # its turn is granted, but it never learns of it
    await settle()
    assert submissions.own == 1
    assert (await queue(submissions, 1, 3)).n == 1


@on_a_loop
async def test_a_turn_is_given_back_once_however_often_it_is_said(clock: Clock) -> None:
    submissions = SubmissionQueue(clock=clock)
    permit = await queue(submissions, 3, 0)
    permit.accepted()
    permit.give_back()
    permit.give_back()
    assert submissions.own == 0


@on_a_loop
async def test_pictures_of_other_processes_count(clock: Clock) -> None:
    submissions = SubmissionQueue(clock=clock, known={"accepted": 3, "refused": 4})
    submissions.see_other_processes(3)
    waiting = queue(submissions, 1, 0)
    await settle()
    assert not waiting.done()
    submissions.see_other_processes(2)
    await settle()
    assert waiting.done()


@on_a_loop
async def test_an_unclear_answer_holds_up_nobody_else(clock: Clock) -> None:
    submissions = SubmissionQueue(clock=clock, rest_first_s=2.0)
    (await queue(submissions, 1, 0)).unknown()
    waiting = queue(submissions, 1, 1)
    await settle()
    assert waiting.done()
    assert submissions.in_flight == 2  # it may hold its slot: nobody is sent into it
    assert submissions.limit == 0  # nothing was learned from it


@on_a_loop
async def test_after_several_unclear_answers_in_a_row_the_queue_rests(clock: Clock) -> None:
    submissions = SubmissionQueue(clock=clock, rest_first_s=2.0)
    for number in range(UNCLEAR_IN_A_ROW):
        (await queue(submissions, 1, number)).unknown()
    waiting = queue(submissions, 1, 9)
    await settle()
    assert not waiting.done()
    clock.now += 2.1
    submissions.wake()
    await settle()
    assert waiting.done()
    assert submissions.limit == 0  # nothing was learned from it


@on_a_loop
async def test_a_wish_for_a_longer_rest_is_obeyed(clock: Clock) -> None:
    submissions = SubmissionQueue(clock=clock, rest_first_s=2.0)
    permit = await queue(submissions, 1, 0)
    permit.refused(is_full=False, retry_after_s=30)
    waiting = queue(submissions, 1, 1)
    clock.now += 29
    submissions.wake()
    await settle()
    assert not waiting.done()
    clock.now += 2
    submissions.wake()
    await settle()
    assert waiting.done()


@pytest.mark.parametrize("lag", [0, 2, 10, 30])
@pytest.mark.parametrize("seed", range(10))
def test_an_accounts_cap_is_found_with_few_refusals(seed: int, lag: int) -> None:
    """A simulation: wishes of mixed sizes, a cap nobody tells, tasks that end in random order and
    are seen to have ended only later."""
    random = Random(seed)
    cap = random.randint(3, 12)
    wishes = [random.randint(1, 3) for _ in range(60)]

    async def simulate() -> int:
        submissions = SubmissionQueue(clock=asyncio.get_running_loop().time, rest_first_s=0.0)
        in_flight = refusals = done = 0

        async def wish(place: int, n: int) -> None:
            nonlocal in_flight, refusals, done
            while True:
                permit = await submissions.acquire(n, order=(place,))
                await asyncio.sleep(0)
                if in_flight + n <= cap:
                    break
                refusals += 1
                permit.refused(is_full=True)
            in_flight += n
            permit.accepted()
            for _ in range(random.randint(3, 40)):
                await asyncio.sleep(0)
            in_flight -= n
            for _ in range(random.randint(0, lag)):
                await asyncio.sleep(0)
            done += 1
            permit.give_back()

        await asyncio.gather(*(wish(place, n) for place, n in enumerate(wishes)))
        assert done == len(wishes)
        assert submissions.own == 0
        return refusals

    assert asyncio.run(simulate()) <= 5
