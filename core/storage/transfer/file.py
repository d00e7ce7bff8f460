"""Streaming parser of export files: any size, read twice, never whole in memory.

The first time everything is checked, so that a wrong file changes nothing. The second time its
conversations come in parts.
"""

import codecs
import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any, BinaryIO

import ijson  # type: ignore[import-untyped]
from ijson.common import ObjectBuilder  # type: ignore[import-untyped]

from core.models.chat import Message
from core.storage.transfer.format import (
    ConversationReading,
    TravellingConversation,
    check_version,
    conversation_in,
    malformed,
    not_ours,
    weight,
)

# What one part of a conversation holds at most.
PART_MESSAGES = 200
PART_CHARACTERS = 1 << 20

_DEEPEST = 64  # our own files are seven deep
_READ_AT_ONCE = 1 << 16
_OPENING = ("start_map", "start_array")
_CLOSING = ("end_map", "end_array")

Events = Iterator[tuple[str, Any]]


class ExportFile:
    """An export in a file that can be read from its beginning again."""

    def __init__(self, file: BinaryIO, *, owner: str, tell: Callable[[int], None]) -> None:
        self._file = file
        self._owner = owner
        self._tell = tell
        self._late: dict[int, dict[str, object]] = {}  # fields that stand behind the messages

    def check(self) -> None:
        """Read all of it; InputError names the first place that is wrong."""
        try:
            self._check()
        except SystemError as error:
            # ijson's C part goes on after a number of more digits than Python converts (3.6.0).
            raise malformed("file", "not JSON") from error

    def _check(self) -> None:
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
            yield TravellingConversation(conversation, tuple(waiting), kind == "end", blobs)
            waiting, held = [], 0

    def _events(self) -> Events:
        self._file.seek(0)
        try:
            yield from ijson.basic_parse(_Utf8(self._file, self._tell), buf_size=_READ_AT_ONCE)
        except (ijson.JSONError, ValueError) as error:  # UnicodeError is one
            raise malformed("file", "not JSON") from error


class _Utf8:
    """A binary file read as UTF-8, whichever Unicode encoding it is in, with or without BOM."""

    def __init__(self, file: BinaryIO, tell: Callable[[int], None]) -> None:
        self._file = file
        self._tell = tell
        self._began = False
        self._decoder: codecs.IncrementalDecoder | None = None

    def read(self, size: int) -> bytes:
        data = self._file.read(size)
        self._tell(self._file.tell())
        if not self._began and size:
            self._began = True
            encoding = json.detect_encoding(data)
            if encoding == "utf-8-sig":
                data = data[len(codecs.BOM_UTF8) :]
            elif encoding != "utf-8":
                self._decoder = codecs.getincrementaldecoder(encoding)()
        if self._decoder is None:
            return data
        text = self._decoder.decode(data, final=not data)
        while data and not text:  # an empty answer would mean the end
            data = self._file.read(size)
            text = self._decoder.decode(data, final=not data)
        return text.encode()


def _steps(events: Events, top: dict[str, object]) -> Iterator[tuple[int, str, Any]]:
    """Yield (conversation's number, what comes, its value); `top` takes the outermost fields.

    What comes is "begin" with {} or what stands there instead of a conversation, "messages" with
    the fields so far ("wrong" where they are no list), each "message", and "end" with all other
    fields.
    """
    if next(events)[0] != "start_map":
        raise not_ours()
    number = 0
    for event, key in events:
        if event != "map_key":
            return
        event, value = next(events)
        if key != "conversations":
            whole = _whole(event, value, events, is_kept=key in ("format", "version"))
            if whole is not None:
                top[key] = whole
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
        yield "begin", _whole(event, value, events)
        return
    yield "begin", {}
    fields: dict[str, object] = {}
    for event, key in events:
        if event == "end_map":
            break
        event, value = next(events)
        if key != "messages":
            fields[key] = _whole(event, value, events)
            continue
        if event != "start_array":
            yield "wrong", None
            return
        yield "messages", fields
        for event, value in events:
            if event == "end_array":
                break
            yield "message", _whole(event, value, events)
    yield "end", fields


def _whole(event: str, value: Any, events: Events, *, is_kept: bool = True) -> Any:
    """Return the value that begins with an event; None when it is not to be kept."""
    builder = ObjectBuilder()
    depth = 0
    while True:
        depth += (event in _OPENING) - (event in _CLOSING)
        if depth > _DEEPEST:
            raise malformed("file", "nested too deeply")
        if is_kept:
            builder.event(event, float(value) if isinstance(value, Decimal) else value)
        if depth == 0:
            return builder.value if is_kept else None
        event, value = next(events)
