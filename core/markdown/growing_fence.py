"""A code fence that grows, in parts of whole lines, each as a fence of its own.

What the parts show, one behind the other, is the code so far to the character: who draws them in
one box shows the fence.
"""

import re
from typing import Self

from core.markdown.block_parser import LINE
from core.markdown.fences import OpenFence, drawn_language
from core.markdown.rendering import shielded

_OPENING = re.compile(r"( {0,3})(`{3,}|~{3,})(.*)", re.DOTALL)
_BLANK_LINES = re.compile(r"(?:[ \t]*(?:\r\n?|\n))*")
# The page draws something else of these than their code.
_DRAWN = frozenset({"mermaid", "math"})


def as_block(fence: str) -> str:
    """Return a whole fence as any block is shown: its first line is indented as it was written."""
    blank = _BLANK_LINES.match(fence)
    return shielded(fence[blank.end() if blank else 0 :])


class FencePart(str):
    """A part of a fence as Markdown; the last one has the whole fence with it."""

    code: str
    whole: str | None

    def __new__(cls, markdown: str, code: str, whole: str | None = None) -> Self:
        """Return the part that shows `code`."""
        part = super().__new__(cls, markdown)
        part.code, part.whole = code, whole
        return part


class GrowingFence:
    """A fence of the document itself, told in parts; what is given to it goes on where they end."""

    def __init__(self, opening: re.Match[str], begin: str) -> None:
        self._indent, self._run, info = opening[1], opening[2], opening[3]
        self._info = info.rstrip()
        self._fence = OpenFence(self._run, info)
        self._source = [begin]
        self._read_chars = 0  # of what is given: lines that were looked at
        self._end: tuple[int, int] | None = None  # where its last line begins and ends in that
        self._is_first = True

    @classmethod
    def at_the_head_of(cls, source: str) -> Self | None:
        """Return the fence with which a text begins, if it can be shown in parts."""
        blank = _BLANK_LINES.match(source)
        line = LINE.match(source, blank.end() if blank else 0)
        opening = _OPENING.fullmatch(line[0]) if line and line[0].endswith("\n") else None
        if line is None or opening is None or drawn_language(opening[3]) in _DRAWN:
            return None
        if opening[2][0] == "`" and "`" in opening[3]:  # code within a paragraph
            return None
        return cls(opening, source[: line.end()])

    @property
    def begin_chars(self) -> int:
        """How long the text is that stands before the code."""
        return len(self._source[0])

    def end_in(self, source: str) -> int | None:
        """Return where the fence ends in the text, if its last line is whole."""
        self._read(source[: source.rfind("\n") + 1])
        return self._end[1] if self._end else None

    def live(self, code: str) -> FencePart:
        """Return code that may go on."""
        return FencePart(self._as_fence(code), code) if code else FencePart("", "")

    def part(self, code: str) -> FencePart:
        """Return whole lines of code for good; what is given from now on stands behind them."""
        part = self.live(code)
        self._source.append(code)
        self._read_chars -= len(code)
        self._is_first = False
        return part

    def last(self, source: str) -> FencePart:
        """Return the rest of the fence; its own last line may be in it, or blank lines behind."""
        self._read(source)
        code = source[: self._end[0]] if self._end else source
        return FencePart(self._as_fence(code), code, "".join((*self._source, source)))

    def _read(self, source: str) -> None:
        for line in LINE.findall(source[self._read_chars :]) if self._end is None else ():
            begin = self._read_chars
            self._read_chars += len(line)
            if self._fence.ends_with(line):
                self._end = begin, self._read_chars
                return

    def _as_fence(self, code: str) -> str:
        runs = re.findall(re.escape(self._run[0]) + "{3,}", code)
        run = self._run[0] * max([len(self._run), *(len(one) + 1 for one in runs)])
        # Streamlit takes a line end away at each end of a fence; at the head of the whole, too.
        first = "" if self._is_first else "\n"
        return shielded(f"{self._indent}{run}{self._info}\n{first}{code}\n{run}")
