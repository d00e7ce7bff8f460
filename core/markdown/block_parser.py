"""How an answer's Markdown is read: the parser that says where a block ends.

It follows what Streamlit's page renders (CommonMark with GFM tables and footnotes, HTML blocks kept
as text, remark-math's `$$` fences) and also reads the display formulas that models write:
`\\[ … \\]`, a `$$ … $$` that begins or ends on a line with text, and bare environments. `math.py`
turns those into fences. What else models mean otherwise than CommonMark is in `fences`, `tables`.
"""

import re
from collections.abc import Iterable
from functools import cache
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.ruler import RuleOptionsType
from markdown_it.rules_block import StateBlock, html_block
from markdown_it.token import Token

from core.markdown.environments import BEGIN, OpenEnvironment
from core.markdown.fences import fence_rule
from core.markdown.marks.line_breaks import BREAK
from core.markdown.math import CLOSERS, is_formula
from core.markdown.tables import table_rule

# markdown-it gives a container nested deeper than this the rest of the document.
_MAX_NESTING = 100
_ALL_CONTAINERS: RuleOptionsType = {"alt": ["paragraph", "reference", "blockquote", "list"]}
_INTERRUPTING: RuleOptionsType = {"alt": ["paragraph", "reference", "blockquote"]}

LINE = re.compile(r"[^\r\n]*(?:\r\n?|\n)|[^\r\n]+")  # one line with its end, as the parser counts
_LINE_END = re.compile(r"\r\n?")
_MATH_OPENER = re.compile(r"(\$\$(?!\$)|\\\[)(.*)", re.DOTALL)
_FOOTNOTE_OPENER = re.compile(r"\[\^[^\]\s]+\]:")


@cache
def parser() -> MarkdownIt:
    """Return the parser; it keeps no state between documents."""
    markdown = MarkdownIt(
        "commonmark", {"maxNesting": _MAX_NESTING, "inline_definitions": True}
    ).enable(["table", "strikethrough"])
    markdown.block.ruler.before("fence", "math_block", _math_block, _ALL_CONTAINERS)
    markdown.block.ruler.before("fence", "environment", _environment, _ALL_CONTAINERS)
    markdown.block.ruler.at("fence", fence_rule, _ALL_CONTAINERS)
    markdown.block.ruler.at("table", table_rule, {"alt": ["paragraph", "reference"]})
    markdown.block.ruler.at("html_block", _html_block, _INTERRUPTING)
    markdown.block.ruler.before("reference", "footnote", _footnote, _ALL_CONTAINERS)
    return markdown


def block_tokens(text: str) -> tuple[list[Token], int | None]:
    """Return the block tokens of a text, and the line of a formula whose end may still come."""
    tokens: list[Token] = []
    env: dict[str, Any] = {}
    # markdown-it's own "normalize" step: NUL must not be shown, and every line ends in one way.
    source = _LINE_END.sub("\n", text).replace("\0", "\ufffd")
    parser().block.parse(source, parser(), env, tokens)
    return tokens, env.get("pending_line")


def top_level(tokens: Iterable[Token]) -> list[Token]:
    """Return the tokens that open the blocks of the document itself."""
    return [token for token in tokens if token.level == 0 and token.map and token.nesting >= 0]


def lines_of(token: Token) -> tuple[int, int]:
    """Return the first line of a token, and the line behind its last."""
    first, after = token.map or (0, 0)
    return first, after


def _math_block(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    if state.is_code_block(start):
        return False
    match = _MATH_OPENER.match(_line(state, start))
    if match is None:
        return False
    opener, first = match[1], match[2].strip()
    if first:
        after = _after_filled_opener(state, opener, first, start, end)
    else:
        after = _after_bare_opener(state, opener, start, end)
    if after is None:
        return False
    if not silent:
        state.line = after
        token = state.push("math_block", "div", 0)
        token.markup = opener
        token.map = [start, after]
        token.content = state.getLines(start, after, state.blkIndent, False).strip()
    return True


def _environment(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Read a bare LaTeX environment: unclosed, it runs to the end of its container."""
    if state.is_code_block(start) or not (match := BEGIN.match(_line(state, start))):
        return False
    environment = OpenEnvironment(match[1])
    after, is_closed, has_gap = start, False, False
    while after < end and not is_closed and not (after > start and _is_outside(state, after)):
        is_closed = environment.ends_with(_line(state, after))
        if environment.is_lost:
            return False
        has_gap = has_gap or state.isEmpty(after)
        after += 1
    if not environment.is_display:
        if not has_gap:  # part of a paragraph
            return False
        is_closed = False
    if not is_closed and after == len(state.bMarks) - 1 and start and not state.isEmpty(start - 1):
        # Words behind its end would make it part of the paragraph before, which is not settled.
        state.env.setdefault("pending_line", start - 1)
    if not silent:
        state.line = after
        token = state.push("math_block", "div", 0)
        token.markup = "\\begin"
        token.map = [start, after]
        token.meta = {"is_closed": is_closed, "name": match[1]}
        token.content = state.getLines(start, after, state.blkIndent, False).strip()
    return True


def _html_block(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Read an HTML block; a line break begins none."""
    is_break = BREAK.match(_line(state, start)) is not None
    return not is_break and html_block(state, start, end, silent)


def _after_bare_opener(state: StateBlock, opener: str, start: int, end: int) -> int:
    """Read a fence as remark-math does: unclosed, it runs to the end of its container."""
    for number in range(start + 1, end):
        if _is_outside(state, number):
            return number
        if _line(state, number).endswith(CLOSERS[opener]):
            return number + 1
    return end


def _after_filled_opener(
    state: StateBlock, opener: str, first: str, start: int, end: int
) -> int | None:
    """Find the line that ends a formula which began beside its opener: no blank line between."""
    closer = CLOSERS[opener]
    if closer in first:
        body = first[: -len(closer)]
        closes = first.endswith(closer) and closer not in body and is_formula(opener, body)
        return start + 1 if closes else None
    # What was looked through for one opener holds nothing for the next one either.
    looked = state.env.setdefault("looked", {})
    place = (opener, state.level, state.blkIndent, end)
    if looked.get(place, (0, 0))[0] <= start < looked.get(place, (0, 0))[1]:
        return None
    for number in range(start + 1, end):
        text = _line(state, number)
        is_there = bool(text) and closer in text
        if is_there and text.find(closer) == len(text) - len(closer):
            return None if _is_outside(state, number) else number + 1
        if is_there or not text or _is_outside(state, number):
            looked[place] = start, number
            return None
    looked[place] = start, end
    if end >= len(state.bMarks) - 1:
        # Only later text tells whether this is a formula: nothing from here on is settled.
        state.env.setdefault("pending_line", start)
    return None


def _footnote(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Read a GFM footnote: a container whose later lines are indented by four columns."""
    if state.is_code_block(start):
        return False
    match = _FOOTNOTE_OPENER.match(_line(state, start))
    if match is None:
        return False
    if silent:
        return True
    saved = (
        state.bMarks[start],
        state.tShift[start],
        state.sCount[start],
        state.blkIndent,
        state.parentType,
    )
    token = state.push("footnote_open", "section", 1)
    lines = token.map = [start, 0]
    position = state.bMarks[start] + state.tShift[start] + match.end()
    content = state.skipSpaces(position)
    state.bMarks[start] = position
    state.tShift[start] = content - position
    state.blkIndent += 4
    state.sCount[start] = state.blkIndent
    state.parentType = "footnote"
    state.md.block.tokenize(state, start, end)
    lines[1] = state.line = max(state.line, start + 1)
    (
        state.bMarks[start],
        state.tShift[start],
        state.sCount[start],
        state.blkIndent,
        state.parentType,
    ) = saved
    state.push("footnote_close", "section", -1)
    return True


def _line(state: StateBlock, number: int) -> str:
    return state.src[state.bMarks[number] + state.tShift[number] : state.eMarks[number]].rstrip()


def _is_outside(state: StateBlock, number: int) -> bool:
    return not state.isEmpty(number) and state.sCount[number] < state.blkIndent
