"""The last block of a text that is still growing: which lines go on with it for certain.

A parser need not be asked about those lines, so a long list, fence, table or paragraph costs what
it adds. A line that is not certain is parsed together with its block; nothing here decides where a
block ends.
"""

import re
import sys
from collections.abc import Sequence

from markdown_it.token import Token

from core.markdown import fences
from core.markdown.block_parser import lines_of, top_level
from core.markdown.environments import OpenEnvironment
from core.markdown.fences import OpenFence
from core.markdown.math import CLOSERS

_ITEM = re.compile(r"( {0,3})([-+*]|\d{1,9}[.)])( +|$)")
_RULE_OR_UNDERLINE = re.compile(r"[-*_=\s]*$")
_INDENT = re.compile(r" *")
_PLAIN = re.compile(r" {0,3}[^\W\d_]")  # a letter begins neither a block nor a table's second line
_QUOTED = re.compile(r" {0,3}>")
_ROW = re.compile(r" {0,3}\|")
_CODE = re.compile(r" {4}|\t")

_CLOSED_BY_BLANK = frozenset({"paragraph", "quote", "table"})
_LINES = {
    "paragraph_open": ("paragraph", _PLAIN),
    "blockquote_open": ("quote", _QUOTED),
    "table_open": ("table", _ROW),
    "code_block": ("code", _CODE),
    "footnote_open": ("footnote", _CODE),
}


class OpenBlock:
    """What is known of the block that complete lines have left open."""

    def __init__(self) -> None:
        self._kind = "unknown"
        self._line = _PLAIN
        self._marker = ""
        self._offset = 0
        self._is_empty_item = False
        self._inside: OpenFence | OpenEnvironment | None = None

    @property
    def is_closed(self) -> bool:
        """Tell whether no later line can belong to the block, blank ones aside."""
        return self._kind == "closed"

    @classmethod
    def after(cls, tokens: Sequence[Token], lines: Sequence[str]) -> "OpenBlock":
        """Read it from a parse of `lines`, the last of which is not blank."""
        block = cls()
        token = top_level(tokens)[-1]
        first, _ = lines_of(token)
        if token.type in ("heading_open", "hr"):
            block._kind = "closed"
        elif token.type in _LINES:
            block._kind, block._line = _LINES[token.type]
        elif token.type == "fence":
            block._go_on_inside(fences.opened(lines[first]), lines[first + 1 :])
        elif token.type == "math_block" and "name" in token.meta:
            block._go_on_inside(OpenEnvironment(token.meta["name"]), lines[first:])
        elif token.type == "math_block":
            is_bare = lines[first].strip() == token.markup
            block._kind, block._marker = "math" if is_bare else "closed", CLOSERS[token.markup]
            for line in lines[first + 1 :] if is_bare else ():
                block.goes_on_with(line)
        elif token.type.endswith("_list_open"):
            block._read_last_item(tokens, lines)
        return block

    def _go_on_inside(
        self, inside: OpenFence | OpenEnvironment | None, lines: Sequence[str]
    ) -> None:
        if inside is not None:
            self._kind, self._inside = "inside", inside
            for line in lines:
                self.goes_on_with(line)

    def goes_on_with(self, line: str) -> bool:
        """Tell whether `line` belongs to this block for certain, and take it in if so."""
        text = line.rstrip(" \t\r\n")
        if self._kind in ("inside", "math"):
            if self._is_closing(text):
                self._kind = "closed"
            # With words behind its end an environment is no block: the parser is asked.
            return not isinstance(self._inside, OpenEnvironment) or self._inside.is_display
        if not text:
            if self._kind in _CLOSED_BY_BLANK:
                self._kind = "closed"
            elif self._is_empty_item:  # nothing can be its content any more; the list may go on
                self._offset = sys.maxsize
            return True
        if self._kind in ("closed", "unknown"):
            return False
        if self._kind == "list":
            return self._goes_on_with_item(text)
        return self._line.match(text) is not None

    def _is_closing(self, text: str) -> bool:
        if self._kind == "math":
            return text.endswith(self._marker)
        return self._inside is not None and self._inside.ends_with(text)

    def _read_last_item(self, tokens: Sequence[Token], lines: Sequence[str]) -> None:
        item = next(t for t in reversed(tokens) if t.type == "list_item_open" and t.level == 1)
        number, _ = lines_of(item)
        text = lines[number].rstrip(" \t\r\n")
        if match := _ITEM.match(text):
            self._kind = "list"
            self._begin_item(match, text)
            if any(line.strip() for line in lines[number + 1 :]):
                self._is_empty_item = False

    def _begin_item(self, match: re.Match[str], text: str) -> None:
        indent, marker, spaces = match.groups()
        self._marker = marker[-1]
        self._is_empty_item = match.end() == len(text)
        # Five spaces or more after the marker begin indented code: only one belongs to the marker.
        width = 1 if self._is_empty_item or len(spaces) > 4 else len(spaces)
        self._offset = len(indent) + len(marker) + width

    def _goes_on_with_item(self, text: str) -> bool:
        indent = _INDENT.match(text)
        if indent and indent.end() >= self._offset:
            self._is_empty_item = False
            return True
        match = _ITEM.match(text)
        if match is None or match[2][-1] != self._marker or _RULE_OR_UNDERLINE.match(text):
            return False
        self._begin_item(match, text)
        return True
