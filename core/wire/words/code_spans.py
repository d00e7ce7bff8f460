"""Markdown code, told while a text grows: whether what comes next stands in a fence or a span."""

import re

# Fences also stand in quotes and list items.
_FENCE = re.compile(r"(?:[ \t>]|[-*+](?=[ \t])|\d{1,9}[.)](?=[ \t]))*(`{3,}|~{3,})(.*)", re.DOTALL)
_RUNS = re.compile("`+|[^`]+")
_HEAD_MOST = 256  # of a line: as far as a fence and the name of its language go


class CodeScanner:
    """Follows one text. Time is linear in it, and next to nothing where no backtick stands."""

    __slots__ = ("_fence", "_head", "_run", "_span", "turn")

    def __init__(self, text: str = "") -> None:
        self._fence = ""  # that is open
        self._head = ""  # the beginning of the unfinished line
        self._span = 0  # backticks that opened a span; it goes no further than its line here
        self._run = 0  # backticks at the end so far
        # What came first inside of a fence, since someone emptied this: its "end", or an
        # "opening" of another one, which says that the first had been left open.
        self.turn = ""
        self.feed(text)

    def feed(self, text: str) -> None:
        """Go on behind what came."""
        line = text
        if "\n" in text:
            before, _, line = text.rpartition("\n")
            lines = self._head + before
            if "```" in lines or "~~~" in lines:
                for one in lines.split("\n"):
                    self._end_line(one[:_HEAD_MOST])
            self._head = ""
            self._span = self._run = 0
        if len(self._head) < _HEAD_MOST:
            self._head += line[: _HEAD_MOST - len(self._head)]
        if "`" in line:
            for part in _RUNS.findall(line):
                if part[0] == "`":
                    self._run += len(part)
                else:
                    self._end_run()
        elif self._run and line:
            self._end_run()

    def is_in_code(self) -> bool:
        """Tell whether the next character is one of code."""
        self._end_run()
        return bool(self._span) or self.is_in_fence

    @property
    def is_in_fence(self) -> bool:
        """Whether the next character stands in a fence."""
        return bool(self._fence or _opening(self._head))

    def _end_run(self) -> None:
        if self._run:
            if not self._span:
                self._span = self._run
            elif self._span == self._run:
                self._span = 0
            self._run = 0

    def _end_line(self, line: str) -> None:
        if not self._fence:
            self._fence = _opening(line)
        elif (found := _FENCE.match(line)) is not None:
            marks, behind = found.groups()
            if not marks.startswith(self._fence):
                return
            self.turn = self.turn or ("opening" if behind.strip() else "end")
            if not behind.strip():
                self._fence = ""


def _opening(line: str) -> str:
    found = _FENCE.match(line)
    if found is None:
        return ""
    marks, behind = found.groups()
    return "" if marks[0] == "`" and "`" in behind else str(marks)
