"""Line breaks that are written as HTML: `<br>`, the one tag that models mean as a tag.

In a paragraph it becomes Markdown's own break. A cell and a heading are one line to Markdown: there
it becomes a line end, written as a reference, which a style lets stand (chat.css).
"""

import re
from functools import lru_cache

from core.markdown.marks.cjk_emphasis import INVISIBLE

BREAK = re.compile(r"<br\s*/?>|</br\s*>", re.IGNORECASE)
_BREAKS = re.compile(rf"(?:\s|{BREAK.pattern})+", re.IGNORECASE)
_BLANKS = re.compile(r"[ \t]*")
# What begins no list, heading, fence or table at the beginning of a line.
_HARMLESS = re.compile(r"[^\W\d_]|\*\*(?=[^\s*])|`(?!`)|[（(“‘「『【《\"']|<br|</br", re.IGNORECASE)

LINE_END = "&#10;"


def break_at(text: str, start: int, end: int, *, is_one_line: bool) -> tuple[int, str]:
    """Return where what the break replaces ends, and what stands there instead."""
    blanks = _BLANKS.match(text, end)
    after = blanks.end() if blanks else end
    leading, trailing = _outer_breaks(text)
    is_first, is_last = start <= leading, start >= trailing
    line = text[text.rfind("\n", 0, start) + 1 : start]
    if is_one_line or line.startswith("```"):  # on a line of its own that would be a fence
        if is_first and not is_last and not _HARMLESS.match(text, after):
            return end, INVISIBLE
        return (end, "") if is_first or is_last else (after, LINE_END)
    guard = "" if after == len(text) or _HARMLESS.match(text, after) else INVISIBLE
    if is_last:  # alone, an opener would begin a formula of many lines
        return end, INVISIBLE if text[:start].rstrip().endswith(("\\[", "$$")) else ""
    if text[after] == "\n":
        return after, "" if is_first else "\\"
    return after, guard if is_first else f"\\\n{guard}"


@lru_cache(maxsize=4)  # asked for each break of a text
def _outer_breaks(text: str) -> tuple[int, int]:
    """Return where the breaks and blanks at the beginning end, and where those at the end begin."""
    leading, trailing = 0, len(text)
    for run in _BREAKS.finditer(text):
        if run.start() == 0:
            leading = run.end()
        if run.end() == len(text):
            trailing = run.start()
    return leading, trailing
