"""What goes by the monotonic clock where the wall clock may jump: leases, and places in a queue."""

from datetime import UTC, datetime, timedelta

import pytest

from core.work.generations.sending.queue_places import Places
from core.work.standing_leases import StandingLeases

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATER = NOW + timedelta(hours=3)


class Ticks:
    """A monotonic clock and a wall clock that go on together, until one of them jumps."""

    def __init__(self) -> None:
        self.mono, self.wall = 1000.0, NOW.timestamp()

    def go(self, seconds: float) -> datetime:
        self.mono += seconds
        self.wall += seconds
        return datetime.fromtimestamp(self.wall, UTC)

    def jump(self, seconds: float) -> None:
        self.wall += seconds


def test_a_lease_that_stands_still_for_its_whole_length_is_abandoned() -> None:
    ticks = Ticks()
    standing = StandingLeases(lambda: ticks.mono, lease_s=30.0)
    assert standing.abandoned({"a": LATER}) == {}
    for passed_s in (14.0, 15.0):
        ticks.go(passed_s)
        assert standing.abandoned({"a": LATER, "b": LATER}) == {}
    ticks.go(1.0)
    assert standing.abandoned({"a": LATER, "b": LATER}) == {"a": LATER}


@pytest.mark.parametrize("away_s", [16.0, 31.0, 3600.0])
def test_what_nobody_watched_for_a_while_is_watched_anew(away_s: float) -> None:
    """A store that was away, or both machines: the living had no way to renew either."""
    ticks = Ticks()
    standing = StandingLeases(lambda: ticks.mono, lease_s=30.0)
    for _ in range(2):
        assert standing.abandoned({"a": LATER}) == {}
        ticks.go(14.0)
    ticks.go(away_s)
    for _ in range(3):
        assert standing.abandoned({"a": LATER}) == {}
        ticks.go(10.0)
    assert standing.abandoned({"a": LATER}) == {"a": LATER}


def test_a_lease_that_is_renewed_is_never_abandoned() -> None:
    ticks = Ticks()
    standing = StandingLeases(lambda: ticks.mono, lease_s=30.0)
    for number in range(20):
        ticks.go(15.0)
        assert standing.abandoned({"a": LATER + timedelta(microseconds=number)}) == {}


def test_a_lease_that_was_gone_meanwhile_is_watched_anew() -> None:
    ticks = Ticks()
    standing = StandingLeases(lambda: ticks.mono, lease_s=30.0)
    for seen in ({"a": LATER}, {"a": LATER}, {}, {"a": LATER}):
        assert standing.abandoned(seen) == {}
        ticks.go(15.0)
    assert standing.abandoned({"a": LATER}) == {}


@pytest.mark.parametrize("jump_s", [0.0, -3 * 3600.0, 3 * 3600.0, -40 * 86400.0, 40 * 86400.0])
def test_no_jump_of_the_clock_changes_whose_turn_it_is(jump_s: float) -> None:
    ticks = Ticks()
    places = Places(lambda: ticks.mono, wall_clock=lambda: ticks.wall)
    waiting = [places.place(ticks.go(60.0)) for _ in range(3)]
    ticks.jump(jump_s)
    waiting += [places.place(ticks.go(60.0)) for _ in range(3)]
    assert waiting == sorted(waiting)
    assert len(set(waiting)) == len(waiting)


def test_without_a_jump_the_moment_decides_whenever_a_wish_is_seen() -> None:
    ticks = Ticks()
    places = Places(lambda: ticks.mono, wall_clock=lambda: ticks.wall)
    first, second = ticks.go(1.0), ticks.go(0.001)
    ticks.go(600.0)
    later = places.place(second)
    ticks.mono += 0.2  # two readings are never quite together
    assert places.place(first) < later


def test_a_wish_from_before_the_clock_was_set_back_waits_behind_nobody_who_comes_later() -> None:
    """As a process sees it that begins after the jump."""
    ticks = Ticks()
    old = ticks.go(60.0)
    ticks.jump(-3 * 3600.0)
    places = Places(lambda: ticks.mono, wall_clock=lambda: ticks.wall)
    place = places.place(old)
    assert place < places.place(ticks.go(1.0))
