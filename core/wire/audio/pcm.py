"""PCM samples in a stream: whole ones out of pieces that end anywhere, and what they amount to.

One form goes through the house: 16 bits, little-endian, one channel, `RATE` samples a second, as
OpenAI's `pcm` and Qwen's realtime voice have it.
"""

import base64
import binascii
import sys
from array import array

RATE = 24_000
WIDTH = 2  # bytes of a sample


class SampleJoiner:
    """Carries the odd bytes of a piece over to the next one: only whole samples come out."""

    def __init__(self, width: int = WIDTH) -> None:
        self._width = width
        self._rest = b""

    def feed(self, piece: bytes) -> bytes:
        """Return the whole samples so far; what is left over waits for the next piece."""
        data = self._rest + piece
        whole = len(data) - len(data) % self._width
        self._rest = data[whole:]
        return data[:whole]


class Base64Joiner:
    """Decodes base64 event by event: each event's text stands for itself, with padding or not.

    What is joined first and decoded then breaks at the padding in the middle.
    """

    def __init__(self, width: int = WIDTH) -> None:
        self._samples = SampleJoiner(width)

    def feed(self, text: str) -> bytes:
        """Return the whole samples of one event more; ValueError where it is no base64."""
        try:
            data = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
        except binascii.Error as error:
            raise ValueError("not base64") from error
        return self._samples.feed(data)


def seconds_of(pcm: int, rate: int = RATE) -> float:
    """Return how long that many bytes of samples last."""
    return pcm / WIDTH / rate


def to_mono(pcm: bytes, channels: int) -> bytes:
    """Mix the channels of whole frames into one."""
    if channels == 1:
        return pcm
    samples = _samples(pcm)
    count = len(samples) // channels
    mixed = array(
        "h", (sum(samples[i * channels : (i + 1) * channels]) // channels for i in range(count))
    )
    return _bytes(mixed)


class Resampler:
    """Turns a stream into another rate, on straight lines between samples: enough for speech.

    Where the pieces are cut changes nothing in what comes out.
    """

    def __init__(self, rate: int, wanted: int = RATE) -> None:
        self._rate, self._wanted = rate, wanted
        self._held = array("h")  # what is needed yet; the first of them is number `_first`
        self._first = 0
        self._made = 0

    def feed(self, pcm: bytes) -> bytes:
        """Return the samples that can be told from what has come."""
        if self._rate == self._wanted:
            return pcm
        self._held += _samples(pcm)
        known = self._first + len(self._held)
        # The last one made lies before the last that is known: a line needs both of its ends.
        return self._up_to(max(0, ((known - 1) * self._wanted - 1) // self._rate + 1))

    def finish(self) -> bytes:
        """Return the last samples, which have nothing behind them."""
        if self._rate == self._wanted or not (self._held or self._first):
            return b""
        return self._up_to((self._first + len(self._held)) * self._wanted // self._rate)

    def _up_to(self, count: int) -> bytes:
        held, first, last = self._held, self._first, len(self._held) - 1
        out = array("h")
        for i in range(self._made, count):
            place, part = divmod(i * self._rate, self._wanted)
            here, there = held[place - first], held[min(place - first + 1, last)]
            out.append(here + (there - here) * part // self._wanted)
        self._made = max(self._made, count)
        done = min(max(0, self._made * self._rate // self._wanted - first), max(last, 0))
        del held[:done]
        self._first += done
        return _bytes(out)


def _samples(pcm: bytes) -> "array[int]":
    samples = array("h")
    samples.frombytes(pcm[: len(pcm) - len(pcm) % WIDTH])
    if sys.byteorder == "big":
        samples.byteswap()
    return samples


def _bytes(samples: "array[int]") -> bytes:
    if sys.byteorder == "big":
        samples.byteswap()
    return samples.tobytes()
