"""Notices under an answer that came to its end: what it may lack, what the model wanted instead.

What a notice rests on is kept among the answer's `error_facts`, and so travels with it.
"""

from collections.abc import Mapping
from typing import NamedTuple

from core.models.chat import AnswerStatus, Message
from core.models.parts import ToolCall

_UNREAD = "unread_events"
_MOVED = "moved_text"
_GRANTED = "budget_tokens"
_HAS_TOOLS = "has_tools"
_NAMES_MOST = 8


class Notice(NamedTuple):
    """A sentence of core/texts, with its facts."""

    text_id: str
    facts: Mapping[str, object]


def notices_of(message: Message) -> tuple[Notice, ...]:
    """Return what is to be said of an answer, however it ended."""
    if message.status is AnswerStatus.FAILED:
        return ()  # its error is what is to be said
    notices = []
    if count := unread_events(message.error_facts):
        notices.append(Notice("notice.may_lack", {"count": count}))
    granted = message.error_facts.get(_GRANTED)
    if isinstance(granted, int) and message.finish_reason == "length":
        notices.append(Notice("notice.budget_cut", {"tokens": granted}))
    names = wanted_tools(message)
    if names is not None and not has_tools(message.error_facts):
        text_id = "notice.tool_wanted" if names else "notice.call_wanted"
        notices.append(Notice(text_id, {"names": ", ".join(names)} if names else {}))
    return tuple(notices)


def wanted_tools(message: Message) -> tuple[str, ...] | None:
    """Return the names of what the model wanted to call, each once; None when it wanted nothing."""
    calls = [part for part in message.parts if isinstance(part, ToolCall)]
    names = dict.fromkeys(call.name for call in calls if call.name)
    return tuple(names)[:_NAMES_MOST] if calls else None


def unread_events(facts: Mapping[str, object]) -> int:
    """Return how many events of an answer could not be read."""
    count = facts.get(_UNREAD)
    return count if isinstance(count, int) and count > 0 else 0


def moved_text(facts: Mapping[str, object]) -> tuple[int, int] | None:
    """Return which characters of what was sent as the answer turned out to be thinking."""
    match facts.get(_MOVED):
        case [int(start), int(end)] if 0 <= start <= end:
            return start, end
    return None


def granted_facts(tokens: int | None) -> dict[str, object]:
    """Return what is kept of how many tokens a budget paid for."""
    return {} if tokens is None else {_GRANTED: tokens}


def has_tools(facts: Mapping[str, object]) -> bool:
    """Tell whether an answer was offered tools: then its calls are made by whoever asked."""
    return facts.get(_HAS_TOOLS) is True


def tools_facts(*, has_tools: bool) -> dict[str, object]:
    """Return what is kept of tools that were offered."""
    return {_HAS_TOOLS: True} if has_tools else {}


def unread_facts(count: int) -> dict[str, object]:
    """Return what is kept of that many events."""
    return {_UNREAD: count} if count else {}


def moved_facts(moved: tuple[int, int] | None) -> dict[str, object]:
    """Return what is kept of a text that was moved."""
    return {} if moved is None else {_MOVED: list(moved)}
