"""Newline-delimited JSON as a stream: each line is an event that lacks its `data:`.

Ollama's own API answers so, and gateways that leave the framing to others.
"""

from core.providers.deepseek.events.decoding import decoded, object_in

_HEAD_MOST = 1024 * 1024  # of a body, in which a line has to tell


class JsonLines:
    """Tells lines of JSON from a whole body, and makes events of them."""

    def __init__(self) -> None:
        self._rest = b""  # the unfinished line
        self._from = 0  # where the line begins that is looked at next
        self._is_other = False

    def begin_in(self, head: bytes | bytearray) -> bool:
        """Tell whether a body that begins like this is one of lines: one is a piece of an answer.

        Others may stand before it. What is no object on one line is none of them.
        """
        while not self._is_other and (end := head.find(b"\n", self._from, _HEAD_MOST)) >= 0:
            line = head[self._from : end].strip()
            payload = object_in(decoded(line)) if line else {}
            if payload is None:
                self._is_other = True
            elif is_piece(payload):
                return True
            self._from = end + 1
        return False

    def as_events(self, raw: bytes | bytearray) -> bytes:
        """Return the lines that are whole by now, as events."""
        *lines, self._rest = (self._rest + bytes(raw)).split(b"\n")
        return b"".join(b"data: %b\n\n" % line for one in lines if (line := one.strip()))

    def end(self) -> bytes:
        """Return the last line, which may lack its end."""
        return self.as_events(b"\n")


def is_piece(payload: dict[str, object]) -> bool:
    """Tell whether an object is plainly a piece of an answer, and not all of it."""
    choices = payload.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    return payload.get("done") is False or (isinstance(first, dict) and "delta" in first)
