"""The groups of the sidebar's list go by the reader's days."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from core.models.chat import Conversation
from core.ui.chat.listing.date_groups import Group, grouped

FRIDAY = date(2026, 11, 27)


def conversation(at: datetime, *, pinned: bool = False) -> Conversation:
    name = at.isoformat()
    return Conversation(
        id=name, owner="local", title=name, created_at=at, updated_at=at, pinned=pinned
    )


@pytest.mark.parametrize(
    ("at", "group"),
    [
        (datetime(2026, 11, 27, 0, 0, tzinfo=UTC), "today"),
        (datetime(2026, 11, 28, 3, 0, tzinfo=UTC), "today"),  # a clock that was ahead
        (datetime(2026, 11, 26, 23, 59, tzinfo=UTC), "yesterday"),
        (datetime(2026, 11, 23, 0, 0, tzinfo=UTC), "week"),  # Monday
        (datetime(2026, 11, 22, 23, 59, tzinfo=UTC), "older"),
    ],
)
def test_a_conversation_stands_in_the_group_of_its_day(at: datetime, group: Group) -> None:
    assert [name for name, _ in grouped([conversation(at)], FRIDAY, UTC)] == [group]


def test_the_day_is_the_readers() -> None:
    late = conversation(datetime(2026, 11, 26, 17, 0, tzinfo=UTC))  # one in the morning there
    shanghai = timezone(timedelta(hours=8))
    assert [name for name, _ in grouped([late], FRIDAY, shanghai)] == ["today"]
    assert [name for name, _ in grouped([late], FRIDAY, UTC)] == ["yesterday"]


def test_pinned_ones_come_first_whatever_their_day_and_each_group_stands_once() -> None:
    moments = [datetime(2026, 11, 27, 9, tzinfo=UTC) - timedelta(days=days) for days in range(9)]
    pinned = conversation(moments[5], pinned=True)
    listed = [pinned, *(conversation(at) for at in moments)]
    groups = dict(grouped(listed, FRIDAY, UTC))
    assert list(groups) == ["pinned", "today", "yesterday", "week", "older"]
    assert groups["pinned"] == [pinned]
    assert sum(len(ones) for ones in groups.values()) == len(listed)
