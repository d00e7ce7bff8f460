"""Which way a text runs: by its first letter that has a direction, as `dir=auto` does it.

Streamlit keeps no attribute of ours. A directive without content shows nothing and leaves an empty
element behind, by which a style finds the blocks that run from the right (chat.css).
"""

import re
import unicodedata

from core.markdown.math import formula_at

MARK = ":shimmer[]"
_RIGHT_TO_LEFT = re.compile(
    r"[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]"
)
# Code, formulas, addresses and references are written the same way in every language.
_NEUTRAL = re.compile(
    r"(`+)(?!`).*?(?<!`)\1(?!`)|\\begin\{.*\\end\{\w+\*?\}|\$+[^$]*\$+|\\\(.*?\\\)|\\\[.*?\\\]"
    r"|(?:https?://|www\.)[^\s<>]+|\]\([^()]*\)|<[^<>]*>|&#?\w+;",
    re.DOTALL,
)
# The first letter tells; one that comes later than this tells nothing any more.
_LOOKED_AT = 2_000
_TASK = re.compile(r"\[[ xX]\]\s+")
# Directly behind a directive these would be read as part of it.
_READ_ALONG = ("(", "{", "[")


def is_right_to_left(text: str) -> bool:
    """Tell whether the first letter that has a direction runs to the left."""
    if not _RIGHT_TO_LEFT.search(text):
        return False
    for sign in _NEUTRAL.sub(_unless_text, text[:_LOOKED_AT]):
        if (direction := unicodedata.bidirectional(sign)) in ("L", "R", "AL"):
            return direction != "L"
    return False


def _unless_text(found: re.Match[str]) -> str:
    """Return a blank for what is the same in every language; dollars may be prices."""
    is_escaped = found.string[found.start() - 1 : found.start()] == "\\"
    if found[0][0] == "$" and (is_escaped or formula_at(found.string, found.start()) is None):
        return found[0]
    return " "


def mark_for(text: str, apart: str) -> tuple[int, str] | None:
    """Return where a block's text takes the mark, and the mark; None for one from the left."""
    task = _TASK.match(text)
    start = task.end() if task else 0
    if text.startswith(MARK, start) or not is_right_to_left(text[start:]):
        return None
    return start, MARK + (apart if text.startswith(_READ_ALONG, start) else "")
