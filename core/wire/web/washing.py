"""Sanitizing of what comes from the web: words without tricks, and addresses that are plain links.

Signs that are not seen, that turn the direction of what is read, or that models take for marks of
their own are left out: a person and a model are to read the same.
"""

import re
import unicodedata
from urllib.parse import urlsplit

from core.wire.surrogates import without_halves

ADDRESS_MOST = 2_048
# Cc controls, Cf formats (bidi, zero width, tags), Cs halves, Co private, Cn nothing yet.
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
# Blank, and no blanks by their class: fillers, and selectors of variants, which carry messages.
_BLANK = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\ufe00-\ufe0f\U000e0100-\U000e01ef]"
)
_ODD_LINES = frozenset("\r\u0085\u2028\u2029\x0b\x0c")
_LINES = re.compile("\r\n?|[\u0085\u2028\u2029\x0b\x0c]")
# How models mark roles, ends and calls: <|im_end|>, <｜User｜>, [INST], <tool_call>, <think> …
_MARKS = re.compile(
    r"<(?=\s*/?\s*(?:[|｜]|tool|function|think|invoke|parameter))|\[(?=/?INST\])", re.I
)
_UNSAFE_IN_ADDRESS = re.compile(r"[\s<>\"'`{}|\\^\[\]()]")


def plain_words(text: object, most: int, *, is_line: bool = False) -> str:
    """Return a text as people and models read it alike, cut to so many characters."""
    if not isinstance(text, str):
        return ""
    # A page may be huge: what is far behind the end is not looked at. What is to be done is told by
    # the signs that occur, of which a text has far fewer than characters.
    text = without_halves(text[: 4 * most + 1_000])
    signs = set(text)
    if signs & _ODD_LINES:
        text = _LINES.sub("\n", text)
    unseen = [
        one
        for one in signs - {"\n", "\t"}
        if unicodedata.category(one) in _UNSEEN or _BLANK.match(one)
    ]
    seen = text.translate(dict.fromkeys(map(ord, unseen))) if unseen else text
    if "<" in seen or "[" in seen:
        seen = _MARKS.sub(lambda mark: f"{mark[0]} ", seen)
    seen = " ".join(seen.split()) if is_line else _gaps_closed(seen).strip()
    return seen if len(seen) <= most else seen[: most - 1].rstrip() + "…"


def _gaps_closed(text: str) -> str:
    return re.sub(r"\n{3,}", "\n\n", text) if "\n\n\n" in text else text


def plain_address(url: object) -> str | None:
    """Return an address that is nothing but a link to a public page; None for all others."""
    if not isinstance(url, str) or len(url) > ADDRESS_MOST:
        return None
    url = url.strip()
    if any(unicodedata.category(one) in _UNSEEN for one in url) or _BLANK.search(url):
        return None
    try:
        parts = urlsplit(url)
        host, has_user = parts.hostname, parts.username is not None or parts.password is not None
        _ = parts.port  # ValueError where it is none
        if parts.scheme.lower() not in ("http", "https") or not host or has_user:
            return None
        host.encode("idna")
    except ValueError:  # UnicodeError is one
        return None
    return _UNSAFE_IN_ADDRESS.sub(lambda sign: f"%{ord(sign[0]):02X}", url)


def site_of(url: str) -> str:
    """Return whose page it is, as the address says: names in other alphabets by their true form."""
    try:
        host = (urlsplit(url).hostname or "").rstrip(".")
        return host.encode("idna").decode("ascii").removeprefix("www.")[:100]
    except ValueError:
        return "?"
