"""Lenient decoding of what servers send: bytes to text to a JSON object, and halves of characters.

What strict readers refuse and others write is read: raw control characters, NaN, characters whose
surrogates come in two events.
"""

import json
from collections.abc import Iterable
from typing import Any

import msgspec

from core.models.chat import AnswerPart
from core.models.deltas import Delta
from core.providers.http.client import lenient_json
from core.wire.split_bytes import BytesJoiner
from core.wire.surrogates import PairJoiner

_LENIENT = json.JSONDecoder(strict=False)


def decoded(data: bytes | bytearray) -> str:
    """Return the text of an event; halves of surrogate pairs also where they stand as bytes."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        pass
    try:
        return data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return data.decode("utf-8", "replace")


def decoded_marked(data: bytes | bytearray) -> str:
    """Return the same with marks for bytes that are no text: pieces of a character, it may be.

    Servers that cut an answer by bytes put the rest of a character into the next event.
    """
    return data.decode("utf-8", "marked-bytes")


def object_in(text: str) -> dict[str, Any] | None:
    """Return the JSON object in a text, out of a list of one, too: so Gemini puts its errors."""
    try:
        value = msgspec.json.decode(text)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        value = lenient_json(text)
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    return value if isinstance(value, dict) else None


def whole_objects_in(text: str) -> tuple[list[dict[str, Any]], str]:
    """Return the objects that are a reply's body, and what stands behind them and may be lost.

    Mostly it is one. Gateways put comments in front, to keep the line open, and `[DONE]` behind;
    others put the pieces of an answer one behind the other, or in a list.
    """
    payload = object_in(text)
    if payload is not None:
        return [payload], ""
    lines = text.split("\n")
    while lines and (not lines[0].strip() or lines[0].startswith(":")):
        lines.pop(0)
    rest = "\n".join(lines).strip()
    values: list[Any] = []
    at = 0
    try:
        while at < len(rest):
            value, at = _LENIENT.raw_decode(rest, at)
            values += value if isinstance(value, list) else [value]
            at += len(rest[at:]) - len(rest[at:].lstrip(" \t\r\n,"))
    except (ValueError, RecursionError):
        pass
    behind = rest[at:].strip()
    is_done = behind.removeprefix("data:").strip() == "[DONE]"
    return [one for one in values if isinstance(one, dict)], "" if is_done else behind


class _Joiner:
    """Joins what came in pieces of one text, first the bytes, then the pairs."""

    __slots__ = ("bytes", "pairs")

    def __init__(self) -> None:
        self.bytes = BytesJoiner()
        self.pairs = PairJoiner()

    @property
    def is_waiting(self) -> bool:
        return self.bytes.is_waiting or self.pairs.is_waiting


class ChunkPairs:
    """Characters of both texts, joined over the events in which their halves come."""

    def __init__(self) -> None:
        self.halves: dict[AnswerPart, _Joiner] = {}  # of texts that ended in half a character
        self.is_marked = False  # signs for bytes came

    def join(self, delta: Delta) -> Delta:
        """Return a delta with whole characters, its texts as one."""
        part, texts, extras = delta
        text = self._join(part, "".join(texts)) if texts else ""
        return Delta(part, [text] if text else [], extras)

    def release(self, last: Iterable[Delta]) -> list[Delta]:
        """Return the last deltas, and what stands for halves that nothing completed."""
        rest = [self.join(delta) for delta in last]
        rest += [
            Delta(part, [joiner.bytes.end() + joiner.pairs.end()])
            for part, joiner in self.halves.items()
        ]
        self.halves = {}
        return [delta for delta in rest if delta.texts]

    def _join(self, part: AnswerPart, text: str) -> str:
        joiner = self.halves.pop(part, None) or _Joiner()
        if self.is_marked:
            text = joiner.bytes.take(text)
        whole = joiner.pairs.take(text)
        if joiner.is_waiting:
            self.halves[part] = joiner
        return whole
