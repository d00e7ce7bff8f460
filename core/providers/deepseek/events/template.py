"""The usual events of a streamed answer, many at once: alike to the byte but for their text.

A server repeats the same JSON around each piece. What stands around the text is learned from one
event that was read in full; the events that follow are then cut out of it, and their texts decoded
by one call: less than half of what parsing each of them costs. Thinking and answer look different:
where one ends and the other begins, one event is read in full.
"""

import json

import msgspec

from core.models.chat import AnswerPart
from core.models.deltas import Delta
from core.providers.deepseek.events.event import plain_text

# An event that is not as usual costs a lesson; so many usual ones pay for it. Where that does not
# come out even, no more is learned: some servers put the time, or noise, into each event.
_LESSON = 4
_CREDIT = 16 * _LESSON

_DATA = b"data: "
_NEXT = b"\n\n" + _DATA

_decode_texts = msgspec.json.Decoder(list[str]).decode


class EventTemplate:
    """What stands around the text in the events of one stream."""

    __slots__ = ("_credit", "_end", "_part", "_start")

    def __init__(self) -> None:
        self._start = b""
        self._end = b""
        self._part: AnswerPart = "content"
        self._credit = _CREDIT

    @property
    def is_of_use(self) -> bool:
        """Whether events are alike enough to go on with this."""
        return self._credit > 0

    def forget(self) -> None:
        """Read the next events in full: something in them has changed."""
        self._start = b""

    def learn(self, data: bytes | bytearray, said: Delta, model: str | None) -> None:
        """Take an event that added one piece of text, and nothing else, as the usual one."""
        if not self.is_of_use:
            return
        self.forget()
        self._credit -= _LESSON
        part, (text,), _ = said
        literals = {json.dumps(text, ensure_ascii=ascii).encode() for ascii in (False, True)}
        found = [literal for literal in literals if data.count(literal) == 1]
        if 10 in data or len(found) != 1:
            return  # of several lines, or not to be told from something else
        before, _, behind = data.partition(found[0])
        # Is it the text that stands there? The same JSON around another string is the same event.
        other = f"{text}."
        again = plain_text(before + json.dumps(other).encode() + behind, model)
        if again != Delta(part, [other]):
            return
        self._part = part
        self._start = bytes(before) + b'"'
        self._end = b'"' + bytes(behind)
        self._credit += _LESSON

    def read(self, block: bytes) -> tuple[Delta, bytes] | None:
        """Return the texts of the events with which a block begins, and what follows them.

        `block` holds whole events with their blank lines. None when it begins with another event,
        or one is not as usual.
        """
        start, end = self._start, self._end
        if not (start and self.is_of_use):
            return None
        self._credit -= _LESSON
        if not (block.startswith(_DATA + start) and block.endswith(b"\n\n")):
            return None
        events = block[len(_DATA) : -2].split(_NEXT)
        pieces = []
        for event in events:
            if not (event.startswith(start) and event.endswith(end)):
                break
            pieces.append(event[len(start) : -len(end)])
        others = events[len(pieces) :]
        array = b'["' + b'","'.join(pieces) + b'"]'
        # Where no piece ends in a backslash, every quote put in here is one to the parser too. Then
        # there are more strings than pieces as soon as a piece holds a quote of its own.
        if b'\\","' in array:
            return None
        try:
            texts = _decode_texts(array)
        except (msgspec.MsgspecError, ValueError):
            return None
        if len(texts) != len(pieces) or "" in texts:
            return None
        self._credit = min(self._credit + _LESSON + len(texts), _CREDIT)
        rest = _DATA + _NEXT.join(others) + b"\n\n" if others else b""
        return Delta(self._part, texts), rest
