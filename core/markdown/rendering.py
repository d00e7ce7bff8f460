"""What is done to a provider's Markdown before Streamlit shows it.

Models write plain Markdown and LaTeX; Streamlit reads more into it than they mean. So formulas get
the one form Streamlit knows; a `$` that is a price, a `:name[…]` that is no directive and a
`:name:` that is no emoji are shown as they stand; emphasis in Chinese ends where it was meant to.
A single `~` strikes nothing, `<br>` breaks a line, and a diagram has its source beside it.
Pictures become links: a page that fetches an address of the model's choice tells a stranger what
was said. What Streamlit 1.67 parses was read in its page's own script.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate

from markdown_it.token import Token

from core.markdown.addresses import is_followed
from core.markdown.block_parser import LINE, block_tokens, lines_of
from core.markdown.fences import drawn_language, info_word, outer_run
from core.markdown.inline import Edit, Place, inert_edits, inline_edits, is_plain
from core.markdown.math import as_fence, environment_as_fence, later_prefix
from core.markdown.tables import cells

# `st.markdown` dedents and strips; behind a definition, which shows nothing, the first line stays.
_SHIELD = "[\ue000]: #\n\n"

# Mermaid can draw pictures and styles from an address, and Streamlit draws every mermaid fence.
_ADDRESS = re.compile(r"//|\\\\|url\(|@import", re.IGNORECASE)
# Its source stands below each diagram; a style shows one of the two (chat.css).
DIAGRAM_SOURCE = "diagramsource"

# What may stand before a row: quotes' and lists' markers.
_CONTAINERS = re.compile(r"[ \t]*(?:(?:>|(?:[-+*]|\d{1,9}[.)])(?=[ \t]))[ \t]*)*")


def shielded(text: str) -> str:
    """Return the text such that `st.markdown` keeps the indentation of its first line."""
    return _SHIELD + text if text[:1] in (" ", "\t") else text


def for_streamlit(text: str) -> str:
    """Return Markdown that Streamlit shows as it was meant; done twice, it changes nothing more.

    A text and its settled blocks fare alike: the blocks' results joined are the text's.
    """
    tokens, _ = block_tokens(text)
    source = _Source(text)
    rows = _rows(tokens)
    edits: list[Edit] = []
    for row, (columns, is_header) in rows.items():
        edits += source.row(row, columns, is_header=is_header)
    before: Token | None = None
    for number, token in enumerate(tokens):
        if token.type == "inline" and lines_of(token)[0] not in rows:
            is_heading = before is not None and before.type == "heading_open"
            edits += source.inline(token, Place.HEADING if is_heading else Place.PARAGRAPH)
        elif token.type == "definition" and not is_followed(str(token.meta.get("url", ""))):
            edits += source.definition(token)
        elif token.type == "math_block":
            edits += source.math_block(token)
        elif token.type == "fence":
            edits += source.fence(tokens, number)
        elif token.type == "code_block" and before and _is_right_below(token, before):
            # Directly below a definition, remark reads a paragraph where markdown-it sees code.
            edits += [edit for line in range(*lines_of(token)) for edit in source.inert(line)]
        before = token
    return _applied(text, sorted(edits, key=lambda edit: edit[:2]))


def _rows(tokens: Sequence[Token]) -> dict[int, tuple[int, bool]]:
    """Return the lines of all tables' rows: how many columns, and whether it is the header."""
    rows: dict[int, tuple[int, bool]] = {}
    columns = line = 0
    for token in tokens:
        if token.type == "thead_open":
            columns = 0
        elif token.type == "th_open":
            columns += 1
            rows[line] = columns, True
        elif token.type == "tr_open":
            line, _ = lines_of(token)
            rows[line] = columns, False
    return rows


def _is_right_below(token: Token, before: Token) -> bool:
    return before.type == "definition" and lines_of(before)[1] == lines_of(token)[0]


class _Source:
    """A text by its lines, to bring edits of its parts back to its own offsets."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._lines: Sequence[str] = LINE.findall(text)
        self._offsets = [0, *accumulate(map(len, self._lines))]

    def inline(self, token: Token, place: Place) -> Iterator[Edit]:
        """Yield the edits of a paragraph's or a heading's text."""
        if is_plain(token.content):
            return
        first, after = lines_of(token)
        contents = [content.strip(" \t") for content in token.content.split("\n")]
        # Lines of blanks that are none to Markdown are left out of the content, at both ends.
        while first < after - 1 and contents[0] not in self._line(first):
            first += 1
        parts, origins, prefixes = [], [], []
        for number, part in enumerate(contents, first):
            line = self._line(number)
            column = line.rfind(part)
            if column < 0:
                return  # better as it was written than at a wrong place
            parts.append(part)
            origins.append(self._offsets[number] + column)
            prefixes.append(later_prefix(line[:column]))
        yield from _moved(inline_edits("\n".join(parts), place), parts, origins, prefixes)

    def _line(self, number: int) -> str:
        return self._lines[number].replace("\0", "\ufffd")

    def row(self, number: int, columns: int, *, is_header: bool) -> Iterator[Edit]:
        """Yield the edits of a table's row: nothing reaches from one cell into the next."""
        line = self._lines[number].rstrip("\r\n")
        containers = _CONTAINERS.match(line)
        column = containers.end() if containers else 0
        start = self._offsets[number] + column
        row = line[column:]
        for first, last in cells(row, columns, is_header=is_header):
            cell = row[first:last]
            blanks = len(cell) - len(cell.lstrip())
            for begin, end, new in inline_edits(cell.strip(), Place.CELL):
                yield start + first + blanks + begin, start + first + blanks + end, new

    def definition(self, token: Token) -> Iterator[Edit]:
        """Yield the edits that make a definition text: what it names is no link then."""
        first, after = lines_of(token)
        at = self._lines[first].find("[")
        if at >= 0:
            start = self._offsets[first] + at
            if "\\]" in self._text[start : self._offsets[after]]:  # no formula's beginning
                yield start, start + 1, "&#91;"
            else:
                yield start, start, "\\"
            yield from self.inert(first, at + 1)
            for number in range(first + 1, after):
                yield from self.inert(number)

    def inert(self, number: int, column: int = 0) -> Iterator[Edit]:
        """Yield the edits after which a line has no mark that it or its neighbours could use.

        For what the page reads as a paragraph of which we see only this line.
        """
        start = self._offsets[number] + column
        for begin, end, new in inert_edits(self._lines[number][column:]):
            yield start + begin, start + end, new

    def math_block(self, token: Token) -> Iterator[Edit]:
        """Yield the edit that gives a display formula lines of its own."""
        first, _ = lines_of(token)
        line = self._lines[first]
        column = line.index(token.markup)
        start = self._offsets[first] + column
        content = token.content.rstrip()
        lines = content.count("\n") + 1
        end = self._offsets[first + lines - 1] + len(self._lines[first + lines - 1].rstrip())
        if "name" in token.meta:
            is_closed = token.meta["is_closed"]
            new = environment_as_fence(content, line[:column], is_closed=is_closed)
        else:
            new = as_fence(content, token.markup, line[:column])
        if new != self._text[start:end]:
            yield start, end, new

    def fence(self, tokens: Sequence[Token], place: int) -> Iterator[Edit]:
        """Yield the edits of a fence that holds others, or a diagram."""
        token = tokens[place]
        outer = outer_run(token.markup, token.info, token.content)
        if outer != token.markup:
            yield from self._longer(token, outer)
        if drawn_language(token.info) != "mermaid":
            return
        first, after = lines_of(token)
        language = info_word(token.info)
        behind_run = self._lines[first].index(token.markup) + len(token.markup)
        start = self._offsets[first] + self._lines[first].index(language, behind_run)
        is_drawn = _is_closed(token) and not _ADDRESS.search(token.content)
        name = "mermaid" if is_drawn else "text"
        if name != language:
            yield start, start + len(language), name
        follower = next((t for t in tokens[place + 1 :] if t.nesting >= 0), None)
        if is_drawn and not (follower and follower.info.strip() == DIAGRAM_SOURCE):
            last = self._lines[after - 1].rstrip("\r\n")
            end = self._offsets[after - 1] + len(last)
            prefix = later_prefix(self._lines[first][: self._lines[first].index(token.markup)])
            lines = token.content.rstrip("\n").split("\n")
            source = [outer + DIAGRAM_SOURCE, *lines, outer]
            yield end, end, "".join(f"\n{prefix}{line}" for line in source)

    def _longer(self, token: Token, outer: str) -> Iterator[Edit]:
        first, after = lines_of(token)
        start = self._offsets[first] + self._lines[first].index(token.markup)
        yield start, start + len(token.markup), outer
        if _is_closed(token):
            last = self._lines[after - 1].rstrip()
            run = len(last) - len(last.rstrip(outer[0]))
            end = self._offsets[after - 1] + len(last)
            yield end - run, end, outer


def _is_closed(token: Token) -> bool:
    """Tell whether a fence's end has come."""
    first, after = lines_of(token)
    content = token.content
    lines = content.count("\n") + (content != "" and not content.endswith("\n"))
    return after - first == lines + 2


def _moved(
    edits: Iterator[Edit], parts: Sequence[str], origins: Sequence[int], prefixes: Sequence[str]
) -> Iterator[Edit]:
    starts = [0, *accumulate(len(part) + 1 for part in parts)][:-1]

    def moved(offset: int) -> tuple[int, int]:
        number = bisect_right(starts, offset) - 1
        return origins[number] + offset - starts[number], number

    for start, end, new in edits:
        # The end belongs to the line that its last character stands on.
        begin, number = moved(start)
        new = new.replace("\n", f"\n{prefixes[number]}")
        yield begin, moved(end - 1)[0] + 1 if end > start else begin, new


def _applied(text: str, edits: Sequence[Edit]) -> str:
    pieces: list[str] = []
    position = 0
    for start, end, new in edits:
        pieces += (text[position:start], new)
        position = end
    return "".join((*pieces, text[position:]))
