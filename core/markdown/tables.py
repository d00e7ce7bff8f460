"""Cells of a table's row: a `|` inside code or a formula belongs to the cell.

GFM splits a row before it looks for code, so `a|b` in code makes two cells of one. That was not
meant, nor was a row that has more cells than the table has columns.
"""

import re
from bisect import bisect_left

from markdown_it.rules_block import StateBlock, table

from core.markdown.marks.runs import closing_run
from core.markdown.math import BRACKETS, formula_at

_BAR = re.compile(r"\\.|(\|)")
_OPENER = re.compile(r"\\[(\[b]|\\.|`+|\$+", re.DOTALL)
_HIDDEN_BAR = "\ue001"
_ESCAPED_BAR = re.compile(r"\\\|")
_BARE_BAR = re.compile(r"\\.|\|", re.DOTALL)


def cells(row: str, columns: int, *, is_header: bool) -> list[tuple[int, int]]:
    """Return where the cells of a row begin and end, the row being without its containers."""
    bars = [match.start() for match in _BAR.finditer(row) if match[1]]
    if not bars:
        return [(0, len(row))]
    # A header of another number of cells than the line below it would be no table.
    if "`" in row and not is_header:
        bars = _outside(bars, _inside(row, is_tight=True))
    if bars and _count(row, bars) > columns:
        bars = _outside(bars, _inside(row))
    return list(zip([0, *(bar + 1 for bar in bars)], [*bars, len(row)], strict=True))


def _outside(bars: list[int], spans: list[tuple[int, int]]) -> list[int]:
    starts = [start for start, _ in spans]  # in their order, and none within another
    outside = []
    for bar in bars:
        number = bisect_left(starts, bar) - 1
        if number < 0 or bar >= spans[number][1]:
            outside.append(bar)
    return outside


def bars_in_code(code: str) -> list[int]:
    """Return where bars stand in code that GFM would take for the ends of cells."""
    return [match.start() for match in _BAR.finditer(code) if match[1]]


def formula_in_cell(formula: str) -> str:
    """Return the formula without bare bars; one that is escaped for the table's sake is a bar."""
    if "|" not in formula:
        return formula
    is_norm = len(_ESCAPED_BAR.findall(formula)) % 2 == 0  # a norm has two

    def named(match: re.Match[str]) -> str:
        if match[0] not in ("|", "\\|") or (match[0] != "|" and is_norm):
            return match[0]
        return r"\vert " if formula[match.end() : match.end() + 1].isalpha() else r"\vert"

    return _BARE_BAR.sub(named, formula)


def table_rule(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Read a table as GFM does, or one whose header has bars inside code or formulas."""
    if table(state, start, end, silent):
        return True
    first, last = state.bMarks[start] + state.tShift[start], state.eMarks[start]
    header = state.src[first:last]
    inside = _inside(header) if "|" in header else []
    if start + 1 >= end or not inside:
        return False
    signs = list(header)
    for begin, after in inside:
        signs[begin:after] = header[begin:after].replace("|", _HIDDEN_BAR)
    before, tokens = state.src, len(state.tokens)
    state.src = before[:first] + "".join(signs) + before[last:]
    try:
        found = table(state, start, end, silent)
    finally:
        state.src = before
    for token in state.tokens[tokens:]:
        token.content = token.content.replace(_HIDDEN_BAR, "|")
    return found


def _count(row: str, bars: list[int]) -> int:
    is_led = not row[: bars[0]].strip()
    is_trailed = not row[bars[-1] + 1 :].strip()
    return len(bars) + 1 - is_led - is_trailed


def _inside(row: str, *, is_tight: bool = False) -> list[tuple[int, int]]:
    """Return the spans of code and formulas in a row.

    Tight is code without blanks at its ends, and nothing else: not what stands between two single
    backticks or dollars, each in a cell of its own.
    """
    spans: list[tuple[int, int]] = []
    position = 0
    while match := _OPENER.search(row, position):
        mark, start, position = match[0], match.start(), match.end()
        end: int | None = None
        if mark[0] == "`":
            if (closing := closing_run(row, "`", len(mark), position)) is not None:
                code = row[position:closing]
                end = None if is_tight and code != code.strip() else closing + len(mark)
        elif not is_tight and (mark[0] == "$" or mark in BRACKETS):
            found = formula_at(row, start)
            end = found[0] if found else None
        if end is not None:
            spans.append((start, end))
            position = end
    return spans
