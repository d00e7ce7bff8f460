"""Text that grows by pieces: read from any place, whole or piece by piece."""

from collections.abc import Sequence

from core.wire.packed_text import packed, unpacked

# The newest pieces are told apart, so that who reads along gets each as it came. Older ones are
# joined: a piece of three letters weighs twenty times its text.
DISTINCT_PIECES = 128


class TextBuffer:
    """Pieces in order; a place in it is a count of characters. Not thread-safe."""

    __slots__ = ("_blocks", "_fresh", "_fresh_from", "_sizes", "length")

    def __init__(self, text: str = "") -> None:
        self._blocks: list[str | bytes] = [packed(text)] if text else []
        self._sizes = [len(text)] if text else []
        self._fresh: list[str] = []
        self._fresh_from = self.length = len(text)

    def extend(self, pieces: Sequence[str]) -> None:
        """Append pieces."""
        self._fresh.extend(pieces)
        self.length += sum(map(len, pieces))
        if len(self._fresh) >= 2 * DISTINCT_PIECES:
            self._join_older()

    def since(self, place: int) -> list[str]:
        """Return what follows `place`: the newest pieces as they came, older ones as one."""
        if place >= self.length:
            return []
        at, pieces = self.length, self._fresh
        if place < self._fresh_from:
            return [self._older(place), *pieces]
        index = len(pieces)
        while at > place:
            index -= 1
            at -= len(pieces[index])
        found = pieces[index:]
        if at < place:
            found[0] = found[0][place - at :]
        return found

    def whole(self) -> str:
        """Return all of it."""
        return "".join(map(unpacked, self._blocks)) + "".join(self._fresh)

    def _join_older(self) -> None:
        block = "".join(self._fresh[:-DISTINCT_PIECES])
        del self._fresh[:-DISTINCT_PIECES]
        self._blocks.append(packed(block))
        self._sizes.append(len(block))
        self._fresh_from += len(block)

    def _older(self, place: int) -> str:
        at, index = self._fresh_from, len(self._blocks)
        while at > place:
            index -= 1
            at -= self._sizes[index]
        return "".join(map(unpacked, self._blocks[index:]))[place - at :]
