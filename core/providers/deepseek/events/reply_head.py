"""The head of a reply: whether it begins a stream, lines of JSON, or one whole body.

A reply may be whole where a stream was asked for, and a stream where a whole one was: what stands
in it decides, not its content type.
"""

from core.providers.deepseek.events.json_lines import JsonLines
from core.providers.http.redaction import looks_like_html

BOM = b"\xef\xbb\xbf"

_HEAD_BYTES = 64 * 1024
_FIELDS = (b":", b"data:", b"event:", b"id:", b"retry:")


class ReplyHead:
    """Keeps how a reply begins until that is proved to be a stream; of a whole body, all of it."""

    def __init__(self, content_type: str) -> None:
        self._is_typed_whole = "json" in content_type or "html" in content_type
        self._is_event_stream = "event-stream" in content_type
        self._is_whole: bool | None = None  # unknown until the first byte that is no blank
        self._lines = JsonLines()
        self._is_lines = False
        self._kept = bytearray()

    @property
    def is_whole(self) -> bool:
        """Whether it is one body, as far as it came."""
        return self._is_whole is True

    @property
    def size(self) -> int:
        """How many bytes are kept."""
        return len(self._kept)

    @property
    def body(self) -> bytes:
        """What is kept."""
        return bytes(self._kept)

    def feed(self, raw: bytes, *, is_proved: bool) -> bytes:
        """Return what can be read as events by now; `is_proved`: some were of an answer."""
        if self._is_whole is False:
            if not is_proved and len(self._kept) < _HEAD_BYTES:
                self._kept += raw
            return self._lines.as_events(raw) if self._is_lines else raw
        self._kept += raw
        events = self._decide(is_at_end=False) if self._is_whole is None else b""
        if self._is_whole and self._lines.begin_in(self._kept):
            self._is_whole, self._is_lines = False, True
            return self._lines.as_events(self._kept.removeprefix(BOM))
        return events

    def end(self) -> bytes:
        """Return the rest of the events, ended; nothing follows."""
        if self._is_whole is None:
            self._decide(is_at_end=True)
        # llama.cpp was seen to leave out the blank line behind [DONE].
        return (self._lines.end() if self._is_lines else b"") + b"\n\n"

    def is_no_stream(self) -> bool:
        """Tell whether no event came because these are no events; content types may be wrong."""
        if looks_like_html(self.body):
            return True
        return not self._is_event_stream and any(
            line and not line.startswith(_FIELDS) for line in self.body.splitlines()
        )

    def _decide(self, *, is_at_end: bool) -> bytes:
        """Find out what it is, by how it begins; blanks may come before either."""
        head = self.body.lstrip(BOM).lstrip()
        if head[:1] in (b"{", b"[", b"<"):
            self._is_whole = True
        elif head and self._is_typed_whole and not head.startswith(_FIELDS):
            may_be_field = any(field.startswith(head) for field in _FIELDS)
            self._is_whole = True if not may_be_field or is_at_end else None
        elif head:
            self._is_whole = False
            return head if self._is_typed_whole else self.body
        elif is_at_end:
            self._is_whole = self._is_typed_whole
        return b""
