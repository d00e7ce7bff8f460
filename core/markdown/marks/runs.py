"""Runs of one sign, and labels in brackets, found once for a whole text.

Looked for again behind each of them, a text of nothing else would take the square of its length.
"""

import re
from bisect import bisect_left
from functools import lru_cache

_OPENING = re.compile(r"(?<!\\)\[")
_AT_LINE_START = re.compile(r"(?:\A|(?<=\n))[^\S\n]*\[")


def closing_run(text: str, sign: str, width: int, start: int) -> int | None:
    """Return where the next run of exactly so many signs begins, or None."""
    places = _runs(text, sign).get(width, [])
    number = bisect_left(places, start)
    return places[number] if number < len(places) else None


@lru_cache(maxsize=4)
def _runs(text: str, sign: str) -> dict[int, list[int]]:
    """Return where the runs of each width begin."""
    runs: dict[int, list[int]] = {}
    for run in re.finditer(f"{re.escape(sign)}+", text):
        runs.setdefault(run.end() - run.start(), []).append(run.start())
    return runs


def begins_line_with_label(text: str, end: int) -> bool:
    """Tell whether the last opening bracket before `end` is the first sign of its line."""
    places, leading = _brackets(text)
    number = bisect_left(places, end) - 1
    return number >= 0 and places[number] in leading


@lru_cache(maxsize=4)
def _brackets(text: str) -> tuple[list[int], frozenset[int]]:
    """Return where brackets open that are not escaped, and which of them lead their lines."""
    places = [found.start() for found in _OPENING.finditer(text)]
    return places, frozenset(found.end() - 1 for found in _AT_LINE_START.finditer(text))
