"""Characters whose UTF-8 bytes come in different pieces of a text: marked, carried on and joined.

JSON cut by bytes holds pieces of a character in its strings. A codec error handler puts a sign for
each byte that is no text, from a private plane; the joiner turns signs into characters again.
"""

import codecs
import re

_BASE = 0x10FE00
_MARKS = re.compile("[\U0010fe80-\U0010feff]+")
_ALONE = "\ufffd"


def _mark(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    bad = error.object[error.start : error.end]
    return "".join(chr(_BASE + byte) for byte in bad), error.end


codecs.register_error("marked-bytes", _mark)


class BytesJoiner:
    """Joins the characters of one text that comes in pieces: the first bytes of one wait."""

    __slots__ = ("_begun",)

    def __init__(self) -> None:
        self._begun = b""

    @property
    def is_waiting(self) -> bool:
        """Whether the next piece may complete a character."""
        return bool(self._begun)

    def take(self, piece: str) -> str:
        """Return what is whole by now."""
        text, self._begun = _marks(self._begun) + piece, b""
        last = next((found for found in _MARKS.finditer(text) if found.end() == len(text)), None)
        if last is None:
            return _MARKS.sub(_read, text)
        said, read = codecs.utf_8_decode(_bytes(last[0]), "replace", False)
        self._begun = _bytes(last[0])[read:]
        return _MARKS.sub(_read, text[: last.start()]) + said

    def end(self) -> str:
        """Return what stands for a character that nothing completed."""
        begun, self._begun = self._begun, b""
        return _ALONE if begun else ""


def _marks(raw: bytes) -> str:
    return "".join(chr(_BASE + byte) for byte in raw)


def _bytes(marks: str) -> bytes:
    return bytes(ord(mark) - _BASE for mark in marks)


def _read(found: re.Match[str]) -> str:
    return _bytes(found[0]).decode("utf-8", "replace")
