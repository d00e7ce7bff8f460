"""Which link addresses a page may follow: http, https and mailto, or one without a scheme."""

import html
import re

_FOLLOWED = frozenset({"http", "https", "mailto"})
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
# Browsers pass over these within an address, so `java\tscript:` is a scheme to them.
_PASSED_OVER = re.compile(
    r"[\x00-\x20\x7f-\xa0\u00ad\u2000-\u200f\u2028-\u202f\u2060-\u2064\ufeff]"
)
_SCHEME = re.compile(r"([^/?#:]*):")


def is_followed(destination: str) -> bool:
    """Tell whether a link's destination, as Markdown holds it, may be a link."""
    address = html.unescape(_ESCAPED.sub(r"\1", destination.strip().strip("<>")))
    scheme = _SCHEME.match(_PASSED_OVER.sub("", address))
    return scheme is None or scheme[1].lower() in _FOLLOWED
