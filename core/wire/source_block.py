"""The block in which a text goes to a model that is to draw it: fenced, and all data.

The fence bears a mark that comes from all of the text, so no text can know it; a line that begins
as a fence does is set in.
"""

import hashlib
import re

from core.wire.web.washing import plain_words

SOURCE_MOST = 8_000  # characters: what makes a picture stands in fewer
_LINE = "| "
_FENCE = re.compile(r"^(?=[ \t]*===)", re.M)
_BLOCK = re.compile(
    r"^=== TEXT TO DRAW ([0-9a-f]{16}) ===\n(.*?)\n=== END OF TEXT TO DRAW \1 ===$", re.M | re.S
)


def source_block(text: str) -> str:
    """Return a text as a request brings it along, washed and cut to SOURCE_MOST."""
    words = _FENCE.sub(_LINE, plain_words(text, SOURCE_MOST))
    mark = hashlib.sha256(words.encode("utf-8", "replace")).hexdigest()[:16]
    return f"=== TEXT TO DRAW {mark} ===\n{words}\n=== END OF TEXT TO DRAW {mark} ==="


def without_source(text: str) -> tuple[str, str | None]:
    """Return what stands around a block, and the text in it; None where there is none."""
    found = _BLOCK.search(text)
    if found is None:
        return text, None
    return f"{text[: found.start()]}{text[found.end() :]}", found[2]
