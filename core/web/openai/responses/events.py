"""Streaming events of a response: items open, grow and close in their order."""

from collections.abc import Sequence
from typing import Any, Literal

import msgspec
from msgspec.structs import replace

from core.models.notices import Notice
from core.texts.catalogue import Language
from core.web.chat.http_errors import http_error_of
from core.web.chat.notices import with_notices
from core.web.openai.errors import body_of
from core.web.openai.responses.objects import (
    CallItem,
    Json,
    OutputItem,
    OutputText,
    ReasoningText,
    Response,
    ResponseFault,
    call_item,
    ended,
    message_item,
    reasoning_item,
)
from core.work.chat.buffers.cursors import Pieces
from core.work.chat.buffers.tool_call_buffer import CallGrowth
from core.work.chat.live_answer import LiveAnswer

_encode = msgspec.json.Encoder().encode
_Kind = Literal["reasoning", "message"]


class _Item:
    """An item of the output that grows."""

    def __init__(self, kind: str, place: int, item: OutputItem) -> None:
        self.kind, self.place, self.item = kind, place, item
        self.texts: list[str] = []

    @property
    def at(self) -> Json:
        return {"item_id": self.item.id, "output_index": self.place}

    @property
    def text(self) -> str:
        return "".join(self.texts)


class ResponseWriter:
    """Writes the events of one response."""

    def __init__(self, live: LiveAnswer, response: Response, notices: Sequence[Notice]) -> None:
        self._answer_id = live.message_id
        self._response = response
        self._notices = notices
        self._sequence = 0
        self.is_washed = False  # how it begins is of the request
        self._output: list[OutputItem] = []
        self._open: _Item | None = None  # thinking, or words
        self._calls: dict[int, _Item] = {}

    def of(self, pieces: Pieces) -> bytes:
        """Return the events of what came."""
        if not (pieces.reasoning or pieces.content or pieces.calls):
            return b""
        self.is_washed = self._sequence > 0
        events = self._begin()
        if pieces.reasoning:
            events += self._grow("reasoning", pieces.reasoning)
        if pieces.content:
            events += self._grow("message", pieces.content)
        for growth in pieces.calls:
            events += self._grow_call(growth)
        return events

    def closing(self, live: LiveAnswer, language: Language) -> bytes:
        """Return the events of the end."""
        message = live.outline()
        events = self._begin() + self._close()
        for call in self._calls.values():
            events += self._close_call(call)
        error = http_error_of(message, live.error, language)
        if error is None:
            response = ended(self._response, self._output, message)
        else:
            told = body_of(error).error
            why = ResponseFault(told.code or "server_error", told.message)
            response = replace(self._response, output=self._output, status="failed", error=why)
        response = with_notices(response, message, language, self._notices)
        return events + self._event(f"response.{response.status}", response=response)

    def _begin(self) -> bytes:
        if self._sequence:
            return b""
        started = self._event("response.created", response=self._response)
        return started + self._event("response.in_progress", response=self._response)

    def _grow(self, kind: _Kind, pieces: list[str]) -> bytes:
        events = b""
        if self._open is None or self._open.kind != kind:
            events = self._close() + self._open_item(kind)
        item = self._open
        assert item is not None
        item.texts += pieces
        name = "reasoning_text" if kind == "reasoning" else "output_text"
        more: Json = {} if kind == "reasoning" else {"logprobs": []}
        for piece in pieces:
            events += self._event(
                f"response.{name}.delta", **item.at, content_index=0, delta=piece, **more
            )
        return events

    def _open_item(self, kind: _Kind) -> bytes:
        place = len(self._output)
        suffix = f"{self._answer_id}_{place}" if place else self._answer_id
        is_thought = kind == "reasoning"
        empty: OutputItem
        empty = reasoning_item(f"rs_{suffix}") if is_thought else message_item(f"msg_{suffix}")
        self._output.append(empty)
        self._open = item = _Item(kind, place, empty)
        events = self._event("response.output_item.added", output_index=place, item=empty)
        part = ReasoningText("") if is_thought else OutputText("")
        return events + self._event(
            "response.content_part.added", **item.at, content_index=0, part=part
        )

    def _close(self) -> bytes:
        item, self._open = self._open, None
        if item is None:
            return b""
        is_thought, text = item.kind == "reasoning", item.text
        name = "reasoning_text" if is_thought else "output_text"
        part = ReasoningText(text) if is_thought else OutputText(text)
        whole = (reasoning_item if is_thought else message_item)(item.item.id, text)
        more: Json = {} if is_thought else {"logprobs": []}
        at = {**item.at, "content_index": 0}
        return (
            self._event(f"response.{name}.done", **at, text=text, **more)
            + self._event("response.content_part.done", **at, part=part)
            + self._done(item, whole)
        )

    def _grow_call(self, growth: CallGrowth) -> bytes:
        events = self._close()
        if growth.is_new:
            item_id = f"fc_{self._answer_id}_{growth.number}"
            empty = call_item(item_id, growth.id, growth.name)
            self._calls[growth.number] = _Item("call", len(self._output), empty)
            self._output.append(empty)
            place = len(self._output) - 1
            events += self._event("response.output_item.added", output_index=place, item=empty)
        call = self._calls[growth.number]
        if growth.arguments:
            call.texts.append(growth.arguments)
            events += self._event(
                "response.function_call_arguments.delta", **call.at, delta=growth.arguments
            )
        return events

    def _close_call(self, call: _Item) -> bytes:
        item = call.item
        assert isinstance(item, CallItem)
        whole = call_item(item.id, item.call_id, item.name, call.text)
        done = {**call.at, "arguments": call.text, "name": item.name}
        return self._event("response.function_call_arguments.done", **done) + self._done(
            call, whole
        )

    def _done(self, item: _Item, whole: OutputItem) -> bytes:
        self._output[item.place] = whole
        return self._event("response.output_item.done", output_index=item.place, item=whole)

    def _event(self, kind: str, **fields: Any) -> bytes:
        data = _encode({"type": kind, "sequence_number": self._sequence, **fields})
        self._sequence += 1
        return b"event: %b\ndata: %b\n\n" % (kind.encode(), data)
