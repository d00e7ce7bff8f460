"""Date groups of the sidebar's list: pinned, today, yesterday, this week, older."""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta, tzinfo
from itertools import groupby
from typing import Literal

from core.models.chat import Conversation

Group = Literal["pinned", "today", "yesterday", "week", "older"]


def grouped(
    conversations: Iterable[Conversation], today: date, reader: tzinfo | None
) -> Iterator[tuple[Group, list[Conversation]]]:
    """Group conversations by the reader's days; they come pinned first, then the newest."""
    for group, ones in groupby(conversations, lambda one: _group_of(one, today, reader)):
        yield group, list(ones)


def _group_of(conversation: Conversation, today: date, reader: tzinfo | None) -> Group:
    if conversation.pinned:
        return "pinned"
    day = conversation.updated_at.astimezone(reader).date()
    if day >= today:
        return "today"
    if day == today - timedelta(days=1):
        return "yesterday"
    # A week begins on Monday, as calendars in both languages' countries and ISO 8601 have it.
    return "week" if day >= today - timedelta(days=today.weekday()) else "older"
