"""Emphasis as it is written in Chinese: `**重点。**后文`.

CommonMark (0.31.2, section 6.2) lets `**` close behind a punctuation mark only where a blank or
another mark follows, and open before one likewise. Languages that write without blanks end up with
the stars on the page. An invisible character, written as a reference, is a mark to that rule: it
reads the text as it is typed.
"""

import re
import unicodedata

INVISIBLE = "&#8203;"  # ZERO WIDTH SPACE

_EAST_ASIAN = re.compile(
    r"[\u2e80-\u30ff\u3130-\u318f\u31a0-\u31bf\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af"
    r"\uf900-\ufaff\ufe30-\ufe4f\uff00-\uffef\U00020000-\U0003ffff]"
)


class Emphasis:
    """Pairs the runs of `**`, `***` and `~~` in one paragraph, in their order."""

    def __init__(self) -> None:
        self._open: set[str] = set()

    def place_for_invisible(self, text: str, start: int, end: int) -> int | None:
        """Return where the run `text[start:end]` lacks a mark to open or close; None when not."""
        run = text[start:end]
        before = text[start - 1 : start] or " "
        after = text[end : end + 1] or " "
        closes = run in self._open
        near, far = (before, after) if closes else (after, before)
        if near.isspace():
            return None
        flanks = not _is_mark(near) or far.isspace() or _is_mark(far)
        if not (flanks or _EAST_ASIAN.match(before) or _EAST_ASIAN.match(after)):
            return None
        self._open ^= {run}
        if flanks:
            return None
        return end if closes else start


def _is_mark(character: str) -> bool:
    return unicodedata.category(character)[0] in "PS"
