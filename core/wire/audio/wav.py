"""WAV: the header of a stream whose length nobody knows yet, and samples out of one that arrives.

A header of unknown length says 0xFFFFFFFF, which players read as "until the stream ends".
"""

import struct
from dataclasses import dataclass

from core.wire.audio.pcm import RATE, SampleJoiner

UNKNOWN = 0xFFFFFFFF
_PCM, _EXTENSIBLE = 1, 0xFFFE
_HEADER_MOST = 1024 * 1024  # lists of titles and pictures may stand before the sound
_BEFORE_DATA = 36  # bytes of the file after its own length, without the samples


class WavError(ValueError):
    """What arrived is no WAV that can be read: another form, or something else altogether."""


@dataclass(frozen=True, slots=True)
class WavFormat:
    """How the samples of a file are to be read."""

    rate: int
    channels: int
    bits: int

    @property
    def frame_bytes(self) -> int:
        """Bytes of one moment: a sample of each channel."""
        return self.channels * self.bits // 8


def wav_header(data_bytes: int | None, *, rate: int = RATE, channels: int = 1) -> bytes:
    """Return the header of 16-bit PCM; None for a length that is not known yet."""
    data = UNKNOWN if data_bytes is None else data_bytes
    size = UNKNOWN if data_bytes is None else data_bytes + _BEFORE_DATA
    frame = channels * 2
    form = struct.pack("<HHIIHH", _PCM, channels, rate, rate * frame, frame, 16)
    return struct.pack("<4sI4s4sI", b"RIFF", size, b"WAVE", b"fmt ", 16) + form + _data(data)


def _data(size: int) -> bytes:
    return struct.pack("<4sI", b"data", size)


class WavReader:
    """Takes a WAV stream in pieces of any size and gives out whole frames of 16-bit samples.

    A length of 0 or 0xFFFFFFFF is unknown: everything to the end is sound. Behind a known length
    other chunks may follow, which are none.
    """

    def __init__(self) -> None:
        self.format: WavFormat | None = None  # once the header has come
        self._head = b""
        self._left: int | None = None  # bytes of sound that are to come; None is unknown
        self._in_data = False
        self._frames = SampleJoiner()

    def feed(self, piece: bytes) -> bytes:
        """Return the whole frames that have come; WavError for what cannot be read."""
        if not self._in_data:
            self._head += piece
            if not self._read_head():
                if len(self._head) > _HEADER_MOST:
                    raise WavError("no sound in a file that began as WAV")
                return b""
            piece, self._head = self._head, b""
        if self._left is not None:
            piece = piece[: self._left]
            self._left -= len(piece)
        return self._frames.feed(piece)

    def _read_head(self) -> bool:
        """Take chunks off the head; True once what follows is sound."""
        if len(self._head) < 12:
            return False
        if self._head[:4] != b"RIFF" or self._head[8:12] != b"WAVE":
            raise WavError("no RIFF file")
        place = 12
        while len(self._head) >= place + 8:
            name, size = struct.unpack_from("<4sI", self._head, place)
            start = place + 8
            if name == b"data":
                if self.format is None:
                    raise WavError("sound before its format")
                self._left = None if size in (0, UNKNOWN) else size
                self._head = self._head[start:]
                self._in_data = True
                return True
            end = start + size + size % 2
            if len(self._head) < end:
                return False
            if name == b"fmt ":
                self.format = _format(self._head[start : start + size])
                self._frames = SampleJoiner(self.format.frame_bytes)
            place = end
        return False


def _format(chunk: bytes) -> WavFormat:
    if len(chunk) < 16:
        raise WavError("a format that is cut off")
    tag, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", chunk)
    if tag == _EXTENSIBLE and len(chunk) >= 26:
        tag = struct.unpack_from("<H", chunk, 24)[0]
    if tag != _PCM or bits != 16 or not 1 <= channels <= 8 or not 1_000 <= rate <= 192_000:
        raise WavError("samples that are not 16-bit PCM")
    return WavFormat(rate, channels, bits)
