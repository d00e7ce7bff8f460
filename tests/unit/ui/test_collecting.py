"""Full garbage collections look through what is new; what stays is looked through now and then."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from core.ui.start.collecting import LONG_S, THOROUGH_AFTER, THOROUGH_EVERY_S, Collecting


class Clock:
    """Goes on by `step_s` each time it is asked."""

    def __init__(self) -> None:
        self.now = 0.0
        self.step_s = 0.0

    def __call__(self) -> float:
        self.now += self.step_s
        return self.now


class Node:
    """Something that refers to itself, so that only the collector can end it."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture
def clock() -> Iterator[Clock]:
    others, clock = gc.callbacks[:], Clock()
    gc.unfreeze()
    gc.collect()
    gc.callbacks[:] = [Collecting(clock)]
    gc.disable()  # none but the test's own
    yield clock
    gc.callbacks[:] = others
    gc.unfreeze()
    gc.enable()


def test_what_a_long_collection_leaves_is_out_of_sight(clock: Clock) -> None:
    gc.collect()
    assert gc.get_freeze_count() == 0  # it was short
    clock.step_s = LONG_S
    gc.collect()
    frozen = gc.get_freeze_count()
    assert frozen > 10_000
    clock.step_s = 0.0
    kept = [Node() for _ in range(100)]
    gc.collect()
    assert gc.get_freeze_count() <= frozen
    assert {id(one) for one in kept} <= {id(one) for one in gc.get_objects()}


@pytest.mark.parametrize("generation", [0, 1])
def test_small_collections_change_nothing(clock: Clock, generation: int) -> None:
    clock.step_s = THOROUGH_EVERY_S
    gc.collect(generation)
    assert gc.get_freeze_count() == 0


def test_garbage_is_found_behind_each_run_and_what_was_put_away_in_a_thorough_look(
    clock: Clock,
) -> None:
    old = Node()
    seen = weakref.ref(old)
    clock.step_s = LONG_S
    gc.collect()
    clock.step_s = 0.0
    new = Node()
    seen_new = weakref.ref(new)
    del old, new
    gc.collect()
    assert seen_new() is None
    assert seen() is not None  # out of sight
    clock.now += THOROUGH_EVERY_S
    gc.collect()
    assert seen() is None
    assert gc.get_freeze_count() > 10_000  # the rest is out of sight again


def test_however_soon_garbage_comes_a_thorough_look_follows_in_proportion(clock: Clock) -> None:
    clock.step_s = LONG_S
    alive: list[weakref.ref[Node]] = []
    most = 0
    for _ in range(100):
        alive.append(weakref.ref(node := Node()))
        gc.collect()  # out of sight, while it lives
        del node
        alive = [one for one in alive if one() is not None]
        most = max(most, len(alive))
    assert most <= THOROUGH_AFTER + 1
