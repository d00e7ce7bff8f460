"""Budget periods: the day and the month that a moment lies in, by the owner's zone."""

from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from core.models.money.hours import BEIJING
from core.models.money.ledger import Period


@lru_cache(maxsize=8)
def zone_of(name: str) -> tzinfo:
    """Return a time zone; Beijing's where the system knows none of that name (Windows)."""
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        return BEIJING


def is_zone(name: str) -> bool:
    """Tell whether a name is of a time zone that can be used here."""
    if name == "Asia/Shanghai":
        return True
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        return False
    return True


def period_key(period: Period, at: datetime, zone: str) -> str:
    """Return the name of the day or month a moment lies in: 2026-11-28 or 2026-11."""
    there = at.astimezone(zone_of(zone))
    return f"{there:%Y-%m-%d}" if period == "day" else f"{there:%Y-%m}"


def period_start(period: Period, at: datetime, zone: str) -> datetime:
    """Return when the day or month of a moment began, in UTC."""
    there = at.astimezone(zone_of(zone))
    day = 1 if period == "month" else there.day
    return datetime(there.year, there.month, day, tzinfo=zone_of(zone)).astimezone(UTC)


def period_end(period: Period, at: datetime, zone: str) -> datetime:
    """Return when the day or month of a moment ends, in UTC."""
    there = at.astimezone(zone_of(zone))
    first = datetime(there.year, there.month, 1 if period == "month" else there.day)
    later = first + timedelta(days=32 if period == "month" else 1)
    day = 1 if period == "month" else later.day
    return datetime(later.year, later.month, day, tzinfo=zone_of(zone)).astimezone(UTC)
