"""Thinking tags and beginnings of call markers, as patterns and as what a piece may end in."""

import re

from core.wire.words.call_marks import BAR, CALLS, DSML, folded

BLANK = " \t\r\n\f\v\u3000\ufeff\u200b"
OPENING = re.compile(r"<think(?:ing)?>", re.IGNORECASE)
CLOSING = re.compile(r"</think(?:ing)?>", re.IGNORECASE)
MARK = re.compile(rf"(</?think(?:ing)?>)|{CALLS}", re.IGNORECASE)
_CLOSED = re.compile(rf"</think(?:ing)?>[{BLANK}]*\Z", re.IGNORECASE)

# The same as plain beginnings, for what may go on in the next piece (see folded).
TAGS = ("<think>", "<thinking>", "</think>", "</thinking>")
BEGINNINGS = (*TAGS, "<｜tool▁calls▁begin｜>", "<｜tool▁call▁begin｜>", DSML)
_DSML_HALF = re.compile(r"<｜dsml｜\s?[\w▁]{0,40}")
_LONGEST = 64


def line_end(text: str) -> int:
    """Return how far a line goes on; what ends it stands alone."""
    if text[0] == "\n":
        return 1
    end = text.find("\n")
    return len(text) if end < 0 else end


def without_closing(thought: str) -> str:
    """Return what was thought without the tag that ended it, where that was said as a text."""
    return _CLOSED.sub("", thought)


def end_of(name: str, *, is_dsml: bool) -> tuple[str, re.Pattern[str]]:
    """Return how a call ends whose marker is called so: plainly, and as a pattern."""
    if is_dsml:
        pattern = rf"</{BAR}DSML{BAR}\s?{re.escape(name)}>"
        return folded(f"</｜dsml｜{name}>"), re.compile(pattern, re.IGNORECASE)
    plain = folded(f"<｜{name}▁end｜>")
    spelled = plain.replace("｜", BAR).replace("▁", "[▁_]")
    return plain, re.compile(spelled, re.IGNORECASE)


def beginning_at_end(text: str, beginnings: tuple[str, ...]) -> int:
    """Return how many characters at the end may go on as one of `beginnings`."""
    at = text.rfind("<", max(0, len(text) - _LONGEST))
    return len(text) - at if at >= 0 and may_go_on(text[at:], beginnings) else 0


def may_go_on(text: str, beginnings: tuple[str, ...]) -> bool:
    """Tell whether a text may be the beginning of one of `beginnings`."""
    begun = folded(text)
    if DSML in beginnings and _DSML_HALF.fullmatch(begun) is not None:
        return True
    return any(one.startswith(begun) for one in beginnings)
