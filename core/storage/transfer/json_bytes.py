"""Byte stream for the JSON parser: UTF-8 from any Unicode encoding, and nothing that breaks it.

ijson's C part (3.6.0) hands out memory that is not its own behind a number of more digits than
Python converts (4,300): what stands behind such a number ends the process. None gets there.
"""

import codecs
import json
import re
from collections.abc import Callable
from typing import BinaryIO

from core.storage.transfer.checked_fields import malformed

# The longest text that is held: a picture as base64 is some 30 MB.
LONGEST_TEXT = 48 << 20

_DIGITS_MOST = 4000
_LONG_NUMBER = re.compile(rb"[0-9]{%d}" % _DIGITS_MOST)
_DIGITS = b"0123456789"
_ESCAPED = re.compile(rb"\\.", re.DOTALL)


class JsonBytes:
    """A binary file read as UTF-8, with or without BOM; InputError where it cannot be JSON."""

    def __init__(self, file: BinaryIO, tell: Callable[[int], None]) -> None:
        self._file = file
        self._tell = tell
        self._began = False
        self._decoder: codecs.IncrementalDecoder | None = None
        self._is_in_text = False
        self._open_escape = b""
        self._last_digits = b""
        self.quiet = 0  # bytes since the last event: of a single text, which the parser holds

    def read(self, size: int) -> bytes:
        """Return the next bytes (the interface of a file)."""
        text = self._decoded(size)
        self._check_numbers(text)
        return text

    def _decoded(self, size: int) -> bytes:
        data = self._file.read(size)
        self._tell(self._file.tell())
        self.quiet += len(data)
        if self.quiet > LONGEST_TEXT:
            raise malformed("file", "a text in it is too long")
        if not self._began and size:
            self._began = True
            encoding = json.detect_encoding(data)
            if encoding == "utf-8-sig":
                data = data[len(codecs.BOM_UTF8) :]
            elif encoding != "utf-8":
                self._decoder = codecs.getincrementaldecoder(encoding)()
        if self._decoder is None:
            return data
        text = self._decoder.decode(data, final=not data)
        while data and not text:  # an empty answer would mean the end
            data = self._file.read(size)
            text = self._decoder.decode(data, final=not data)
        return text.encode()

    def _check_numbers(self, text: bytes) -> None:
        """Refuse a number of too many digits; within a text as many may stand."""
        digits, tail = self._last_digits, (self._last_digits + text)[-_DIGITS_MOST:]
        self._last_digits = tail[len(tail.rstrip(_DIGITS)) :]
        for run in _LONG_NUMBER.finditer(digits + text):
            if not self._would_be_in_text(text[: max(0, run.start() - len(digits))]):
                raise malformed("file", "not JSON")
        piece = self._open_escape + text
        slashes = len(piece) - len(piece.rstrip(b"\\"))
        self._is_in_text = self._would_be_in_text(text)
        self._open_escape = b"\\" * (slashes % 2)

    def _would_be_in_text(self, text: bytes) -> bool:
        """Tell whether a text is open behind these bytes."""
        piece = self._open_escape + text
        if b"\\" in piece:
            piece = _ESCAPED.sub(b"", piece)
        return self._is_in_text != bool(piece.count(b'"') % 2)
