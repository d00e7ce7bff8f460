"""Where a long block that is still growing may be cut, so that both parts look right for now.

A fence is cut between lines and opened again, a list between items or between the parts of one, a
table between rows (the header is repeated, as on a printed page: without one there is no table), a
paragraph behind a sentence where nothing is open. Display formulas and HTML blocks are not cut.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate

from markdown_it.token import Token

from core.markdown import fences
from core.markdown.block_parser import LINE, block_tokens, lines_of, top_level
from core.markdown.math import BRACKETS, formula_at

_LIST_TYPES = frozenset({"bullet_list_open", "ordered_list_open", "list_item_open"})
_NUMBER = re.compile(r"( *)(\d{1,9})(?=[.)])")

_GOES_ON = r"[ \t]*(?=[^\W\d_]|[“‘（「『《【])"  # with what cannot begin a list or a heading
_SENTENCE_END = re.compile(
    r"(?:[。！？；…]+[”’」』）)\"'*_~`]*|[.!?]+[”’\"')*_~`]*(?=\s)|\n)" + _GOES_ON
)
_WORD_END = re.compile(r"(?:[，、：]|\s)" + _GOES_ON)
_ANYWHERE = re.compile(r"(?<=[^\x00-\x7f])(?=[^\W\d_])")

# Code whose parts stand each in a box of its own is cut only where it is longer than nearly all
# code that models write (a fence that may be drawn in one box from its parts: growing_fence).
CODE_CHARS = 16_000

_INLINE = re.compile(r"\\.|`+|https?://[^\s<>]+|\*+|_+|~~+|\[|<(?=\S)|\$+", re.DOTALL)
_LINK = re.compile(r"\[[^\[\]]*\](?:\([^()\s]*(?:\([^()\s]*\)[^()\s]*)*(?:\s+\"[^\"]*\")?\))?")
_TAG = re.compile(r"<[^<>]*>")
# What was not closed within so many characters is not going to be.
_LOOKAHEAD_CHARS = 400


@dataclass(frozen=True, slots=True)
class Cut:
    """Show `text[:end] + closing`, then go on with `opening + text[resume:]`."""

    end: int
    resume: int
    closing: str = ""
    opening: str = ""
    strip: int = 0  # columns to take from the lines that follow, while they have them


def provisional_cut(text: str, least: int, limit: int) -> Cut | None:
    """Find the last good place behind `least` characters, or None."""
    tokens, _ = block_tokens(text)
    tops = top_level(tokens)
    if not tops:
        return None
    offsets = [0, *accumulate(map(len, LINE.findall(text)))]
    last = tops[-1]
    first, _ = lines_of(last)
    if offsets[first] > least:
        return Cut(offsets[first], offsets[first])
    body = tokens[tokens.index(last) :]
    find = _FINDERS.get(last.type)
    return find(_Long(text, max(least, offsets[first]), limit, offsets, body)) if find else None


@dataclass(frozen=True, slots=True)
class _Long:
    text: str
    least: int
    limit: int
    offsets: Sequence[int]  # of the lines
    tokens: Sequence[Token]  # the block's own first

    def line(self, number: int) -> str:
        return self.text[self.offsets[number] : self.offsets[number + 1]]


def _cut_fence(block: _Long) -> Cut | None:
    first, _ = lines_of(block.tokens[0])
    opening = block.line(first)
    fence = fences.opened(opening)
    start = block.offsets[first]
    if fence is None or len(block.text) - start <= CODE_CHARS:
        return None
    end = start + len(opening)
    for number in range(first + 1, block.text.count("\n")):
        fence.ends_with(block.line(number))
        if fence.depth == 0:  # not within a fence in this one: its other half would stand alone
            end = block.offsets[number + 1]
    if end <= max(block.least, start + len(opening)):
        return None
    return Cut(end, end, closing=block.tokens[0].markup + "\n", opening=opening)


def _cut_code(block: _Long) -> Cut | None:
    first, _ = lines_of(block.tokens[0])
    if len(block.text) - block.offsets[first] <= CODE_CHARS:
        return None
    end = block.text.rfind("\n") + 1
    return Cut(end, end) if end > block.least else None


def _cut_table(block: _Long) -> Cut | None:
    first, _ = lines_of(block.tokens[0])
    header = block.line(first) + block.line(first + 1)
    end = block.text.rfind("\n") + 1
    if end <= max(block.least, block.offsets[first] + len(header)):
        return None
    return Cut(end, end, opening=header)


def _cut_list(block: _Long) -> Cut | None:
    items = [t for t in block.tokens if t.type == "list_item_open" and t.level == 1]
    number, _ = lines_of(items[-1])
    offset = block.offsets[number]
    if offset > block.least:
        match = _NUMBER.match(block.line(number))
        if match is None:
            return Cut(offset, offset)
        # Markdown counts by itself: "1." three times shows 1, 2, 3, and so must the part cut off.
        shown = int(block.tokens[0].attrs.get("start", 1)) + len(items) - 1
        return Cut(offset, offset + match.end(), opening=f"{match[1]}{shown}")
    return _cut_item(block, list(block.tokens[block.tokens.index(items[-1]) + 1 :]))


def _cut_item(block: _Long, inside: Sequence[Token]) -> Cut | None:
    """Cut before the last part of an item: a nested item, a paragraph, a fence."""
    found: Token | None = None
    depth = 0  # inside of something that is not a list
    for token in inside:
        if token.nesting < 0:
            depth -= depth > 0
            continue
        if depth == 0 and token.map and token.type != "inline":
            found = token
        if token.nesting > 0 and (depth or token.type not in _LIST_TYPES):
            depth += 1
    if found is None:
        return None
    first, _ = lines_of(found)
    line = block.line(first)
    indent = len(line) - len(line.lstrip(" "))
    offset = block.offsets[first]
    if offset > block.least and indent:
        return Cut(offset, offset, strip=indent)
    if found.type != "paragraph_open":
        return None
    end = _sentence_end(block, offset)
    # The rest of the paragraph is drawn without its bullet, and so is what else belongs to it.
    return Cut(end, end, strip=indent or 2) if end else None


def _cut_quote(block: _Long) -> Cut | None:
    children = [t for t in block.tokens if t.level == 1 and t.map and t.nesting >= 0]
    if not children:
        return None
    first, _ = lines_of(children[-1])
    offset = block.offsets[first]
    if offset > block.least:
        return Cut(offset, offset)
    if children[-1].type != "paragraph_open":
        return None
    end = _sentence_end(block, offset)
    if end is None:
        return None
    return Cut(end, end, opening="" if block.text[end - 1] == "\n" else "> ")


def _cut_paragraph(block: _Long) -> Cut | None:
    end = _sentence_end(block, block.least)
    return Cut(end, end) if end else None


_FINDERS: dict[str, Callable[[_Long], Cut | None]] = {
    "fence": _cut_fence,
    "code_block": _cut_code,
    "table_open": _cut_table,
    "bullet_list_open": _cut_list,
    "ordered_list_open": _cut_list,
    "blockquote_open": _cut_quote,
    "paragraph_open": _cut_paragraph,
}


def _sentence_end(block: _Long, begin: int) -> int | None:
    """Find the last place behind which the text may go on in a paragraph of its own."""
    begin = max(begin, block.least)
    text = block.text
    busy = list(_busy(text, begin))
    for pattern in (_SENTENCE_END, _WORD_END):
        ends = [match.end() for match in pattern.finditer(text, begin)]
        for end in reversed(ends):
            if end > begin and not any(start < end < stop for start, stop in busy):
                return end
    if len(text) < 2 * block.limit:
        return None
    # Better a formula or an emphasis cut in two than a page that resends all of it.
    for pattern in (_SENTENCE_END, _WORD_END, _ANYWHERE):
        ends = [match.end() for match in pattern.finditer(text, begin) if match.end() > begin]
        if ends:
            return ends[-1]
    return None


def _busy(text: str, begin: int) -> list[tuple[int, int]]:
    """Return the spans in which an inline construct is open."""
    spans: list[tuple[int, int]] = []
    opened: dict[str, int] = {}
    position = begin
    while match := _INLINE.search(text, position):
        mark, start, position = match[0], match.start(), match.end()
        kind = mark[0]
        if kind in "*_~":
            before, after = text[start - 1 : start], text[position : position + 1]
            if mark in opened and not before.isspace():
                spans.append((opened.pop(mark), position))
            elif after and not after.isspace() and not (kind == "_" and before.isalnum()):
                opened[mark] = start
            continue
        end = _inline_end(text, mark, start, position)
        if end is not None:
            spans.append((start, end))
            position = end
        elif len(text) - start < _LOOKAHEAD_CHARS:
            spans.append((start, len(text) + 1))
    spans += [(at, len(text) + 1) for at in opened.values() if len(text) - at < _LOOKAHEAD_CHARS]
    return spans


def _inline_end(text: str, mark: str, start: int, position: int) -> int | None:
    if mark[0] == "`":
        closing = re.compile(rf"(?<!`){mark}(?!`)").search(text, position)
        return closing.end() if closing else None
    if mark[0] == "[":
        link = _LINK.match(text, start)
        return link.end() if link and link.end() < len(text) else None
    if mark[0] == "<":
        tag = _TAG.match(text, start)
        return tag.end() if tag else None
    if mark[0] == "$" or mark in BRACKETS:
        formula = formula_at(text, start)
        return formula[0] if formula else None
    return position if mark[0] in "h\\" else None
