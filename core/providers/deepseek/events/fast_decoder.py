"""The fast decoder of streamed answers: bytes to deltas, many events at once.

Nearly all events of a stream are alike but for their text, and read in batches (`template`). Each
of the others is read by itself, the short way (`event`) or in full (`answer_so_far`).
"""

import logging
from collections.abc import Sequence
from typing import Any

from core.errors import ProtocolError, ProviderError
from core.models.deltas import Delta
from core.providers.deepseek.events.answer_so_far import AnswerSoFar
from core.providers.deepseek.events.decoding import decoded, decoded_marked, object_in
from core.providers.deepseek.events.event import plain_text
from core.providers.deepseek.events.reply_head import ReplyHead
from core.providers.deepseek.events.template import EventTemplate
from core.providers.deepseek.events.whole_reply import read_whole
from core.providers.deepseek.reply import ALIVE
from core.providers.deepseek.wire import PROVIDER
from core.wire.sse import SSEDecoder
from core.wire.surrogates import without_halves

logger = logging.getLogger(__name__)

WHOLE_REPLY_BYTES = 32 * 1024 * 1024
_REST_BYTES = 64 * 1024  # of an unfinished event, from where on the decoder's own limits count
_DONE = "[DONE]"
_BLANK_LINE = b"\n\n"
_SILENT = frozenset({"null", "{}", "[]", '""', *ALIVE})


class FastDecoder:
    """Reads one reply, however its bytes are cut; `answer` tells how far that has come."""

    def __init__(self, *, host: str, secrets: Sequence[str], content_type: str = "") -> None:
        self._host = host
        self._head = ReplyHead(content_type)
        self._events = SSEDecoder()
        self._is_between_events = False  # nothing was begun that the next bytes could belong to
        self._rest = b""  # behind the last whole event, not given to the decoder yet
        self._template = EventTemplate()
        self._garbage = 0
        self._is_at_end = False
        self.answer = AnswerSoFar(host=host, secrets=secrets)

    def feed(self, raw: bytes) -> list[Delta]:
        """Return what came by these bytes."""
        self.answer.has_moved = False
        events = self._head.feed(raw, is_proved=self.answer.has_data)
        if not self._head.is_whole:
            return self._decode(events)
        if self._head.size > WHOLE_REPLY_BYTES:
            return read_whole(self._head.body, self.answer)
        self.answer.has_moved = not raw.isspace()
        return []

    def end(self) -> list[Delta]:
        """Return what is left: nothing follows."""
        self._is_at_end = True
        # What comes to light now may also be half an event, which is no garbage but a cut.
        garbage = self._garbage
        events = self._head.end()
        if self._head.is_whole:
            return read_whole(self._head.body, self.answer)
        deltas = self._decode(events)
        answer = self.answer
        if answer.is_ended:
            return deltas
        if not (answer.has_data or answer.is_finished) and (garbage or self._head.is_no_stream()):
            return deltas + read_whole(self._head.body, answer)
        return deltas + answer.end()

    def break_off(self, error: ProviderError) -> list[Delta]:
        """Return what was held back: the connection broke, or was silent for too long."""
        return self.answer.break_off(error)

    def _decode(self, raw: bytes) -> list[Delta]:
        block, self._rest = _split_at_last_event(self._rest + raw)
        deltas: list[Delta] = []
        answer, template = self.answer, self._template
        while block and not answer.is_ended:
            is_usual = self._is_between_events and not answer.is_finished
            if is_usual and (usual := template.read(block)) is not None:
                said, block = usual
                if (new := answer.add_texts(said)).texts:
                    deltas.append(new)
                continue
            # One event tells what the next ones look like.
            size = block.find(_BLANK_LINE) + len(_BLANK_LINE) if template.is_of_use else 0
            if size < len(_BLANK_LINE):
                size = len(block)
            deltas += self._read_events(block[:size])
            block = block[size:]
        return deltas

    def _read_events(self, block: bytes) -> list[Delta]:
        answer = self.answer
        try:
            events = self._events.feed_raw(block)
        except ProtocolError as error:
            limit = {"host": self._host, "limit_bytes": error.facts.get("limit_bytes", "-")}
            return answer.fail(ProtocolError(error.text_id, provider=PROVIDER, facts=limit))
        self._is_between_events = block.endswith(_BLANK_LINE)
        deltas: list[Delta] = []
        for name, data in events:
            model = answer.model
            is_usual = name == "message" and answer.may_be_usual
            said = plain_text(data, model) if is_usual else None
            if said is not None:
                if (new := answer.add_texts(said)).texts:
                    deltas.append(new)
                self._template.learn(data, said, model)
                continue
            deltas += self._read_event(name, data)
            if answer.model != model:
                self._template.forget()
            if answer.is_ended:
                break
        return deltas

    def _read_event(self, name: str, data: bytes | bytearray) -> list[Delta]:
        text = decoded(data)
        marked = None
        if "\ufffd" in text and (signs := decoded_marked(data)) != text:  # else all of it is text
            marked = object_in(signs)
        return self._read_text(name, text, marked)

    def _read_text(self, name: str, data: str, marked: dict[str, Any] | None) -> list[Delta]:
        # A colon first: a comment that a proxy wrapped as data (section 8).
        if data[:1] in ("", ":"):
            return []
        answer = self.answer
        if len(data) < 16 and data.strip(" \t\"'").upper() == _DONE:
            if self._garbage and not answer.has_data:
                answer.is_finished = True
                return answer.fail(answer.unreadable(self._head.body))
            return answer.finish()
        if (payload := object_in(data)) is not None:
            return answer.add_event(name, payload, marked)
        lines = data.split("\n")
        if len(lines) == 1:
            return self._read_garbage(name, data)
        # Events without the blank line between them.
        deltas: list[Delta] = []
        for line in lines:
            if not answer.is_ended:
                deltas += self._read_text(name, line, marked)
        return deltas

    def _read_garbage(self, name: str, data: str) -> list[Delta]:
        answer = self.answer
        if name == "error":
            return answer.add_event(name, {"error": data}, None)
        if name.lower() in ALIVE or data.strip().lower() in _SILENT:
            return []
        self._garbage += 1
        answer.last_words = without_halves(data)
        if self._garbage == 1:
            logger.warning("%s: skipped a data line that is not JSON", self._host)
        return [] if self._is_at_end else answer.lacking()


def _split_at_last_event(block: bytes) -> tuple[bytes, bytes]:
    """Return the whole events, and the beginning of the next; all of it, where that is unsure."""
    whole = block.rfind(_BLANK_LINE) + len(_BLANK_LINE)
    rest = block[whole:]
    # With a CR in it, there may be an event that ends in other line ends.
    if whole < len(_BLANK_LINE) or len(rest) > _REST_BYTES or 13 in rest:
        return block, b""
    return block[:whole], rest
