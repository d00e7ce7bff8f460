"""Streaming parser of export files: any size, read twice, never whole in memory.

The first time everything is checked, so that a wrong file changes nothing. The second time its
conversations come in parts.
"""

from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

from core.models.chat import Message
from core.storage.transfer.checked_fields import malformed
from core.storage.transfer.format import (
    ConversationReading,
    TravellingConversation,
    check_version,
    conversation_in,
    unknown,
    weight,
)
from core.storage.transfer.json_events import (
    Events,
    ValueRefusedError,
    events_of,
    skip,
    whole,
)

# What one part of a conversation holds at most.
PART_MESSAGES = 200
PART_CHARACTERS = 1 << 20


class ExportFile:
    """An export in a file that can be read from its beginning again."""

    def __init__(self, file: BinaryIO, *, owner: str, tell: Callable[[int], None]) -> None:
        self._file = file
        self._owner = owner
        self._tell = tell
        self._late: dict[int, dict[str, object]] = {}  # fields that stand behind the messages

    def check(self) -> None:
        """Read all of it; InputError names the first place that is wrong."""
        reading = ConversationReading(self._owner)
        top: dict[str, object] = {}
        early: int | None = None
        for number, kind, value in _steps(self._events(), top):
            if kind == "begin":
                reading.begin(value)
                early = None
            elif kind == "messages":
                early = len(value)
            elif kind == "message":
                reading.message(value)
                reading.blobs.clear()
                reading.links.clear()
            elif kind == "wrong":
                raise reading.wrong("messages", "not a list")
            else:
                if early is None:
                    raise reading.wrong("messages", "missing")
                reading.end(value)
                if late := dict(list(value.items())[early:]):
                    self._late[number] = late
        check_version(top)
        if "conversations" not in top:
            raise malformed('file, "conversations"', "not a list")

    def parts(self) -> Iterator[TravellingConversation]:
        """Yield what was checked."""
        head: dict[str, object] = {}
        waiting: list[Message] = []
        held = 0
        reading = ConversationReading(self._owner)
        for number, kind, value in _steps(self._events(), {}):
            if kind == "begin":
                reading.begin(value)
                continue
            if kind == "messages":
                head = {**value, **self._late.get(number, {})}
                continue
            if kind == "message":
                waiting.append(reading.message(value))
                held += weight(waiting[-1], reading.blobs.get(waiting[-1].id, ()))
                if len(waiting) < PART_MESSAGES and held <= PART_CHARACTERS:
                    continue
            conversation = conversation_in(head, self._owner, reading.where)
            blobs, reading.blobs = reading.blobs, {}
            links, reading.links = reading.links, {}
            is_whole = kind == "end"
            yield TravellingConversation(conversation, tuple(waiting), is_whole, blobs, links)
            waiting, held = [], 0

    def _events(self) -> Events:
        return events_of(self._file, self._tell)


def _steps(events: Events, top: dict[str, object]) -> Iterator[tuple[int, str, Any]]:
    """Yield (conversation's number, what comes, its value); `top` takes the outermost fields.

    What comes is "begin" with {} or what stands there instead of a conversation, "messages" with
    the fields so far ("wrong" where they are no list), each "message", and "end" with all other
    fields.
    """
    if next(events)[0] != "start_map":
        raise unknown()
    number = 0
    for event, key in events:
        if event != "map_key":
            return
        event, value = next(events)
        if key != "conversations":
            if key in ("format", "version"):
                top[key] = _value(event, value, events)
            else:
                skip(event, events)
        elif event != "start_array":
            raise malformed('file, "conversations"', "not a list")
        else:
            top[key] = True
            for event, value in events:
                if event == "end_array":
                    break
                number += 1
                yield from ((number, *step) for step in _conversation(event, value, events))


def _conversation(event: str, value: Any, events: Events) -> Iterator[tuple[str, Any]]:
    if event != "start_map":
        yield "begin", _value(event, value, events)
        return
    yield "begin", {}
    fields: dict[str, object] = {}
    for event, key in events:
        if event == "end_map":
            break
        event, value = next(events)
        if key != "messages":
            fields[key] = _value(event, value, events)
            continue
        if event != "start_array":
            yield "wrong", None
            return
        yield "messages", fields
        for event, value in events:
            if event == "end_array":
                break
            yield "message", _value(event, value, events)
    yield "end", fields


def _value(event: str, value: Any, events: Events) -> Any:
    try:
        return whole(event, value, events)
    except ValueRefusedError as error:
        raise malformed("file", error.problem) from error
