"""Edits of a paragraph's, a heading's or a cell's text, so that Streamlit shows it as it was meant.

An edit replaces a part of the text; nothing here looks beyond the text it is given.
"""

import re
from collections.abc import Iterator
from enum import Enum, auto

from markdown_it.common.html_re import HTML_TAG_RE

from core.markdown.addresses import is_followed
from core.markdown.marks.cjk_emphasis import INVISIBLE, Emphasis
from core.markdown.marks.direction import mark_for
from core.markdown.marks.line_breaks import BREAK, break_at
from core.markdown.marks.runs import begins_line_with_label, closing_run
from core.markdown.math import BRACKETS, formula_at
from core.markdown.tables import bars_in_code, formula_in_cell

SPECIAL = re.compile(
    r"\\.|`+|\$+|!\[|\]\(|:|\*{2,}|~+"
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
# Parentheses may be nested deeper, and a "<" stand within: the scheme is at the beginning.
_BEGUN = re.compile(r"\]\(\s*<?((?:\\.|[^\s)])*)", re.DOTALL)
_IMAGE = re.compile(r"!\[((?:\\.|[^\[\]\\]|\[(?:\\.|[^\[\]\\])*\])*)\]" + _DESTINATION, re.DOTALL)
_AUTOLINK = re.compile(r"<[A-Za-z][A-Za-z0-9+.-]{1,31}:[^<>\x00-\x20]*>\Z")
_DEFINED = re.compile(r":\s*(<[^<>\n]*>|\S+)")
_LABEL_MARKS = re.compile(r"([\[\]\\`*_$:<>!~])")

_NAME = r"[^\s!-,./:-@\[-^`{-~]+"  # a directive's name, as micromark-extension-directive reads it
_DIRECTIVE = re.compile(rf":(?!(?:small|shimmer)\[\])(?={_NAME}(?:!?\[|{{))")
_BLOCK_DIRECTIVE = re.compile(r"(?:^|(?<=\n)):(?=:)")
_ICON = re.compile(r":material/")
_SHORTCODE = re.compile(r":([\w+-]+)(?=:)(?!:small\[\]|://)", re.ASCII)
_NUMERIC_EMOJI = frozenset({"+1", "-1", "100", "1234"})
# remark-emoji looks at the text behind the parser, where an escaped colon is a colon again. A
# directive without content shows nothing and keeps the two colons apart.
_APART = ":small[]"

Edit = tuple[int, int, str]


class Place(Enum):
    """Where a text stands: what is one line to Markdown has no break of Markdown's own."""

    PARAGRAPH = auto()
    HEADING = auto()
    CELL = auto()


def is_plain(text: str) -> bool:
    """Tell whether a text has nothing to edit."""
    return not SPECIAL.search(text) and mark_for(text, INVISIBLE) is None


def inline_edits(text: str, place: Place) -> Iterator[Edit]:
    """Yield the edits of a text, in their order."""
    if marked := mark_for(text, INVISIBLE):
        start, mark = marked
        yield start, start, mark
    if SPECIAL.search(text):
        yield from _mark_edits(text, place)


def _mark_edits(text: str, place: Place) -> Iterator[Edit]:
    position, end_of_address = 0, -1
    emphasis = Emphasis()
    while match := SPECIAL.search(text, position):
        mark, start, position = match[0], match.start(), match.end()
        if mark[0] == "$" or mark in BRACKETS:
            if found := formula_at(text, start):
                position, new = found
                new = formula_in_cell(new) if place is Place.CELL else new
                if start == end_of_address and mark[0] == "\\":
                    new = f" {new}"  # a bare address takes in all that is not blank
                if new != text[start:position]:
                    yield start, position, new
            elif mark[0] == "$":
                yield start, position, "\\$" * len(mark)
        elif mark[0] == "`":
            if (closing := closing_run(text, "`", len(mark), position)) is not None:
                position = closing + len(mark)
                if place is Place.CELL:
                    for bar in bars_in_code(text[start:position]):
                        yield start + bar, start + bar + 1, "\\|"
        elif mark == "![":
            image = _IMAGE.match(text, start)
            if image and _is_harmless(image):
                position = image.end()
            else:
                yield from _link_instead(text, start, image)
        elif mark == "](":
            # Behind no opening bracket this is no link, and a picture in its "title" would be one.
            tail = _LINK_TAIL.match(text, start)
            if not is_followed(_destination(text, start, tail)):
                yield start, start, "\\"
            elif tail and "![" not in tail[0] and "`" not in tail[0]:
                position = tail.end()
        elif mark == ":":
            yield from _colon_edits(text, start)
        elif mark == "~":
            yield start, position, "\\~"
        elif mark[0] == "*" or mark == "~~":
            if (at := emphasis.place_for_invisible(text, start, position)) is not None:
                yield at, at, INVISIBLE
        elif BREAK.fullmatch(mark):
            position, new = break_at(
                text, start, position, is_one_line=place is not Place.PARAGRAPH
            )
            yield start, position, new
        elif mark[0] == "<" and _AUTOLINK.match(mark) and not is_followed(mark):
            yield start, start, "\\"
            position = start + 1  # what stood in it is read now
        elif mark[0] in "hw":
            end_of_address = position


def inert_edits(text: str) -> Iterator[Edit]:
    """Yield the edits after which a line has no mark that it or its neighbours could use."""
    position = 0
    while match := SPECIAL.search(text, position):
        mark, start, position = match[0], match.start(), match.end()
        if mark[0] in "$`*~":
            yield start, position, "".join(f"\\{sign}" for sign in mark)
        elif mark == ":":
            yield from _colon_edits(text, start)
        elif mark == "![":
            yield from _link_instead(text, start, _IMAGE.match(text, start))
        elif (
            mark == "]("
            and (tail := _LINK_TAIL.match(text, start))
            and is_followed(_destination(text, start, tail))
        ):
            pass  # a link may stand
        elif mark[0] in "]<":
            yield start, start, "\\"
            position = start + 1


def _destination(text: str, start: int, tail: re.Match[str] | None) -> str:
    """Return where a link leads; of one that is told from its beginning alone, that beginning."""
    if tail is not None:
        return tail[1]
    begun = _BEGUN.match(text, start)
    return begun[1] if begun is not None else ""


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
    return text[end - 1 : end] == "]" and begins_line_with_label(text, end)


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
