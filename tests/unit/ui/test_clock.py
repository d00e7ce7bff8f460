"""The reader's zone, as far as a browser tells it, and the days that begin in it."""

from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from core.ui import clock


def told(monkeypatch: pytest.MonkeyPatch, timezone: Any, offset: Any) -> None:
    context = SimpleNamespace(timezone=timezone, timezone_offset=offset)
    monkeypatch.setattr("core.ui.clock.st", SimpleNamespace(context=context))


@pytest.mark.parametrize(
    ("timezone", "offset", "hours"),
    [
        ("Asia/Shanghai", -480, 8),
        ("Asia/Kathmandu", None, 5.75),
        ("Mars/Olympus", -480, 8),
        ("../../etc/passwd", 300, -5),
        (None, -330, 5.5),
        ("", 0, 0),
    ],
)
def test_the_zone_is_the_browsers_or_its_offset(
    monkeypatch: pytest.MonkeyPatch, timezone: Any, offset: Any, hours: float
) -> None:
    told(monkeypatch, timezone, offset)
    at = datetime(2026, 11, 28, tzinfo=UTC).astimezone(clock.zone())
    assert at.utcoffset() == timedelta(hours=hours)


def test_without_a_browser_it_is_the_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    told(monkeypatch, None, None)
    assert clock.zone() is None
    assert clock.day_begins(date(2026, 11, 28)) == datetime(2026, 11, 28).astimezone()


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Asia/Shanghai", date(2026, 11, 28), 24),
        ("America/New_York", date(2026, 3, 8), 23),
        ("America/New_York", date(2026, 11, 1), 25),
    ],
)
def test_a_day_is_as_long_as_it_is_there(
    monkeypatch: pytest.MonkeyPatch, zone: str, day: date, hours: int
) -> None:
    told(monkeypatch, zone, None)
    begin, end = clock.day_begins(day), clock.day_begins(day + timedelta(days=1))
    assert end.astimezone(UTC) - begin.astimezone(UTC) == timedelta(hours=hours)
