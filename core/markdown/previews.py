"""Code blocks of an answer that can be shown as what they describe: HTML, SVG and JSON.

Diagrams are none of them: Streamlit draws each mermaid fence where it stands (`rendering`).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from core.markdown.block_parser import block_tokens

PreviewKind = Literal["html", "svg", "json"]

BLOCKS_MOST = 12
_LANGUAGES: dict[str, PreviewKind] = {
    **dict.fromkeys(("html", "htm", "xhtml", "html5"), "html"),
    "svg": "svg",
    **dict.fromkeys(("json", "geojson"), "json"),
}
# Of a block in these, or in none that is named, its beginning tells.
_TOLD_BY_CONTENT = frozenset({"", "xml"})
_PREAMBLE = r"\s*(?:<\?xml[^>]*\?>\s*)?(?:<!--(?:(?!-->).)*-->\s*)*"
_SVG = re.compile(_PREAMBLE + r"(?:<!doctype\s+svg[^>]*>\s*)?<svg[\s>]", re.I | re.S)
_HTML = re.compile(_PREAMBLE + r"(?:<!doctype\s+html|<html[\s>])", re.I | re.S)
_RUN = re.compile(r"```|~~~")
_KEPT = 32


@dataclass(frozen=True, slots=True)
class PreviewBlock:
    """A code block, and as what it can be shown."""

    kind: PreviewKind
    source: str


def preview_blocks(text: str) -> tuple[PreviewBlock, ...]:
    """Return the code blocks of a text that can be shown, in its order, BLOCKS_MOST at most."""
    return _found(text) if _RUN.search(text) else ()


@lru_cache(_KEPT)  # a run of the page asks again for what earlier ones have found
def _found(text: str) -> tuple[PreviewBlock, ...]:
    blocks: list[PreviewBlock] = []
    for language, source in _fences(text):
        kind = _kind_of(language, source)
        if kind is not None and source.strip() and len(blocks) < BLOCKS_MOST:
            blocks.append(PreviewBlock(kind, source))
    return tuple(blocks)


def _fences(text: str) -> Iterator[tuple[str, str]]:
    tokens, _ = block_tokens(text)
    for token in tokens:
        if token.type == "fence":
            words = token.info.split(maxsplit=1)
            yield (words[0].lower() if words else ""), token.content


def _kind_of(language: str, source: str) -> PreviewKind | None:
    if language in _TOLD_BY_CONTENT:
        if _SVG.match(source):
            return "svg"
        return "html" if _HTML.match(source) else None
    kind = _LANGUAGES.get(language)
    return "svg" if kind == "html" and _SVG.match(source) else kind
