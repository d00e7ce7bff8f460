"""Snippets: the surroundings of what was found, as written, and where the words are in it."""

import re
from collections.abc import Sequence
from itertools import accumulate

from core.storage.db.folding import fold, fold_lengths

_BEFORE, _AFTER = 40, 120  # characters of a snippet around its first match

Span = tuple[int, int]


def snippet_of(texts: Sequence[str], words: Sequence[str]) -> tuple[str, tuple[Span, ...]]:
    """Return one line around the first match of folded words, and the matches in it."""
    longest_first = sorted(words, key=len, reverse=True)
    pattern = re.compile("|".join(re.escape(word) for word in longest_first))
    found = ((whole, match) for whole in texts if (match := pattern.search(fold(whole))))
    whole, match = next(found, (texts[0], None))
    first, last = _spans(whole, [match.span()])[0] if match else (0, 0)
    start = max(0, first - _BEFORE)
    end = min(len(whole), last + _AFTER)
    line = re.sub(r"\s", " ", whole[start:end])
    line = ("…" if start else "") + line + ("…" if end < len(whole) else "")
    return line, tuple(_spans(line, [match.span() for match in pattern.finditer(fold(line))]))


def _spans(text: str, folded: list[Span]) -> list[Span]:
    """Return the places in a text that are those in its fold, with the marks that sit there."""
    if not folded:
        return []
    ends = list(accumulate(fold_lengths(text)))
    places: list[Span] = []
    at = 0
    for start, end in folded:
        while at < len(ends) and ends[at] <= start:
            at += 1
        first = at
        while at < len(ends) and ends[at] < end:
            at += 1
        last = min(at + 1, len(ends))
        while last < len(ends) and ends[last] == ends[last - 1]:  # a mark of its own behind it
            last += 1
        if not places or first >= places[-1][1]:
            places.append((first, last))
    return places
