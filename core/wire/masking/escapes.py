"""Escapes that a secret may be written in: URL, JSON and HTML, and what they stand for."""

import html
import re
from bisect import bisect_right

LAYERS = 3  # of escapes in escapes

# Whole escapes; HALF is one that begins at the end of a text.
ESCAPE = re.compile(
    r"%(?:25)*([0-9A-Fa-f]{2})|\\+u00([0-9A-Fa-f]{2})|\\+x([0-9A-Fa-f]{2})"
    r"|(&(?:#[xX]0*[0-9A-Fa-f]{1,6}|#0*[0-9]{1,7}|[A-Za-z]{2,8});)|\\+([/\"'\\])"
)
HALF = re.compile(r"(?:%[0-9A-Fa-f]?|\\+(?:u[0-9A-Fa-f]{0,3}|x[0-9A-Fa-f]?)?|&#?\w{0,8})$")


def may_be_escaped(text: str) -> bool:
    """Tell whether a closer look for escapes is worth it."""
    return "%" in text or "\\" in text or "&" in text


def is_escaped(text: str) -> bool:
    """Tell whether an escape stands in `text`, or begins at its end; most such signs are none."""
    return ESCAPE.search(text) is not None or HALF.search(text) is not None


def plain(match: re.Match[str]) -> str:
    """Return what an escape that ESCAPE found stands for."""
    code = match[1] or match[2] or match[3]
    if code:
        return chr(int(code, 16))
    if match[4]:
        return html.unescape(match[4])
    return match[5]


class Layer:
    """Brings places in an unescaped text back to the text with its escapes."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._starts: list[int] | None = None
        self._origins: list[int] = []

    def back(self, start: int, end: int) -> tuple[int, int]:
        """Return the span in the escaped text."""
        if self._starts is None:
            self._starts = self._map()
        return self._origin(start, self._starts), self._origin(end, self._starts)

    def _origin(self, at: int, starts: list[int]) -> int:
        number = bisect_right(starts, at) - 1
        return self._origins[number] + at - starts[number]

    def _map(self) -> list[int]:
        starts, shift = [0], 0
        self._origins = [0]
        for match in ESCAPE.finditer(self._text):
            length = len(plain(match))
            starts += [match.start() - shift, match.start() - shift + length]
            self._origins += [match.start(), match.end()]
            shift += len(match[0]) - length
        return starts
