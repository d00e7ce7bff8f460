"""Call markers of DeepSeek's own template: where a call begins, and where one is only spoken of.

A marker begins a call if what stands behind it is one: a name and its separator, or DSML's
`invoke name=`. An answer about these markers goes on in words.
"""

import re
from collections.abc import Iterable

BAR = "[｜|]{1,2}"
CALLS = rf"<{BAR}(?:(tool[▁_]calls?)[▁_]begin{BAR}>|DSML{BAR}\s?(\w{{1,40}})(?=[\s>]))"
DSML = "<｜dsml｜"
_LOOK_MOST = 320

# One pattern of pieces each: signs as they are, and repeated ones that may go on or be missing.
_BLANKS = r"\s{0,8}"
_NAME = r"[\w▁.:/-]{1,64}"
_BEGIN, _CALL, _SEPARATOR = "<｜tool▁calls▁begin｜>", "<｜tool▁call▁begin｜>", "<｜tool▁sep｜>"
_ONE = (*_CALL, _BLANKS, _NAME, _BLANKS, *_SEPARATOR)
_INVOKE = (*DSML, r"\s?", *"invoke", r"\s{1,4}", *"name=", "[\"'“]")
_WRAPPED = (*DSML, r"\s?", r"(?!invoke\b)[\w▁]{1,40}", _BLANKS, ">", _BLANKS, *_INVOKE)
# One right behind the other they are hardly spoken of: any name will do.
_ODD = (*_BEGIN, *_CALL, r"(?s:.){1,80}", *_SEPARATOR)
_FORMS = (_ODD, _ONE, (*_BEGIN, _BLANKS, *_ONE), _INVOKE, _WRAPPED)


def _whole(form: Iterable[str]) -> str:
    return "".join(one if len(one) > 1 else re.escape(one) for one in form)


def _half(form: tuple[str, ...]) -> str:
    """Return a pattern of every beginning of a form."""
    pattern = ""
    for one in reversed(form):
        if one in (_BLANKS, r"\s?"):
            pattern = one + pattern
        else:
            pattern = f"(?:{one if len(one) > 1 else re.escape(one)}{pattern})?"
    return pattern


_WHOLE = re.compile("|".join(map(_whole, _FORMS)))
_HALF = re.compile("|".join(map(_half, _FORMS)))


def begins_call(text: str) -> bool | None:
    """Tell whether a text that begins with a marker begins a call; None: what follows tells."""
    head = folded(text[:_LOOK_MOST])
    if _WHOLE.match(head) is not None:
        return True
    return None if len(text) < _LOOK_MOST and _HALF.fullmatch(head) is not None else False


def folded(text: str) -> str:
    """Return one spelling of the signs that servers spell in two."""
    return text.lower().replace("|", "｜").replace("｜｜", "｜").replace("_", "▁")
