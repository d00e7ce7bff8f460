"""The reader's time zone: what moments, days and names of files on the pages go by."""

from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

import streamlit as st


def zone() -> tzinfo | None:
    """Return the browser's time zone; None, the server's own, where there is no browser."""
    name, offset = st.context.timezone, st.context.timezone_offset
    try:
        return ZoneInfo(name or "")
    except (KeyError, ValueError, OSError):  # a zone that this machine does not know
        pass
    # Minutes that UTC is ahead, by the browser's count.
    return timezone(timedelta(minutes=-offset)) if offset is not None else None


def zone_name() -> str:
    """Return the name of the browser's time zone, where it tells one."""
    return st.context.timezone or ""


def day_begins(day: date) -> datetime:
    """Return the first moment of a day as the reader's calendar has it."""
    begin = datetime.combine(day, time.min, zone())
    return begin if begin.tzinfo is not None else begin.astimezone()


def stamp(at: datetime, reader: tzinfo | None) -> str:
    """Return a moment as a part of a file's name, in the reader's zone."""
    return at.astimezone(reader).strftime("%Y%m%d-%H%M%S")


def today() -> str:
    """Return the reader's day as a part of a file's name."""
    return datetime.now(UTC).astimezone(zone()).strftime("%Y%m%d")
