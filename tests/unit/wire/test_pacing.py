"""core/wire/pacing: how long until the next look, and until the next try."""

from itertools import islice
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.wire.pacing import (
    POLL_LONGEST_S,
    POLL_SHORTEST_S,
    RETRY_AFTER_LIMIT_S,
    RETRY_LONGEST_S,
    poll_delays,
    retry_delays,
)


class Middle(Random):
    """Draws the middle, so that nothing is spread to either side."""

    def random(self) -> float:
        return 0.5


@given(seed=st.integers(), age_s=st.floats(0, 1e6))
def test_poll_intervals_never_leave_their_bounds(seed: int, age_s: float) -> None:
    for delay in islice(poll_delays(Random(seed), age_s=age_s), 50):
        assert POLL_SHORTEST_S <= delay <= POLL_LONGEST_S


def test_poll_intervals_grow_with_age() -> None:
    delays = list(islice(poll_delays(Middle(), jitter=0.0), 100))
    assert delays == sorted(delays)
    assert delays[0] == POLL_SHORTEST_S
    assert delays[-1] == POLL_LONGEST_S
    assert next(poll_delays(Middle(), age_s=60, jitter=0.0)) == pytest.approx(6.0)


def test_tasks_of_the_same_age_are_not_looked_at_together() -> None:
    for age_s in (0, 60, 10_000):
        firsts = {next(poll_delays(Random(seed), age_s=age_s)) for seed in range(20)}
        assert len(firsts) == 20


def test_the_same_seed_gives_the_same_delays() -> None:
    assert list(islice(poll_delays(Random(7)), 9)) == list(islice(poll_delays(Random(7)), 9))
    assert list(islice(retry_delays(Random(7)), 9)) == list(islice(retry_delays(Random(7)), 9))


def test_retry_delays_double_up_to_the_cap() -> None:
    delays = list(islice(retry_delays(Middle()), 8))
    assert delays == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]


@given(seed=st.integers())
def test_retry_delays_stay_within_jitter_and_cap(seed: int) -> None:
    for delay, plain in zip(
        retry_delays(Random(seed), attempts=8), retry_delays(Middle(), attempts=8), strict=True
    ):
        assert 0.8 * plain <= delay <= min(1.2 * plain, RETRY_LONGEST_S)


def test_attempts_count_retries() -> None:
    assert len(list(retry_delays(Random(1), attempts=3))) == 3
    assert list(retry_delays(Random(1), attempts=0)) == []


@given(seed=st.integers(), wish=st.floats(0, RETRY_AFTER_LIMIT_S))
def test_the_servers_wish_is_never_undercut(seed: int, wish: float) -> None:
    assert next(retry_delays(Random(seed), retry_after_s=lambda: wish)) >= wish


def test_the_wish_is_asked_anew_for_every_delay() -> None:
    wishes = iter([None, 60.0, None])
    delays = list(retry_delays(Middle(), attempts=3, retry_after_s=lambda: next(wishes)))
    assert delays == [0.5, pytest.approx(66.0), 2.0]


def test_a_wish_beyond_the_limit_ends_the_retries() -> None:
    delays = retry_delays(Random(1), retry_after_s=lambda: RETRY_AFTER_LIMIT_S + 1)
    assert list(delays) == []
