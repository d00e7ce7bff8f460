"""Server-sent events as they came: each block of lines with its time, for people to look at.

The decoder (core/wire/sse) makes events of bytes and forgets the rest; here comments, ids and
pauses are what is looked for. WHATWG HTML, section "Parsing an event stream".
"""

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

_LINE_END = re.compile(r"\r\n|\n|\r")
# A CR before a LF is no line end by itself.
_BLOCK_END = re.compile(r"(?:\r\n|\n|\r(?!\n)){2}")

Chunks = Sequence[tuple[float, int]]  # when bytes came, and how many


@dataclass(frozen=True, slots=True)
class EventFrame:
    """One block of a stream: an event, a comment, or fields without data."""

    at_s: float | None  # when its last byte came; None where that is not known
    size_bytes: int
    event: str
    data: str
    comment: str
    other: str  # its ids and retries, as they stand

    @property
    def is_keep_alive(self) -> bool:
        """Whether it says nothing: a comment that keeps the line open."""
        return bool(self.comment) and not self.data


def event_frames(body: str, chunks: Chunks) -> tuple[EventFrame, ...]:
    """Return the blocks of a stream's text; an unfinished one at its end, too."""
    times = _Times(chunks)
    frames, start, end_bytes = [], 0, 0
    ends = [match.end() for match in _BLOCK_END.finditer(body)]
    for end in [*ends, len(body)] if not ends or ends[-1] < len(body) else ends:
        block = body[start:end]
        size = len(block.encode())
        end_bytes += size
        if block.strip():
            frames.append(_frame(block, size, times.of(end_bytes)))
        start = end
    return tuple(frames)


def chunk_cuts(chunks: Chunks) -> list[int]:
    """Return where one chunk ends and the next begins, in bytes."""
    return list(accumulate(size for _, size in chunks))[:-1]


def pauses(chunks: Chunks, *, longer_than_s: float) -> list[tuple[float, float]]:
    """Return when nothing came for so long: begin and end, in seconds."""
    times = [at for at, _ in chunks]
    return [(before, after) for before, after in pairwise(times) if after - before > longer_than_s]


class _Times:
    def __init__(self, chunks: Chunks) -> None:
        self._ends = list(accumulate(size for _, size in chunks))
        self._times = [at for at, _ in chunks]

    def of(self, end_bytes: int) -> float | None:
        """Return when the byte before this place came."""
        if not self._ends:
            return None
        return self._times[min(bisect_left(self._ends, end_bytes), len(self._times) - 1)]


def _frame(block: str, size: int, at_s: float | None) -> EventFrame:
    event, data, comments, other = "", [], [], []
    for line in filter(None, _LINE_END.split(block)):
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if not name:
            comments.append(value or ":")
        elif name == "data":
            data.append(value)
        elif name == "event":
            event = value
        else:
            other.append(line)
    return EventFrame(at_s, size, event, "\n".join(data), "\n".join(comments), "\n".join(other))
