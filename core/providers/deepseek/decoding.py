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


def object_in(text: str) -> dict[str, Any] | None:
    """Return the JSON object in a text, out of a list of one, too: so Gemini puts its errors."""
    try:
        value = msgspec.json.decode(text)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        value = lenient_json(text)
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    return value if isinstance(value, dict) else None


def whole_object_in(text: str) -> tuple[dict[str, Any] | None, str]:
    """Return the object that is a reply's body, and what stands behind it and may be lost.

    Gateways put comments in front, to keep the line open, and `[DONE]` behind.
    """
    payload = object_in(text)
    if payload is not None:
        return payload, ""
    lines = text.split("\n")
    while lines and (not lines[0].strip() or lines[0].startswith(":")):
        lines.pop(0)
    try:
        _, end = _LENIENT.raw_decode(text := "\n".join(lines).lstrip())
    except (ValueError, RecursionError):
        return None, ""
    behind = text[end:].strip()
    return object_in(text[:end]), "" if behind.removeprefix("data:").strip() == "[DONE]" else behind


class ChunkPairs:
    """Surrogate pairs of both texts, joined over the events in which their halves come."""

    def __init__(self) -> None:
        self._joiners: dict[AnswerPart, PairJoiner] = {}  # of texts that ended in half a character
        self.is_waiting = False

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

    def release(self) -> list[TextRun]:
        """Return what stands for halves that nothing completed."""
        rest = [TextRun(part, [joiner.end()]) for part, joiner in self._joiners.items()]
        self._joiners, self.is_waiting = {}, False
        return rest

    def _join(self, part: AnswerPart, text: str) -> str:
        joiner = self._joiners.pop(part, None) or PairJoiner()
        whole = joiner.take(text)
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
        )
    content, reasoning = ("".join(pieces) for pieces in texts.values())
    return whole._replace(content=content, reasoning_content=reasoning)
