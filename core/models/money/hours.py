"""Peak hours: when DeepSeek charges twice, with China's public holidays (data: prices/*.toml)."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

HourClass = Literal["peak", "off_peak"]

# Beijing has had no summer time since 1991: no zone data is needed, which Windows lacks.
BEIJING = timezone(timedelta(hours=8), "Asia/Shanghai")
_FOLDER = Path(__file__).parents[1] / "prices"


@dataclass(frozen=True, slots=True)
class _PeakRule:
    since: datetime
    days: frozenset[int]  # ISO weekdays
    windows: tuple[tuple[time, time], ...]


@lru_cache(maxsize=1)
def _rules() -> tuple[_PeakRule, ...]:
    rows = tomllib.loads((_FOLDER / "deepseek.toml").read_text(encoding="utf-8"))["peak"]
    return tuple(
        sorted(
            (
                _PeakRule(
                    row["from"],
                    frozenset(row["days"]),
                    tuple(
                        (time.fromisoformat(start), time.fromisoformat(end))
                        for start, end in row["windows"]
                    ),
                )
                for row in rows
            ),
            key=lambda rule: rule.since,
            reverse=True,
        )
    )


@lru_cache(maxsize=1)
def _holidays() -> Mapping[int, frozenset[date]]:
    text = (_FOLDER / "holidays.toml").read_text(encoding="utf-8")
    years: dict[int, frozenset[date]] = {}
    table: Mapping[str, Any] = tomllib.loads(text)
    for year, known in table.items():
        days: set[date] = set()
        for first, last in known["days"]:
            days |= {first + timedelta(days=number) for number in range((last - first).days + 1)}
        years[int(year)] = frozenset(days)
    return years


def is_year_known(at: datetime) -> bool:
    """Tell whether the holidays of that Beijing year are known; if not, weekdays count as peak."""
    return at.astimezone(BEIJING).year in _holidays()


def hour_class(at: datetime) -> HourClass:
    """Return the hour class of a moment; off-peak before the hours were introduced."""
    rule = next((rule for rule in _rules() if rule.since <= at), None)
    there = at.astimezone(BEIJING)
    if rule is None or there.isoweekday() not in rule.days:
        return "off_peak"
    if there.date() in _holidays().get(there.year, frozenset()):
        return "off_peak"
    clock = there.time()
    is_peak = any(start <= clock < end for start, end in rule.windows)
    return "peak" if is_peak else "off_peak"


def next_off_peak(at: datetime) -> datetime | None:
    """Return when the peak that a moment lies in ends; None off-peak."""
    if hour_class(at) == "off_peak":
        return None
    rule = next(rule for rule in _rules() if rule.since <= at)
    there = at.astimezone(BEIJING)
    end = next(end for start, end in rule.windows if start <= there.time() < end)
    return datetime.combine(there.date(), end, BEIJING).astimezone(UTC)


def highest_class(start: datetime, end: datetime) -> HourClass:
    """Return the dearest hour class that lies between two moments, both included.

    Windows are at least an hour long and a call lasts less than a day: every half hour is looked
    at, and both ends.
    """
    if hour_class(end) == "peak":
        return "peak"
    moment = start
    while moment < end:
        if hour_class(moment) == "peak":
            return "peak"
        moment += timedelta(minutes=30)
    return "off_peak"
