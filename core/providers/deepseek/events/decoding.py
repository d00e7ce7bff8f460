"""Lenient decoding of what servers send: bytes to text to a JSON object, and halves of characters.

What strict readers refuse and others write is read: raw control characters, NaN, characters whose
surrogates come in two events.
"""

import json
from collections.abc import Iterable
from typing import Any

import msgspec

from core.models.chat import AnswerPart, ChatChunk, TextRun
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
        self._joiners: dict[AnswerPart, _Joiner] = {}  # of texts that ended in half a character
        self.is_waiting = False
        self.is_marked = False  # signs for bytes came

    def join_run(self, run: TextRun) -> TextRun:
        """Return a run, its pieces as they are where no half waits for them."""
        if run.part not in self._joiners:
            return run
        return TextRun(run.part, [self._join(run.part, "".join(run.pieces))])

    def join_chunk(self, chunk: ChatChunk) -> ChatChunk:
        """Return a chunk with whole characters."""
        if chunk.content:
            chunk = chunk._replace(content=self._join("content", chunk.content))
        if chunk.reasoning_content:
            thought = self._join("reasoning_content", chunk.reasoning_content)
            chunk = chunk._replace(reasoning_content=thought)
        return chunk

    def release(self, last: Iterable[TextRun]) -> list[TextRun]:
        """Return the last runs, and what stands for halves that nothing completed."""
        rest = [TextRun(part, [self._join(part, "".join(pieces))]) for part, pieces in last]
        rest += [
            TextRun(part, [joiner.bytes.end() + joiner.pairs.end()])
            for part, joiner in self._joiners.items()
        ]
        self._joiners, self.is_waiting = {}, False
        return rest

    def _join(self, part: AnswerPart, text: str) -> str:
        joiner = self._joiners.pop(part, None) or _Joiner()
        if self.is_marked:
            text = joiner.bytes.take(text)
        whole = joiner.pairs.take(text)
        if joiner.is_waiting:
            self._joiners[part] = joiner
        self.is_waiting = bool(self._joiners)
        return whole


def joined(parts: Iterable[ChatChunk | TextRun]) -> ChatChunk:
    """Return what chunks add together, as one."""
    whole = ChatChunk()
    texts: dict[str, list[str]] = {"content": [], "reasoning_content": []}
    for one in parts:
        if isinstance(one, TextRun):
            texts[one.part] += one.pieces
            continue
        texts["content"].append(one.content)
        texts["reasoning_content"].append(one.reasoning_content)
        whole = whole._replace(
            finish_reason=one.finish_reason or whole.finish_reason,
            usage=one.usage or whole.usage,
            model=one.model or whole.model,
            request_id=one.request_id or whole.request_id,
            tool_calls=(*whole.tool_calls, *one.tool_calls),
            unread=whole.unread + one.unread,
            logprobs=_more_logprobs(whole.logprobs, one.logprobs),
        )
    content, reasoning = ("".join(pieces) for pieces in texts.values())
    return whole._replace(content=content, reasoning_content=reasoning)


def _more_logprobs(
    known: dict[str, list[Any]] | None, more: dict[str, list[Any]] | None
) -> dict[str, list[Any]] | None:
    if more is None or known is None:
        return known or more
    return {part: [*known.get(part, ()), *more.get(part, ())] for part in {*known, *more}}
