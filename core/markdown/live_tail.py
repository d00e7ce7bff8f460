"""What the page has to draw while a text grows: pieces that are done, and the live rest.

A long open block is frozen piece by piece, so that the live rest stays short. Such a cut is
provisional: the list of blocks knows nothing of it, and the finished page is drawn from the whole.
"""

import re
from collections.abc import Iterator

from core.markdown.block_parser import LINE
from core.markdown.growing_fence import GrowingFence
from core.markdown.provisional_cuts import provisional_cut

# How much a live rest that could not be cut must grow before it is tried again.
_TRY_AGAIN_CHARS = 250
# A part of a fence that is drawn in one box with the others is no shorter, nor than the limit.
_PART_CHARS = 200
# A line of only these has just begun to be a list, a heading, a fence: shown, it would flash as
# something else (`-` below a paragraph makes it a heading). So would the name of an environment.
_JUST_BEGUN = re.compile(
    r"(?:^|(?<=\n))(?:[-=*+_#>`~|$: \t]+|[> \t]*\\(?:b(?:e(?:g(?:in?(?:\{[a-zA-Z]*\*?)?)?)?)?)?)\Z"
)


class LiveTail:
    """The text between what was frozen and the end of what was fed."""

    def __init__(self, limit: int, *, joins_code: bool = False) -> None:
        self._limit = limit
        self._joins_code = joins_code
        self._fence: GrowingFence | None = None  # which `_source` goes on
        self._seen = 0  # characters of `_source` that were returned as the live rest
        self._source = ""
        self._fresh: list[str] = []
        self._settled: list[int] = []  # lengths of the blocks settled since the last look
        self._shown = 0  # characters of the first block in `_source` that were frozen before
        self._opening = ""  # what opens the cut block again
        self._strip = 0  # columns of a container that was cut away
        self._try_at = limit

    def add(self, text: str) -> None:
        """Take in text as it was fed."""
        self._fresh.append(text)

    def settle(self, lengths: list[int]) -> None:
        """Take in the lengths of blocks that were settled."""
        self._settled += lengths

    def parts(self, closed_chars: int) -> tuple[list[str], str]:
        """Return the pieces frozen since the last call, and the live rest.

        `closed_chars` is the length of an unsettled block that is known to be complete.
        """
        self._source += "".join(self._fresh)
        self._fresh = []
        frozen: list[str] = []
        position = 0
        for length in self._settled:
            if length < self._shown:  # drawn already, and part of the next one with it
                self._shown -= length
                continue
            end = position + length - self._shown
            frozen.append(self._done(self._source[position:end]))
            position = end
            self._begin_block(shown=0)
        self._settled = []
        if closed_chars > self._shown:
            end = position + closed_chars - self._shown
            frozen.append(self._done(self._source[position:end]))
            position = end
            self._begin_block(shown=closed_chars)
        self._take(position)
        frozen += self._parts_of_fence()
        if self._fence is None:
            frozen += self._provisional()
        self._seen = len(self._source)
        return [piece for piece in frozen if piece.strip()], self._live()

    def _live(self) -> str:
        if self._fence is None:
            return _JUST_BEGUN.sub("", self._text(self._source))
        return self._fence.live(_JUST_BEGUN.sub("", self._source.removesuffix("\r")))

    def _done(self, source: str) -> str:
        return self._fence.last(source) if self._fence else self._text(source)

    def _take(self, chars: int) -> None:
        self._source = self._source[chars:]
        self._seen = max(0, self._seen - chars)

    def _begin_block(self, *, shown: int) -> None:
        self._fence = None
        self._shown = shown
        self._opening = ""
        self._strip = 0
        self._try_at = self._limit

    def _parts_of_fence(self) -> Iterator[str]:
        if self._fence is None:
            return
        end = self._fence.end_in(self._source)
        if end is not None:  # which the blocks do not know yet
            yield self._fence.last(self._source[:end])
            shown = self._shown + end
            self._take(end)
            self._begin_block(shown=shown)
            return
        end = self._source.rfind("\n") + 1
        # Never less than was seen: what follows is another element, which comes a moment later.
        if len(self._source) > min(self._limit, _PART_CHARS) and end > 0 and end >= self._seen:
            yield self._fence.part(self._source[:end])
            self._shown += end
            self._take(end)

    def _opens_fence(self) -> bool:
        if not self._joins_code or self._opening or self._strip:
            return False
        self._fence = GrowingFence.at_the_head_of(self._source)
        if self._fence is None:
            return False
        self._shown += self._fence.begin_chars
        self._take(self._fence.begin_chars)
        return True

    def _provisional(self) -> Iterator[str]:
        while len(self._opening) + len(self._source) > self._try_at:
            if self._opens_fence():
                yield from self._parts_of_fence()
                return
            text = self._text(self._source)
            cut = provisional_cut(text, len(self._opening), self._limit)
            if cut is None:
                self._try_at = len(text) + _TRY_AGAIN_CHARS
                return
            self._try_at = self._limit
            yield text[: cut.end] + cut.closing
            used, strip = self._source_offset(cut.resume - len(self._opening))
            self._take(used)
            self._shown += used
            self._opening = cut.opening
            self._strip = strip + cut.strip

    def _text(self, source: str) -> str:
        if not source:
            return ""
        return self._opening + "".join(line[removed:] for line, removed, _ in self._lines(source))

    def _source_offset(self, offset: int) -> tuple[int, int]:
        """Turn an offset in the stripped text into one in the source, with the strip in force."""
        position = 0
        strip = self._strip
        for line, removed, strip in self._lines(self._source):
            kept = len(line) - removed
            if offset < kept:
                return position + (removed + offset if offset else 0), strip
            offset -= kept
            position += len(line)
        return position, strip

    def _lines(self, source: str) -> Iterator[tuple[str, int, int]]:
        """Yield each line, how many spaces of the cut container it begins with, and the strip."""
        strip = self._strip
        for number, match in enumerate(LINE.finditer(source)):
            line = match[0]
            indent = len(line) - len(line.lstrip(" "))
            if line.strip() and indent < strip and (number or indent):
                strip = 0  # the container has ended
            yield line, min(strip, indent), strip
