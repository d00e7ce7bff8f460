"""The days of a report: all of a span, by the owner's zone, never so few that one fills a chart."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from core.models.money.prices import PRICES
from core.storage.money.filters import LedgerFilter
from core.storage.store import Store
from core.work.money.report import Reports

NOW = datetime(2026, 11, 29, 15, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "start", "end", "first", "last", "count"),
    [
        ("UTC", (2026, 11, 1, 0), None, (11, 1), (11, 29), 29),
        ("Asia/Shanghai", (2026, 10, 31, 16), None, (11, 1), (11, 29), 29),
        (
            "Pacific/Auckland",
            (2026, 10, 31, 11),
            None,
            (11, 1),
            (11, 30),
            30,
        ),  # there it is the 30th
        ("UTC", (2026, 10, 1, 0), (2026, 11, 1, 0), (10, 1), (10, 31), 31),
        # A month in which the clocks were set back has as many days as ever.
        ("America/New_York", (2026, 11, 1, 4), (2026, 12, 1, 5), (11, 1), (11, 30), 30),
        ("UTC", (2026, 11, 29, 0), None, (11, 29), (12, 5), 7),
        ("UTC", None, None, (11, 29), (12, 5), 7),
    ],
)
def test_every_day_of_a_span_is_there(
    store: Store,
    zone: str,
    start: tuple[int, int, int, int] | None,
    end: tuple[int, int, int, int] | None,
    first: tuple[int, int],
    last: tuple[int, int],
    count: int,
) -> None:
    store.ledger.plan = replace(store.ledger.plan, zone=zone)
    wanted = LedgerFilter(
        owner="local",
        start=datetime(*start, tzinfo=UTC) if start else None,
        end=datetime(*end, tzinfo=UTC) if end else None,
    )
    days = Reports(store.ledger, PRICES).calendar(wanted, NOW)
    assert (days[0], days[-1]) == (date(2026, *first), date(2026, *last))
    assert len(days) == len(set(days)) == count
    assert list(days) == sorted(days)
