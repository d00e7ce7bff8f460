"""Reader of NextChat's backup: the sessions of its `chat-next-web-store`.

A message's `date` is what the writer's browser calls a local time: which zone and which order of
day and month that is, the session's `lastUpdate` tells, which was set with its last answer.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from core.models.chat import AnswerStatus
from core.storage.transfer.foreign import values
from core.storage.transfer.foreign.model import (
    EntryRefusedError,
    ForeignConversation,
    ForeignMessage,
)

KIND = "nextchat"

_NUMBERS = re.compile(r"\d{1,4}")
_AFTERNOON = re.compile(r"PM|p\.\s?m\.|下午|晚上|午後|오후", re.IGNORECASE)
_MORNING = re.compile(r"AM|a\.\s?m\.|上午|凌晨|午前|오전", re.IGNORECASE)
_ZONE_MOST = timedelta(hours=14)
_QUARTER = timedelta(minutes=15)
_LONGEST_DATE = 64


def is_one(entry: Mapping[str, Any]) -> bool:
    """Tell whether an entry of a file is a conversation of this kind."""
    return isinstance(entry.get("messages"), list) and "topic" in entry


def read(entry: Mapping[str, Any]) -> ForeignConversation:
    """Return the conversation; the mask's context stands before it, and is its system prompt."""
    title = values.title(entry.get("topic"))
    last = values.moment(entry.get("lastUpdate"))
    mask = values.mapping(entry.get("mask"))
    nodes = list(values.objects(entry.get("messages")))
    moments = _moments([values.text(one.get("date")) for one in nodes], last)
    prompts = [
        values.parts_text(one.get("content"))
        for one in (*values.objects(mask.get("context")), *nodes)
        if values.text(one.get("role")) == "system"
    ]
    messages: list[ForeignMessage] = []
    for at, (node, moment) in enumerate(zip(nodes, moments, strict=True)):
        message = _message(node, at, moment)
        message.parent = messages[-1].id if messages else None
        if values.text(node.get("role")) != "system" and (message.content or message.reasoning):
            messages.append(message)
    if not messages:
        raise EntryRefusedError("without messages", title)
    return ForeignConversation(
        kind=KIND,
        id=values.identifier(entry.get("id")),
        title=title,
        messages=messages,
        updated_at=last,
        system_prompt=values.joined(prompts),
    )


def _message(node: Mapping[str, Any], at: int, moment: datetime | None) -> ForeignMessage:
    is_question = values.text(node.get("role")) == "user"
    content, reasoning = values.parts_text(node.get("content")), ""
    if not is_question:
        reasoning, content = values.split_thinking(content)
    tools = [_tool(one) for one in values.objects(node.get("tools"))]
    is_cut = node.get("isError") is True or node.get("streaming") is True
    return ForeignMessage(
        id=values.identifier(node.get("id")) or str(at),
        parent=None,
        role="user" if is_question else "assistant",
        content=content,
        reasoning=values.joined([reasoning, *tools]),
        at=moment,
        model=None if is_question else values.text(node.get("model")) or None,
        status=AnswerStatus.INTERRUPTED if is_cut else AnswerStatus.COMPLETE,
    )


def _tool(tool: Mapping[str, Any]) -> str:
    call = values.mapping(tool.get("function"))
    name = values.title(call.get("name")) or "?"
    return values.joined(
        [f"**{name}**", values.text(call.get("arguments")), values.text(tool.get("content"))]
    )


def _moments(dates: list[str], last: datetime | None) -> list[datetime | None]:
    """Return the moments that local dates mean, in the order and the zone that fit `last`."""
    exact = [values.moment(date) if "T" in date else None for date in dates]
    for may_be_older in (False, True):  # a copied session says when it was copied
        for day_first in (False, True):
            local = [_local(date, day_first=day_first) for date in dates]
            newest = max(filter(None, local), default=None)
            if newest is None:
                continue
            zone = round((newest - last) / _QUARTER) * _QUARTER if last else timedelta()
            if may_be_older and zone < -_ZONE_MOST:
                zone = timedelta()
            if abs(zone) <= _ZONE_MOST:
                return [
                    whole or (one - zone if one is not None else None)
                    for whole, one in zip(exact, local, strict=True)
                ]
    return exact


def _local(date: str, *, day_first: bool) -> datetime | None:
    """Return a browser's local time as if it were UTC."""
    if len(date) > _LONGEST_DATE or "T" in date:
        return None
    numbers = [int(number) for number in _NUMBERS.findall(date)][:6]
    if len(numbers) < 5:
        return None
    if numbers[0] >= 1000:
        year, month, day = numbers[:3]
    else:
        first, second, year = numbers[:3]
        month, day = (second, first) if day_first else (first, second)
    hour = numbers[3]
    if _AFTERNOON.search(date) and hour < 12:
        hour += 12
    elif _MORNING.search(date) and hour == 12:
        hour = 0
    try:
        return datetime(year, month, day, hour, numbers[4], (*numbers[5:], 0)[0], tzinfo=UTC)
    except ValueError:
        return None
