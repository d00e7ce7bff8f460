"""What is done to a provider's Markdown before Streamlit shows it.

Models write plain Markdown and LaTeX; Streamlit reads more into it than they mean. So formulas get
the one form Streamlit knows; a `$` that is a price, a `:name[…]` that is no directive and a
`:name:` that is no emoji are shown as they stand; emphasis in Chinese ends where it was meant to.
Pictures become links: a page that fetches an address of the model's choice tells a stranger what
was said. What Streamlit 1.67 parses was read in its page's own script.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate

from markdown_it.common.html_re import HTML_TAG_RE
from markdown_it.token import Token

from core.markdown.addresses import is_followed
from core.markdown.block_parser import LINE, block_tokens, lines_of
from core.markdown.cjk_emphasis import INVISIBLE, Emphasis
from core.markdown.math import as_fence, formula_at

# `st.markdown` dedents and strips; behind a definition, which shows nothing, the first line stays.
_SHIELD = "[\ue000]: #\n\n"

_SPECIAL = re.compile(
    r"\\.|`+|\$+|!\[|\]\(|:|\*{2,}|~~"
    r"|<[A-Za-z][A-Za-z0-9+.-]{1,31}:[^<>\x00-\x20]*>"
    rf"|{HTML_TAG_RE.pattern}"
    r"|(?<![A-Za-z])(?:https?://|www\.)[^\s<>\[\]!\\`]*",
    re.DOTALL,
)

_DESTINATION = (
    r"\(\s*(<[^<>\n]*>|(?:\\.|[^\s()\\<]|\((?:\\.|[^\s()\\])*\))*)"
    r"(?:\s+(?:\"[^\"]*\"|'[^']*'|\([^()]*\)))?\s*\)"
)
_LINK_TAIL = re.compile(r"\]" + _DESTINATION, re.DOTALL)
_IMAGE = re.compile(r"!\[((?:\\.|[^\[\]\\]|\[(?:\\.|[^\[\]\\])*\])*)\]" + _DESTINATION, re.DOTALL)
_AUTOLINK = re.compile(r"<[A-Za-z][A-Za-z0-9+.-]{1,31}:[^<>\x00-\x20]*>\Z")
_DEFINED = re.compile(r":\s*(<[^<>\n]*>|\S+)")
_LABEL_MARKS = re.compile(r"([\[\]\\`*_$:<>!~])")

_NAME = r"[^\s!-,./:-@\[-^`{-~]+"  # a directive's name, as micromark-extension-directive reads it
_DIRECTIVE = re.compile(rf":(?!small\[\])(?={_NAME}(?:!?\[|{{))")
_BLOCK_DIRECTIVE = re.compile(r"(?:^|(?<=\n)):(?=:)")
_ICON = re.compile(r":material/")
_SHORTCODE = re.compile(r":([\w+-]+)(?=:)(?!:small\[\]|://)", re.ASCII)
_NUMERIC_EMOJI = frozenset({"+1", "-1", "100", "1234"})
# remark-emoji looks at the text behind the parser, where an escaped colon is a colon again. A
# directive without content shows nothing and keeps the two colons apart.
_APART = ":small[]"

# Mermaid can draw pictures and styles from an address, and Streamlit draws every mermaid fence.
_ADDRESS = re.compile(r"//|\\\\|url\(|@import", re.IGNORECASE)
_MERMAID = re.compile(r"mermaid(?!\w)", re.IGNORECASE)

Edit = tuple[int, int, str]


def shielded(text: str) -> str:
    """Return the text such that `st.markdown` keeps the indentation of its first line."""
    return _SHIELD + text if text[:1] in (" ", "\t") else text


def for_streamlit(text: str) -> str:
    """Return Markdown that Streamlit shows as it was meant; done twice, it changes nothing more.

    A text and its settled blocks fare alike: the blocks' results joined are the text's.
    """
    tokens, _ = block_tokens(text)
    source = _Source(text)
    rows = {lines_of(token)[0] for token in tokens if token.type == "tr_open"}
    edits = [edit for row in rows for edit in source.row(row)]
    before: Token | None = None
    for token in tokens:
        if token.type == "inline" and lines_of(token)[0] not in rows:
            edits += source.inline(token)
        elif token.type == "definition" and not is_followed(str(token.meta.get("url", ""))):
            edits += source.definition(token)
        elif token.type == "math_block":
            edits += source.math_block(token)
        elif token.type == "fence":
            edits += source.mermaid(token)
        elif token.type == "code_block" and before and _is_right_below(token, before):
            # Directly below a definition, remark reads a paragraph where markdown-it sees code.
            edits += [edit for line in range(*lines_of(token)) for edit in source.inert(line)]
        before = token
    return _applied(text, sorted(edits, key=lambda edit: edit[:2]))


def _is_right_below(token: Token, before: Token) -> bool:
    return before.type == "definition" and lines_of(before)[1] == lines_of(token)[0]


class _Source:
    """A text by its lines, to bring edits of its parts back to its own offsets."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._lines: Sequence[str] = LINE.findall(text)
        self._offsets = [0, *accumulate(map(len, self._lines))]

    def inline(self, token: Token) -> Iterator[Edit]:
        """Yield the edits of a paragraph's or a heading's text."""
        if not _SPECIAL.search(token.content):
            return
        first, _ = lines_of(token)
        parts, origins = [], []
        for number, content in enumerate(token.content.split("\n"), first):
            part = content.strip(" \t")
            line = self._lines[number].replace("\0", "\ufffd")
            parts.append(part)
            origins.append(self._offsets[number] + line.rindex(part))
        yield from _moved(_inline_edits("\n".join(parts)), parts, origins)

    def row(self, number: int) -> Iterator[Edit]:
        """Yield the edits of a table's row: nothing reaches from one cell into the next."""
        start = self._offsets[number]
        for cell in re.finditer(r"(?:\\.|[^|\\\r\n]|\\(?=[\r\n]|$))+", self._lines[number]):
            for begin, end, new in _inline_edits(cell[0]):
                yield start + cell.start() + begin, start + cell.start() + end, new

    def definition(self, token: Token) -> Iterator[Edit]:
        """Yield the edits that make a definition text: what it names is no link then."""
        first, after = lines_of(token)
        at = self._lines[first].find("[")
        if at >= 0:
            yield self._offsets[first] + at, self._offsets[first] + at, "\\"
            yield from self.inert(first, at + 1)
            for number in range(first + 1, after):
                yield from self.inert(number)

    def inert(self, number: int, column: int = 0) -> Iterator[Edit]:
        """Yield the edits after which a line has no mark that it or its neighbours could use.

        For what the page reads as a paragraph of which we see only this line.
        """
        start = self._offsets[number] + column
        for begin, end, new in _inert_edits(self._lines[number][column:]):
            yield start + begin, start + end, new

    def math_block(self, token: Token) -> Iterator[Edit]:
        """Yield the edit that gives a display formula lines of its own."""
        first, _ = lines_of(token)
        line = self._lines[first]
        column = line.index(token.markup)
        start = self._offsets[first] + column
        lines = token.content.rstrip().count("\n") + 1
        end = self._offsets[first + lines - 1] + len(self._lines[first + lines - 1].rstrip())
        new = as_fence(token.content.rstrip(), token.markup, line[:column])
        if new != self._text[start:end]:
            yield start, end, new

    def mermaid(self, token: Token) -> Iterator[Edit]:
        """Yield the edit that shows a diagram's source where its picture would fetch something."""
        if _MERMAID.match(token.info.strip()) and _ADDRESS.search(token.content):
            first, _ = lines_of(token)
            if match := _MERMAID.search(self._lines[first]):
                start = self._offsets[first]
                yield start + match.start(), start + match.end(), "text"


def _moved(edits: Iterator[Edit], parts: Sequence[str], origins: Sequence[int]) -> Iterator[Edit]:
    starts = [0, *accumulate(len(part) + 1 for part in parts)][:-1]

    def moved(offset: int) -> int:
        number = bisect_right(starts, offset) - 1
        return origins[number] + offset - starts[number]

    for start, end, new in edits:
        # The end belongs to the line that its last character stands on.
        yield moved(start), moved(end - 1) + 1 if end > start else moved(start), new


def _applied(text: str, edits: Sequence[Edit]) -> str:
    pieces: list[str] = []
    position = 0
    for start, end, new in edits:
        pieces += (text[position:start], new)
        position = end
    return "".join((*pieces, text[position:]))


def _inline_edits(text: str) -> Iterator[Edit]:
    position, end_of_address = 0, -1
    unclosed: set[int] = set()  # widths of backtick runs that nothing closes
    emphasis = Emphasis()
    while match := _SPECIAL.search(text, position):
        mark, start, position = match[0], match.start(), match.end()
        if mark[0] == "$" or mark in ("\\(", "\\["):
            if found := formula_at(text, start):
                position, new = found
                if start == end_of_address and mark[0] == "\\":
                    new = f" {new}"  # a bare address takes in all that is not blank
                if new != text[start:position]:
                    yield start, position, new
            elif mark[0] == "$":
                yield start, position, "\\$" * len(mark)
        elif mark[0] == "`":
            if len(mark) in unclosed:
                continue
            if closing := re.compile(rf"(?<!`){mark}(?!`)").search(text, position):
                position = closing.end()
            else:
                unclosed.add(len(mark))
        elif mark == "![":
            image = _IMAGE.match(text, start)
            if image and _is_harmless(image):
                position = image.end()
            else:
                yield from _link_instead(text, start, image)
        elif mark == "](":
            # Behind no opening bracket this is no link, and a picture in its "title" would be one.
            tail = _LINK_TAIL.match(text, start)
            if tail and not is_followed(tail[1]):
                yield start, start, "\\"
            elif tail and "![" not in tail[0] and "`" not in tail[0]:
                position = tail.end()
        elif mark == ":":
            yield from _colon_edits(text, start)
        elif mark[0] in "*~":
            if (place := emphasis.place_for_invisible(text, start, position)) is not None:
                yield place, place, INVISIBLE
        elif mark[0] == "<" and _AUTOLINK.match(mark) and not is_followed(mark):
            yield start, start, "\\"
            position = start + 1  # what stood in it is read now
        elif mark[0] in "hw":
            end_of_address = position


def _inert_edits(text: str) -> Iterator[Edit]:
    position = 0
    while match := _SPECIAL.search(text, position):
        mark, start, position = match[0], match.start(), match.end()
        if mark[0] in "$`*~":
            yield start, position, "".join(f"\\{sign}" for sign in mark)
        elif mark == ":":
            yield from _colon_edits(text, start)
        elif mark == "![":
            yield from _link_instead(text, start, _IMAGE.match(text, start))
        elif mark == "](" and (tail := _LINK_TAIL.match(text, start)) and is_followed(tail[1]):
            pass  # a link may stand
        elif mark[0] in "]<":
            yield start, start, "\\"
            position = start + 1


def _is_harmless(image: re.Match[str]) -> bool:
    is_embedded = image[2].lstrip("<").lower().startswith("data:image/")
    return is_embedded and "![" not in image[0][1:]


def _link_instead(text: str, start: int, image: re.Match[str] | None) -> Iterator[Edit]:
    if image is None or text[start - 1 : start] == "!":
        # A picture by reference, or none at all: which one, only the whole text could tell.
        yield start, start, "\\"
        return
    alt, target = image[1], image[2].strip("<>")
    if not is_followed(target):
        yield start, start, "\\"
        return
    end_of_alt = start + 2 + len(alt)
    label = "" if alt.strip() else _LABEL_MARKS.sub(r"\\\1", target)
    is_in_link = text[start - 1 : start] == "[" and text.startswith("](", image.end())
    if is_in_link:
        yield start, start + 2, label
        yield end_of_alt, image.end(), ""
    else:
        yield start, start + 1, ""
        if label:
            yield start + 2, start + 2, label


def _ends_label(text: str, end: int) -> bool:
    """Tell whether a line begins with a label in brackets that ends here."""
    if text[end - 1 : end] != "]":
        return False
    at = text.rfind("[", 0, end)
    while at > 0 and text[at - 1] == "\\":
        at = text.rfind("[", 0, at)
    return at >= 0 and not text[text.rfind("\n", 0, at) + 1 : at].strip()


def _colon_edits(text: str, start: int) -> Iterator[Edit]:
    defined = _DEFINED.match(text, start) if _ends_label(text, start) else None
    if defined and not is_followed(defined[1]):
        # To markdown-it this is text already, to the page's own parser it is a definition.
        yield start, start, "\\"
        return
    if _BLOCK_DIRECTIVE.match(text, start) or _DIRECTIVE.match(text, start):
        yield start, start + 1, "\\:"
    elif _ICON.match(text, start):
        slash = start + len(":material")
        yield slash, slash, "\\"
    elif code := _SHORTCODE.match(text, start):
        name = code[1]
        if name in _NUMERIC_EMOJI or not name.isdigit():
            yield code.end(), code.end(), _APART
