"""Code fences, also one inside another of the same length, as models write a Markdown file.

CommonMark (0.31.2, section 4.5) ends a fence at the first bare run that is long enough. Where a
fence holds Markdown, a run with a language opens a fence in it, and the next bare run ends that
one. Streamlit is told by an outer fence that is longer than any inner one.
"""

import re
from dataclasses import dataclass

from markdown_it.common.utils import unescapeAll
from markdown_it.rules_block import StateBlock, fence

FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_MARKDOWN = re.compile(r"\s*\{?\s*\.?(?:markdown|mkdn?|mdx?|[rq]md)(?![\w-])", re.IGNORECASE)
_RUN = re.compile(r"(`{3,}|~{3,})(.*)", re.DOTALL)
# A run on a line of its own, or behind a list's marker, with what is written behind it.
_INNER = re.compile(r"((?:[ \t]*(?:[-+*]|\d{1,9}[.)])[ \t]+)?)([ \t]*)(`{3,}|~{3,})([^`]*)")
_MAX_INDENT = 3
# As Streamlit 1.67 finds it among the names of a block's classes (JavaScript: ASCII).
_LANGUAGE = re.compile(r"language-(\w+)", re.ASCII)


@dataclass(frozen=True, slots=True)
class _Level:
    length: int
    column: int
    holds_markdown: bool


def info_word(info: str) -> str:
    """Return the first word of an info string (CommonMark 0.31.2, section 4.5) as it is written."""
    return re.split(r"[ \t\r\n]", info.strip(" \t\r\n"), maxsplit=1)[0]


def drawn_language(info: str) -> str:
    """Return what the page takes for the language of a fence, in small letters; "" for none.

    It decides whether a diagram is drawn, which may fetch from an address.
    """
    found = _LANGUAGE.search(f"language-{unescapeAll(info_word(info))}")
    return found[1].lower() if found else ""


class OpenFence:
    """A fence that lines are being added to, with the fences that are open in it."""

    def __init__(self, run: str, info: str) -> None:
        self._sign = run[0]
        self._levels = [_Level(len(run), 0, _holds_markdown(info))]

    @property
    def depth(self) -> int:
        """How many fences are open in this one."""
        return len(self._levels) - 1

    def ends_with(self, line: str) -> bool:
        """Take in a line, and tell whether the fence ends with it."""
        if self._sign * 3 not in line:
            return False
        match = _INNER.fullmatch(line.rstrip(" \t\r\n"))
        if match is None or match[3][0] != self._sign:
            return False
        marker, _, run, info = match.groups()
        column = len((marker + match[2]).expandtabs(4))
        level = self._levels[-1]
        if info.strip(" \t") or marker:
            if level.holds_markdown and len(run) >= self._levels[0].length:
                self._levels.append(_Level(len(run), column, _holds_markdown(info)))
            return False
        if len(run) < level.length or column > level.column + _MAX_INDENT:
            return False
        self._levels.pop()
        return not self._levels


def fence_rule(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Read a fence; one that holds Markdown may hold fences of its own length."""
    begin = state.bMarks[start] + state.tShift[start]
    match = _RUN.match(state.src[begin : state.eMarks[start]])
    is_plain = match is None or not _holds_markdown(match[2]) or "`" in match[2]
    if match is None or is_plain or state.is_code_block(start):
        return fence(state, start, end, silent)
    if silent:
        return True
    open_fence = OpenFence(match[1], match[2])
    after = last = start + 1
    while last < end:
        if not state.isEmpty(last) and state.sCount[last] < state.blkIndent:
            break
        after = last + 1
        if open_fence.ends_with(state.getLines(last, last + 1, state.blkIndent, False)):
            break
        last = after
    state.line = max(after, last)
    token = state.push("fence", "code", 0)
    token.info = match[2]
    token.content = state.getLines(start + 1, last, state.sCount[start], True)
    token.markup = match[1]
    token.map = [start, state.line]
    return True


def opened(line: str) -> OpenFence | None:
    """Return the fence that a line of a document opens."""
    match = FENCE.match(line)
    return OpenFence(match[1], line[match.end() :]) if match else None


def outer_run(run: str, info: str, content: str) -> str:
    """Return a fence's run, longer than those of the fences in it."""
    if not _holds_markdown(info):
        return run
    inner = re.findall(re.escape(run[0]) + "{3,}", content)
    longest = max(map(len, inner), default=0)
    return run[0] * (longest + 1) if longest >= len(run) else run


def _holds_markdown(info: str) -> bool:
    return _MARKDOWN.match(info) is not None
