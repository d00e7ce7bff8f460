"""A streamed answer as it arrives: bytes to chunks, and how it ended."""

import logging
from collections import deque
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

import httpx

from core.errors import ProtocolError, ProviderError
from core.models.chat import ChatChunk, TextRun
from core.providers.deepseek.errors import error_in_stream, unreadable
from core.providers.deepseek.event import plain_text
from core.providers.deepseek.template import EventTemplate
from core.providers.deepseek.timeouts import (
    Limit,
    StreamTimers,
    TimedBody,
    cut_off,
    next_data_limit,
)
from core.providers.deepseek.wire import PROVIDER, chunk_from_json, completion_from_json
from core.providers.http.client import json_object
from core.providers.http.redaction import looks_like_html
from core.wire.sse import SSEDecoder

logger = logging.getLogger(__name__)

# After finish_reason only usage and [DONE] can follow; some servers send neither and stay open.
GRACE_S = 2.0
# The reply's last bytes mostly travel with [DONE]; read to the end, the connection can be reused.
DRAIN_S = 0.1
WHOLE_REPLY_BYTES = 32 * 1024 * 1024
_HEAD_BYTES = 64 * 1024
_REST_BYTES = 64 * 1024  # of an unfinished event, from where on the decoder's own limits count
_DONE = "[DONE]"
_BLANK_LINE = b"\n\n"
_FIELDS = (b":", b"data", b"event", b"id", b"retry")


class ChunkStream(AsyncIterator[ChatChunk]):
    """Yields what each event adds; raises when the answer broke off or never was one."""

    def __init__(
        self,
        response: httpx.Response,
        *,
        host: str,
        secrets: Sequence[str],
        timers: StreamTimers,
        waited_s: float = 0.0,
    ) -> None:
        self._body = TimedBody(response, host=host, timers=timers, waited_s=waited_s)
        self._host = host
        self._secrets = secrets
        self._next_data = next_data_limit(timers)
        content_type = response.headers.get("content-type", "").lower()
        self._is_event_stream = "event-stream" in content_type
        self._is_whole = "json" in content_type or "html" in content_type
        self._decoder = SSEDecoder()
        self._template = EventTemplate()
        self._rest = b""  # behind the last whole event, not given to the decoder yet
        self._head = bytearray()  # the beginning, until the first event proves it to be a stream
        self._ready: deque[ChatChunk | TextRun] = deque()
        self._single: deque[ChatChunk] = deque()  # of what was ready, for who reads one by one
        self._model: str | None = None  # that the last event named
        self._failure: ProviderError | None = None
        self._ended = False
        self._has_data = False
        self._has_moved = False
        self._is_finished = False
        self._garbage = 0

    async def __anext__(self) -> ChatChunk:
        if not self._single:
            if not await self._has_more():
                raise StopAsyncIteration
            run = self._ready.popleft()
            self._single.extend(_one_by_one(run) if isinstance(run, TextRun) else [run])
        return self._single.popleft()

    async def batches(self) -> AsyncIterator[list[ChatChunk | TextRun]]:
        """Yield what each read brought: one by one costs as much as reading them."""
        while await self._has_more():
            batch = list(self._ready)
            self._ready.clear()
            yield batch

    async def _has_more(self) -> bool:
        """Read on until something is ready, or nothing more will come; raises how it broke off."""
        while not self._ready:
            if self._failure is not None:
                failure, self._failure = self._failure, None
                raise failure
            if self._ended:
                return False
            await self._read_on()
        return True

    async def drain(self) -> None:
        """Read what is left behind a complete answer, if it is there already."""
        if self._ended and self._is_finished:
            self._body.wait_for(Limit(DRAIN_S, ""))
            try:
                while await self._body.read():
                    pass
            except ProviderError:
                pass

    def end(self) -> None:
        """Yield nothing more: the connection is being closed."""
        self._ended = True
        self._body.close()

    async def _read_on(self) -> None:
        try:
            raw = await self._body.read()
        except ProviderError as error:
            self._ended = True
            if not self._is_finished:
                self._failure = error
            return
        if self._is_whole:
            self._collect(raw)
        elif raw:
            self._decode(raw)
        else:
            self._at_end()

    def _decode(self, raw: bytes) -> None:
        if not self._has_data and len(self._head) < _HEAD_BYTES:
            self._head += raw
        block, self._rest = _split_at_last_event(self._rest + raw)
        while block and not self._ended:
            if (usual := self._usual_texts(block)) is not None:
                run, block = usual
                self._ready.append(run)
                self._has_data = self._has_moved = True
                continue
            # One event tells what the next ones look like.
            size = block.find(_BLANK_LINE) + len(_BLANK_LINE) if self._template.is_of_use else 0
            if size < len(_BLANK_LINE):
                size = len(block)
            self._read_events(block[:size])
            block = block[size:]
        if self._has_moved:
            self._has_moved = False
            self._body.wait_for(self._next_data)

    def _usual_texts(self, block: bytes) -> tuple[TextRun, bytes] | None:
        if self._is_finished or not self._template.is_of_use:
            return None
        return self._template.read(block) if self._decoder.is_between_events else None

    def _read_events(self, block: bytes) -> None:
        try:
            events = self._decoder.feed_raw(block)
        except ProtocolError as error:
            limit = {"host": self._host, "limit_bytes": error.facts.get("limit_bytes", "-")}
            self._fail(ProtocolError(error.text_id, provider=PROVIDER, facts=limit))
            return
        for name, data in events:
            said = plain_text(data, self._model) if name == "message" else None
            if said is not None and not self._is_finished:
                self._ready.append(said)
                self._has_data = self._has_moved = True
                self._template.learn(data, said, self._model)
                continue
            self._take(name, data.decode("utf-8", "replace"))
            if self._ended:
                return

    def _take(self, name: str, data: str) -> None:
        # A colon first: a comment that a proxy wrapped as data (section 8).
        if not data or data[0] == ":":
            return
        if len(data) < 16 and data.strip() == _DONE:
            self._ended = self._is_finished = True
            if self._garbage and not self._has_data:
                self._fail(unreadable(bytes(self._head), host=self._host, secrets=self._secrets))
            return
        payload = json_object(data)
        if payload is not None:
            self._take_payload(name, payload)
            return
        lines = data.split("\n")
        if len(lines) > 1:
            # Events without the blank line between them.
            for line in lines:
                if not self._ended:
                    self._take(name, line)
            return
        self._garbage += 1
        if self._garbage == 1:
            logger.warning("%s: skipped a data line that is not JSON", self._host)

    def _take_payload(self, name: str, payload: dict[str, Any]) -> None:
        if name == "error" and "error" not in payload:
            payload = {"error": payload}
        if "choices" not in payload or payload.get("error"):
            error = error_in_stream(payload, host=self._host, secrets=self._secrets)
            if error is not None:
                self._fail(error)
                return
        self._has_data = True
        chunk = chunk_from_json(payload)
        if chunk.model and chunk.model != self._model:
            self._model = chunk.model
            self._template.forget()
        self._ready.append(chunk)
        if self._is_finished:
            return  # the grace runs, whatever else is told
        if chunk.finish_reason is None:
            self._has_moved = True
        else:
            self._has_moved = False
            self._is_finished = True
            self._body.wait_for(Limit(GRACE_S, ""))

    def _collect(self, raw: bytes) -> None:
        """Gather a reply that is no stream; blank lines before it are keep-alives."""
        self._head += raw
        if raw and len(self._head) <= WHOLE_REPLY_BYTES:
            if not raw.isspace():
                self._body.wait_for(self._next_data)
            return
        self._take_whole(bytes(self._head))

    def _take_whole(self, body: bytes) -> None:
        """Read a whole answer, or the error, that came in place of a stream."""
        payload = json_object(body)
        completion = completion_from_json(payload) if payload is not None else None
        if payload is not None and (completion is None or payload.get("error")):
            self._fail(
                error_in_stream(payload, host=self._host, secrets=self._secrets)
                or unreadable(body, host=self._host, secrets=self._secrets)
            )
        elif completion is None:
            self._fail(unreadable(body, host=self._host, secrets=self._secrets))
        else:
            self._ready.append(completion)
            self._ended = self._is_finished = True

    def _at_end(self) -> None:
        # llama.cpp was seen to leave out the blank line behind [DONE]; what this brings to light
        # may also be half an event, which is no garbage but a cut.
        garbage = self._garbage
        self._decode(b"\n\n")
        if self._ended:
            return
        self._ended = True
        if self._is_finished:
            return
        if not self._has_data and (garbage or self._is_no_stream()):
            self._take_whole(bytes(self._head))
        else:
            self._fail(cut_off(self._host))

    def _is_no_stream(self) -> bool:
        """Tell whether no event came because these are no events; content types may be wrong."""
        head = bytes(self._head)
        if head.lstrip().startswith(b"{") or looks_like_html(head):
            return True
        return not self._is_event_stream and any(
            line and not line.startswith(_FIELDS) for line in head.splitlines()
        )

    def _fail(self, error: ProviderError) -> None:
        self._ended = True
        self._failure = error


def _one_by_one(run: TextRun) -> Iterator[ChatChunk]:
    is_answer = run.part == "content"
    for piece in run.pieces:
        yield ChatChunk(piece) if is_answer else ChatChunk(reasoning_content=piece)


def _split_at_last_event(block: bytes) -> tuple[bytes, bytes]:
    """Return the whole events, and the beginning of the next; all of it, where that is unsure."""
    whole = block.rfind(_BLANK_LINE) + len(_BLANK_LINE)
    rest = block[whole:]
    # With a CR in it, there may be an event that ends in other line ends.
    if whole < len(_BLANK_LINE) or len(rest) > _REST_BYTES or 13 in rest:
        return block, b""
    return block[:whole], rest
