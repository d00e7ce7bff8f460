"""Server-sent events, both ways: bytes to events, events to bytes.

The rules are those of the WHATWG text, sections "Parsing an event stream" and "Interpreting an
event stream" (https://html.spec.whatwg.org/multipage/server-sent-events.html).
"""

from typing import Any, NamedTuple

from core.errors import ProtocolError

MAX_EVENT_BYTES = 8 * 1024 * 1024  # far past any chunk of an answer, far below what a host has

_BOM = b"\xef\xbb\xbf"
_JOIN_BYTES = 32 * 1024  # of an unfinished line, after which its pieces become one
_MAX_RETRY_DIGITS = 300  # int() refuses thousands of digits; this many still fit a float


class ServerSentEvent(NamedTuple):
    """One dispatched event; `id` is the last event id in force, also when an older event set it.

    A named tuple, not our usual frozen dataclass: it is made in half the time, and hundreds of
    streams make tens of thousands a second.
    """

    event: str
    data: str
    id: str


class SSEDecoder:
    """Turn the bytes of one stream, however they are cut, into events.

    `last_event_id` and `retry_ms` belong to the stream: what a reader who connects again sends and
    waits. An event that is unfinished when the stream ends was never dispatched. Time is linear in
    the input. A line together with the data before it may hold `max_event_bytes`.
    """

    __slots__ = (
        "_after_cr",
        "_at_start",
        "_data",
        "_event",
        "_id",
        "_limit",
        "_max_event_bytes",
        "_pieces",
        "_room",
        "last_event_id",
        "retry_ms",
    )

    def __init__(self, *, max_event_bytes: int = MAX_EVENT_BYTES) -> None:
        self.last_event_id = ""
        self.retry_ms: int | None = None
        self._max_event_bytes = max_event_bytes
        self._limit = max_event_bytes  # negative once the stream is given up: nothing fits any more
        self._pieces: list[bytes | bytearray] = []  # of the unfinished line
        self._data: bytes | bytearray | None = None  # the data buffer less its last LF
        self._event = ""
        self._id = ""  # read, but in force only from the next blank line on
        self._after_cr = False
        self._at_start = True
        # How many bytes may come before the unfinished line is looked at. The third of all tells
        # whether there is a BOM.
        self._room = len(_BOM) - 1

    def feed(self, chunk: bytes) -> list[ServerSentEvent]:
        """Return the events that `chunk` completes.

        Raises ProtocolError for a line or event past the limit, and from then on always: what
        follows cannot be told apart from what was dropped.
        """
        # LF and CR as numbers: that test is several times as fast as `b"\n" in chunk`.
        if 10 in chunk or 13 in chunk:
            return self._end_events(chunk, False)
        self._pieces.append(chunk)
        self._room = room = self._room - len(chunk)
        if room < 0:
            self._join_pieces()
            if self._room < 0:
                raise self._too_large()
        return []

    def feed_raw(self, chunk: bytes) -> list[tuple[str, bytes | bytearray]]:
        """Do the same; return name and data of each event only, and the data as the bytes it is.

        For data that is JSON: its parser reads UTF-8 itself, and bytes that are none must be told
        apart from text before they are replaced.
        """
        if 10 in chunk or 13 in chunk:
            return self._end_events(chunk, True)
        self.feed(chunk)
        return []

    def _end_events(self, chunk: bytes, is_raw: bool) -> list[Any]:
        # What providers send nearly always: one event, one line, nothing begun before it.
        if (
            chunk[:6] == b"data: "
            and chunk.find(10) == len(chunk) - 2
            and chunk[-1] == 10
            and 13 not in chunk
            and len(chunk) <= self._room
            and self._data is None
            and not self._pieces
            and not self._event
        ):
            self._after_cr = False
            self.last_event_id = self._id
            if is_raw:
                return [("message", chunk[6:-2])]
            return [ServerSentEvent("message", chunk[6:-2].decode("utf-8", "replace"), self._id)]
        events = self._end_lines(chunk, is_raw)
        if self._room < 0:
            raise self._too_large()
        return events

    def _end_lines(self, chunk: bytes, is_raw: bool) -> list[Any]:
        # A chunk that fits as a whole leaves nothing to measure line by line.
        is_tight = len(chunk) > self._room
        block = chunk
        if self._pieces:
            self._pieces.append(chunk)
            block = b"".join(self._pieces)
            self._pieces.clear()
        if self._after_cr and block[0] == 10:
            block = block[1:]
        if self._at_start:
            self._at_start = False
            block = block.removeprefix(_BOM)

        # Unlike str.splitlines, that of bytes knows LF, CR and CRLF only. No terminator is part of
        # a UTF-8 sequence, not even of a broken one, so values may be decoded one by one.
        lines = block.splitlines()
        last = chunk[-1]
        self._after_cr = last == 13
        rest = lines.pop() if last != 10 and last != 13 else b""

        data = self._data
        events: list[Any] = []
        for line in lines:
            if is_tight and len(line) + len(data or b"") > self._limit:
                self._give_up()
                return []
            if line[:6] == b"data: ":
                value = line[6:]
            elif not line:
                self.last_event_id = self._id
                if data is not None:
                    name = self._event or "message"
                    if is_raw:
                        events.append((name, data))
                    else:
                        text = data.decode("utf-8", "replace")
                        events.append(ServerSentEvent(name, text, self._id))
                    data = None
                self._event = ""
                continue
            else:
                field, _, value = line.partition(b":")
                value = value.removeprefix(b" ")
                if field != b"data":
                    self._set_field(field, value)
                    continue
            if data is None:
                data = value
            else:
                if isinstance(data, bytes):
                    data = bytearray(data)
                data += b"\n"
                data += value
        self._data = data

        room = self._limit - len(data) if data else self._limit
        if room > _JOIN_BYTES:
            room = _JOIN_BYTES
        if rest:
            self._pieces.append(rest)
            room -= len(rest)
        self._room = room
        if room < 0:
            self._join_pieces()
        return events

    def _set_field(self, name: bytes, value: bytes) -> None:
        if name == b"event":
            self._event = value.decode("utf-8", "replace")
        elif name == b"id":
            if 0 not in value:
                self._id = value.decode("utf-8", "replace")
        elif name == b"retry" and value.isdigit():  # of bytes, so ASCII digits and at least one
            digits = value.lstrip(b"0") or b"0"
            if len(digits) > _MAX_RETRY_DIGITS:
                digits = b"9" * _MAX_RETRY_DIGITS
            self.retry_ms = int(digits)

    def _join_pieces(self) -> None:
        """Measure the unfinished line and keep it as one: small pieces weigh more than it."""
        first = self._pieces[0] if self._pieces else b""
        line = first if isinstance(first, bytearray) else bytearray(first)
        line += b"".join(self._pieces[1:])
        if self._at_start:
            self._at_start = False
            if line.startswith(_BOM):
                del line[: len(_BOM)]
        room = self._limit - len(self._data or b"") - len(line)
        if room < 0:
            self._give_up()
            return
        self._pieces = [line] if line else []
        self._room = min(room, _JOIN_BYTES)

    def _give_up(self) -> None:
        self._pieces.clear()
        self._data = None
        self._limit = self._room = -1

    def _too_large(self) -> ProtocolError:
        return ProtocolError(
            "error.stream_too_large", provider="sse", facts={"limit_bytes": self._max_event_bytes}
        )


def encode_event(
    data: str, *, event: str | None = None, id: str | None = None, retry_ms: int | None = None
) -> bytes:
    """Return the bytes of one event, as SSEDecoder reads it.

    Lines of `data` may end in LF, CR or CRLF; a reader gets LF for each of them.
    """
    lines = []
    for name, value in (("event", event), ("id", id)):
        if value is None:
            continue
        if any(mark in value for mark in "\r\n\0"):
            raise ValueError(f"{name} must hold neither a line end nor NUL")
        lines.append(f"{name}: {value}\n")
    if retry_ms is not None:
        if retry_ms < 0:
            raise ValueError("retry_ms must not be negative")
        lines.append(f"retry: {retry_ms}\n")
    lines += [f"data: {line}\n" for line in _lines(data)]
    return ("".join(lines) + "\n").encode()


def encode_comment(text: str = "") -> bytes:
    """Return a comment that keeps a connection alive; it dispatches nothing.

    Its own blank line keeps it out of the next event also for readers who only split at those.
    """
    return ("".join(f": {line}\n" if line else ":\n" for line in _lines(text)) + "\n").encode()


def _lines(text: str) -> list[str]:
    # Not str.splitlines: it also cuts at U+2028, U+0085, VT, FF and others.
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
