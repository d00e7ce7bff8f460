"""JSON as programs post it, and as they are answered: what is read can be written again."""

import json

from core.wire.surrogates import has_halves, without_halves

_ESCAPED = "\\u"
_TIGHT = (",", ":")


def read_json(body: bytes) -> object:
    """Return the value in a body; ValueError where it is no JSON.

    Halves of characters, in names too, become U+FFFD. Python's NaN and Infinity are read.
    """
    text = body.decode(json.detect_encoding(body), "surrogatepass")
    value: object = json.loads(text)
    if _ESCAPED in text or has_halves(text):
        written = json.dumps(value, ensure_ascii=False)
        if has_halves(written):
            return json.loads(without_halves(written))
    return value


def write_json(value: object) -> bytes:
    """Return a value as JSON; numbers that JSON has none of are null."""
    try:
        text = json.dumps(value, ensure_ascii=False, separators=_TIGHT, allow_nan=False)
    except ValueError:
        known = json.loads(json.dumps(value), parse_constant=lambda _word: None)
        text = json.dumps(known, ensure_ascii=False, separators=_TIGHT)
    return text.encode("utf-8", "replace")
