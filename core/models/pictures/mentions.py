"""References named in a prompt: people write `@image1` or `@图1`, Kling reads `<<<image_1>>>`.

Kling numbers pictures and elements by their order in the request (kling.md section 11).
"""

import re
from typing import Literal

Named = Literal["image", "element"]

_WORDS: dict[str, Named] = {
    "image": "image",
    "图片": "image",
    "图": "image",
    "element": "element",
    "主体": "element",
}
# Not behind a letter or digit: that is an address of mail, not a name.
_WRITTEN = re.compile(
    rf"(?<![A-Za-z0-9_.@])@({'|'.join(_WORDS)}) ?_?(\d{{1,2}})(?!\d)", re.IGNORECASE
)
_KLINGS = re.compile(r"<<<(image|element)_(\d{1,2})>>>")


def for_kling(prompt: str) -> str:
    """Return a prompt with its references as Kling reads them."""

    def named(found: re.Match[str]) -> str:
        return f"<<<{_WORDS[found[1].lower()]}_{int(found[2])}>>>"

    return _WRITTEN.sub(named, prompt)


def mentioned(prompt: str) -> frozenset[tuple[Named, int]]:
    """Return which references a prompt names, whichever way it is written."""
    found = _KLINGS.findall(for_kling(prompt))
    return frozenset((_WORDS[word], int(number)) for word, number in found)
