"""core/work/estimates: what this installation's own finished tasks say."""

import pytest

from core.work.generations.estimates import LEAST_SAMPLES, estimate, fastest_s


def test_too_few_tasks_give_no_estimate() -> None:
    few = [10.0] * (LEAST_SAMPLES - 1)
    assert estimate(few) is None
    assert fastest_s(few) is None


def test_half_take_less_than_the_median() -> None:
    known = estimate([float(seconds) for seconds in range(1, 101)])
    assert known is not None
    assert known.median_s == pytest.approx(50.5)
    assert known.samples == 100


def test_one_task_that_took_all_night_hardly_changes_the_median() -> None:
    known = estimate([10.0, 11.0, 12.0, 13.0, 14.0, 15.0, 16.0, 17.0, 18.0, 40_000.0])
    assert known is not None
    assert known.median_s == pytest.approx(14.5)


def test_the_first_look_is_when_one_in_ten_has_ended() -> None:
    assert fastest_s([float(seconds) for seconds in range(1, 101)]) == pytest.approx(10.9)
