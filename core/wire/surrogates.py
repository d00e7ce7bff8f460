"""Surrogate pairs of JSON's escapes: halves that come in different pieces of a text are joined."""

import re

_HALF = re.compile("[\ud800-\udfff]")
_ALONE = "\ufffd"


def has_halves(text: str) -> bool:
    """Tell whether a text holds a half."""
    return _HALF.search(text) is not None


def without_halves(text: str) -> str:
    """Return a text with its pairs joined, and U+FFFD for each half that stands alone."""
    if not has_halves(text):
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


class PairJoiner:
    """Joins the pairs of one text that comes in pieces: a first half waits for the next piece."""

    __slots__ = ("_half",)

    def __init__(self) -> None:
        self._half = ""

    @property
    def is_waiting(self) -> bool:
        """Whether the next piece may complete a character."""
        return bool(self._half)

    def take(self, piece: str) -> str:
        """Return what is whole by now."""
        text, self._half = self._half + piece, ""
        if text and "\ud800" <= text[-1] <= "\udbff":
            text, self._half = text[:-1], text[-1]
        return without_halves(text)

    def end(self) -> str:
        """Return what stands for a half that nothing completed."""
        half, self._half = self._half, ""
        return _ALONE if half else ""
