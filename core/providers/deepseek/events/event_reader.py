"""Event parsing of a streamed answer: bytes to chunks, and whether it came to its end.

A reply may also be whole where a stream was asked for, and a stream where a whole one was: what
stands in it decides, not its content type.
"""

import logging
from collections import deque
from collections.abc import Sequence
from typing import Any

from core.errors import ProtocolError, ProviderError
from core.models.chat import ChatChunk, TextRun
from core.providers.deepseek.error_shapes import says_error, words_in
from core.providers.deepseek.errors import cut_off, error_in_stream, unreadable
from core.providers.deepseek.events.decoding import (
    ChunkPairs,
    decoded,
    decoded_marked,
    object_in,
    whole_objects_in,
)
from core.providers.deepseek.events.event import plain_text
from core.providers.deepseek.events.json_lines import JsonLines, is_piece
from core.providers.deepseek.events.template import EventTemplate
from core.providers.deepseek.reply import ALIVE, ReplyReader, answer_in, has_message
from core.providers.deepseek.wire import PROVIDER
from core.providers.http.redaction import EXCERPT_LIMIT, clean_detail, looks_like_html
from core.wire.sse import SSEDecoder
from core.wire.surrogates import without_halves

logger = logging.getLogger(__name__)

WHOLE_REPLY_BYTES = 32 * 1024 * 1024
_HEAD_BYTES = 64 * 1024
_REST_BYTES = 64 * 1024  # of an unfinished event, from where on the decoder's own limits count
_DONE = "[DONE]"
_BLANK_LINE = b"\n\n"
_BOM = b"\xef\xbb\xbf"
_FIELDS = (b":", b"data:", b"event:", b"id:", b"retry:")
_SILENT = frozenset({"null", "{}", "[]", '""', *ALIVE})


class EventReader:
    """Reads one reply. `ready` is what came; once `is_ended`, `failure` tells how it broke off."""

    def __init__(self, *, host: str, secrets: Sequence[str], content_type: str = "") -> None:
        self._host = host
        self._secrets = secrets
        self._is_typed_whole = "json" in content_type or "html" in content_type
        self._is_event_stream = "event-stream" in content_type
        self._is_whole: bool | None = None  # unknown until the first byte that is no blank
        self._lines = JsonLines()
        self._is_lines = False
        self._decoder = SSEDecoder()
        self._template = EventTemplate()
        self._reply = ReplyReader()
        self._texts = self._reply.texts
        self._pairs = ChunkPairs()
        self._rest = b""  # behind the last whole event, not given to the decoder yet
        self._head = bytearray()  # the beginning, until the first event proves it to be a stream
        self._model: str | None = None  # that the last event named
        self._marked: dict[str, Any] | None = None  # the event, with signs for bytes in it
        self._told = ""  # the last words that were no answer
        self._garbage = 0
        self._has_data = False
        self._has_runs = False
        self._is_at_end = False
        self.ready: deque[ChatChunk | TextRun] = deque()
        self.failure: ProviderError | None = None
        self.has_moved = False  # the answer goes on; whoever watches the clock takes it back
        self.is_finished = False  # said to be complete
        self.is_ended = False  # nothing more is read

    def feed(self, raw: bytes) -> None:
        """Read what came."""
        if self._is_whole is False:
            if not self._has_data and len(self._head) < _HEAD_BYTES:
                self._head += raw
            self._decode(self._lines.as_events(raw) if self._is_lines else raw)
            return
        self._head += raw
        if self._is_whole is None:
            self._decide()
        if self._is_whole and self._lines.begin_in(self._head):
            self._is_whole, self._is_lines = False, True
            self._decode(self._lines.as_events(self._head.removeprefix(_BOM)))
        elif self._is_whole and len(self._head) > WHOLE_REPLY_BYTES:
            self._take_whole(bytes(self._head))
        elif self._is_whole:
            self.has_moved = not raw.isspace()

    def end(self) -> None:
        """Read what is left: nothing follows."""
        self._is_at_end = True
        if self._is_whole is None:
            self._decide()
        if self._is_whole:
            self._take_whole(bytes(self._head))
            return
        # llama.cpp was seen to leave out the blank line behind [DONE]; what this brings to light
        # may also be half an event, which is no garbage but a cut.
        garbage = self._garbage
        self._decode((self._lines.end() if self._is_lines else b"") + b"\n\n")
        if self.is_ended:
            return
        self._release()
        self.is_ended = True
        if self.is_finished:
            return
        if not self._has_data and (garbage or self._is_no_stream()):
            self._take_whole(bytes(self._head))
        else:
            error = cut_off(self._host)
            error.detail = clean_detail(self._told, secrets=self._secrets, limit=EXCERPT_LIMIT)
            self._fail(error)

    def break_off(self, error: ProviderError) -> None:
        """End without the rest: the connection broke, or was silent for too long."""
        self._release()
        self.is_ended = True
        if not self.is_finished:
            self.failure = error

    # -- a stream ----------------------------------------------------------------------------------

    def _decide(self) -> None:
        """Find out whether it is a stream, by how it begins; blanks may come before either."""
        head = bytes(self._head).lstrip(_BOM).lstrip()
        if head[:1] in (b"{", b"[", b"<"):
            self._is_whole = True
        elif head and self._is_typed_whole and not head.startswith(_FIELDS):
            may_be_field = any(field.startswith(head) for field in _FIELDS)
            self._is_whole = True if not may_be_field or self._is_at_end else None
        elif head:
            self._is_whole = False
            self._decode(head if self._is_typed_whole else bytes(self._head))
        elif self._is_at_end:
            self._is_whole = self._is_typed_whole

    def _decode(self, raw: bytes) -> None:
        block, self._rest = _split_at_last_event(self._rest + raw)
        while block and not self.is_ended:
            if (usual := self._usual_texts(block)) is not None:
                run, block = usual
                self._append_run(run)
                continue
            # One event tells what the next ones look like.
            size = block.find(_BLANK_LINE) + len(_BLANK_LINE) if self._template.is_of_use else 0
            if size < len(_BLANK_LINE):
                size = len(block)
            self._read_events(block[:size])
            block = block[size:]

    def _usual_texts(self, block: bytes) -> tuple[TextRun, bytes] | None:
        if self.is_finished or not self._template.is_of_use:
            return None
        return self._template.read(block) if self._decoder.is_between_events else None

    def _append_run(self, run: TextRun) -> None:
        self._has_data = self._has_runs = self.has_moved = True
        if not self._texts[run.part].lets_by(run.pieces):
            run = self._texts.new_in(run)
        if run.pieces:
            self.ready.append(self._pairs.join_run(run) if self._pairs.is_waiting else run)

    def _read_events(self, block: bytes) -> None:
        try:
            events = self._decoder.feed_raw(block)
        except ProtocolError as error:
            limit = {"host": self._host, "limit_bytes": error.facts.get("limit_bytes", "-")}
            self._fail(ProtocolError(error.text_id, provider=PROVIDER, facts=limit))
            return
        for name, data in events:
            is_usual = name == "message" and not self.is_finished and self._reply.is_first_choice
            said = plain_text(data, self._model) if is_usual else None
            if said is not None:
                self._append_run(said)
                self._template.learn(data, said, self._model)
                continue
            self._take_event(name, data)
            if self.is_ended:
                return

    def _take_event(self, name: str, data: bytes | bytearray) -> None:
        text = decoded(data)
        if "\ufffd" in text and (marked := decoded_marked(data)) != text:  # else all of it is text
            self._marked, self._pairs.is_marked = object_in(marked), True
        self._take(name, text)
        self._marked = None

    def _take(self, name: str, data: str) -> None:
        # A colon first: a comment that a proxy wrapped as data (section 8).
        if data[:1] in ("", ":"):
            return
        if len(data) < 16 and data.strip(" \t\"'").upper() == _DONE:
            self._release()
            self.is_ended = self.is_finished = True
            if self._garbage and not self._has_data:
                self._fail(unreadable(bytes(self._head), host=self._host, secrets=self._secrets))
            return
        payload = object_in(data)
        if payload is not None:
            self._take_payload(name, payload)
            return
        lines = data.split("\n")
        if len(lines) > 1:
            # Events without the blank line between them.
            for line in lines:
                if not self.is_ended:
                    self._take(name, line)
            return
        self._take_garbage(name, data)

    def _take_garbage(self, name: str, data: str) -> None:
        if name == "error":
            self._take_payload(name, {"error": data})
            return
        if name.lower() in ALIVE or data.strip().lower() in _SILENT:
            return
        self._garbage += 1
        self._told = without_halves(data)
        if self._garbage == 1:
            logger.warning("%s: skipped a data line that is not JSON", self._host)
        if not self._is_at_end:
            self.ready.append(ChatChunk(unread=1))

    def _take_payload(self, name: str, payload: dict[str, Any]) -> None:
        if name == "error" and not says_error(payload):
            payload = {"error": payload or "?"}
        if name.lower() in ALIVE and answer_in(payload) is None:
            return
        if self._has_runs:
            self._reply.note_text()
        error = error_in_stream(payload, host=self._host, secrets=self._secrets)
        had_ended = self.is_finished
        if error is None or answer_in(payload) is not None:
            self._has_data = True
            error = self._take_answer(payload) or error
        if error is not None and had_ended:
            # The answer has ended already: how the server is does not take it back.
            self.ready.append(ChatChunk(unread=1))
        elif error is not None:
            self._fail(error)

    def _take_answer(self, payload: dict[str, Any]) -> ProviderError | None:
        chunk, broken = self._reply.take(self._marked or payload)
        if chunk.unread:
            self._told = words_in(payload) or self._told
        if chunk.model and chunk.model != self._model:
            self._model = chunk.model
            self._template.forget()
        self.ready.append(self._pairs.join_chunk(chunk))
        if not self.is_finished:  # else the grace runs, whatever else is told
            self.is_finished = chunk.finish_reason is not None
            self.has_moved = True
        if broken is None:
            return None
        return error_in_stream(broken, host=self._host, secrets=self._secrets)

    # -- a whole reply -----------------------------------------------------------------------------

    def _take_whole(self, body: bytes) -> None:
        """Read a whole answer, or the error; as a stream, this comes in place of one."""
        self.is_ended = True
        payloads, behind = whole_objects_in(decoded(body.removeprefix(_BOM)))
        if behind:
            self.ready.append(ChatChunk(unread=1))
        if not payloads:
            self._fail(unreadable(body, host=self._host, secrets=self._secrets))
            return
        if not any(map(has_message, payloads)):
            payloads = payloads[:1]
        for payload in payloads:
            if (error := self._take_object(payload, body, is_only=len(payloads) == 1)) is not None:
                self._fail(error)
                return
        if not self.is_finished:
            self._fail(cut_off(self._host))
        self._release()

    def _take_object(
        self, payload: dict[str, Any], body: bytes, *, is_only: bool
    ) -> ProviderError | None:
        """Read an object of a body: its only one, or a piece; return what is wrong with it."""
        error = error_in_stream(payload, host=self._host, secrets=self._secrets)
        if has_message(payload) or (error is None and not is_only):
            error = self._take_answer(payload) or error
            self.is_finished = self.is_finished or is_only or not is_piece(payload)
        elif error is None:
            error = unreadable(body, host=self._host, secrets=self._secrets)
        return error

    def _is_no_stream(self) -> bool:
        """Tell whether no event came because these are no events; content types may be wrong."""
        head = bytes(self._head)
        if looks_like_html(head):
            return True
        return not self._is_event_stream and any(
            line and not line.startswith(_FIELDS) for line in head.splitlines()
        )

    def _release(self) -> None:
        self.ready.extend(self._pairs.release(self._texts.release()))

    def _fail(self, error: ProviderError) -> None:
        self._release()
        self.is_ended = True
        self.failure = error


def _split_at_last_event(block: bytes) -> tuple[bytes, bytes]:
    """Return the whole events, and the beginning of the next; all of it, where that is unsure."""
    whole = block.rfind(_BLANK_LINE) + len(_BLANK_LINE)
    rest = block[whole:]
    # With a CR in it, there may be an event that ends in other line ends.
    if whole < len(_BLANK_LINE) or len(rest) > _REST_BYTES or 13 in rest:
        return block, b""
    return block[:whole], rest
