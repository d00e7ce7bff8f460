"""Cut a growing Markdown text into blocks that later text cannot change.

CommonMark reads line by line: once a line begins another top-level block, everything before it is
closed for good (spec 0.31.2, "Appendix: A parsing strategy"). So all blocks but the last are
settled, and only what follows the last boundary is ever parsed again. Two things reach further: a
formula whose end has not come yet (see `dialect.py`), and link reference definitions, which
`render` puts in front of later blocks. A definition that comes after its use, and a footnote,
resolve only in the whole text.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from markdown_it.common.utils import normalizeReference
from markdown_it.token import Token

from core.markdown.block_parser import LINE, block_tokens, lines_of, top_level
from core.markdown.growing_fence import FencePart
from core.markdown.live_tail import LiveTail
from core.markdown.open_block import OpenBlock
from core.markdown.rendering import shielded

_LABEL = re.compile(r"\[((?:\\.|[^\[\]\\])+)\]", re.DOTALL)
_LEADING_BLANK_LINES = re.compile(r"(?:[ \t]*(?:\r\n?|\n))+")
_INVISIBLE = frozenset({"definition", "footnote_open"})

# Characters parsed per character fed, at most: what keeps text made to be ambiguous linear.
_PARSE_FACTOR = 4
_PARSE_ALLOWANCE = 4_000


@dataclass(frozen=True, slots=True)
class _Parse:
    tokens: Sequence[Token]
    starts: Sequence[int]  # the lines at which blocks begin; the first block begins at 0
    settled: int  # how many of the blocks later text cannot change


class BlockSplitter:
    """Split text that is fed in any cuts; the list of blocks depends on the text alone.

    All blocks so far joined, and `tail`, are the text fed so far, at all times. With `joins_code`
    the parts of one fence are drawn in one box: they may be as short as those of other blocks.
    """

    def __init__(self, display_limit: int = 2_000, *, joins_code: bool = False) -> None:
        self._lines: list[str] = []  # complete lines behind the last boundary
        self._lines_chars = 0
        self._partial: list[str] = []  # the line that has no end yet, in pieces
        self._open = OpenBlock()
        self._read_chars = 0
        self._parsed_chars = 0
        self._definitions: dict[str, str] = {}
        self._display = LiveTail(display_limit, joins_code=joins_code)

    @property
    def tail(self) -> str:
        """What is not settled yet."""
        return "".join((*self._lines, *self._partial))

    @property
    def parsed_chars(self) -> int:
        """How many characters were given to the parser so far, those parsed again included."""
        return self._parsed_chars

    def feed(self, text: str) -> list[str]:
        """Take in more text and return the blocks that are settled by it."""
        self._display.add(text)
        end = text.rfind("\n") + 1
        if not end:
            self._partial.append(text)
            return []
        complete = "".join((*self._partial, text[:end]))
        self._partial = [text[end:]]
        settled: list[str] = []
        for line in LINE.findall(complete):
            settled += self._take(line)
        return settled

    def finish(self) -> list[str]:
        """Return what is left, as blocks: no more text comes."""
        self._lines += LINE.findall("".join(self._partial))
        self._partial = []
        if not self._lines:
            return []
        parse = self._parse()
        return self._settle(parse, len(parse.starts))

    def render(self, block: str) -> str:
        """Return the block with the definitions it uses that came earlier, to be shown on its own.

        Nothing is returned for a block that shows nothing: an empty element would leave a gap.
        """
        if isinstance(block, FencePart):
            return block
        text = block[match.end() :] if (match := _LEADING_BLANK_LINES.match(block)) else block
        if not text.strip() or (text.lstrip()[0] == "[" and _is_invisible(text)):
            return ""
        labels = {normalizeReference(label) for label in _LABEL.findall(text)}
        used = "".join(self._definitions[label] for label in sorted(labels & {*self._definitions}))
        return f"{used}\n{text}" if used else shielded(text)

    def tail_parts(self) -> tuple[list[str], str]:
        """Return what to show: pieces that stay as they are since the last call, and the live rest.

        A piece is a settled block, or the front of a long open one, cut where it still looks right;
        the live rest replaces the one returned before.
        """
        frozen, live = self._display.parts(self._lines_chars if self._open.is_closed else 0)
        pieces = [piece for piece in map(self.render, frozen) if piece]
        return pieces, self.render(live)

    def _take(self, line: str) -> list[str]:
        self._lines.append(line)
        self._lines_chars += len(line)
        self._read_chars += len(line)
        if self._open.goes_on_with(line):
            return []
        allowed = _PARSE_FACTOR * self._read_chars + _PARSE_ALLOWANCE
        if self._parsed_chars + self._lines_chars > allowed:
            self._open = OpenBlock()
            return []
        parse = self._parse()
        is_certain = parse.settled == len(parse.starts) - 1
        self._open = OpenBlock.after(parse.tokens, self._lines) if is_certain else OpenBlock()
        return self._settle(parse, parse.settled)

    def _parse(self) -> _Parse:
        text = "".join(self._lines)
        self._parsed_chars += len(text)
        tokens, pending = block_tokens(text)
        starts = [0]
        before: Token | None = None
        for token in top_level(tokens):
            first, _ = lines_of(token)
            # What follows a definition without a blank line may belong to it, or to its paragraph.
            is_joined = before and before.type == "definition" and self._lines[first - 1].strip()
            if before and not is_joined:
                starts.append(first)
            before = token
        settled = len(starts) - 1
        if pending is not None:
            settled = sum(start <= pending for start in starts) - 1
        return _Parse(tokens, starts, settled)

    def _settle(self, parse: _Parse, count: int) -> list[str]:
        if not count:
            return []
        ends = [*parse.starts[1:], len(self._lines)][:count]
        blocks = [
            "".join(self._lines[start:end])
            for start, end in zip(parse.starts[:count], ends, strict=True)
        ]
        for token in parse.tokens:
            if token.type == "definition" and lines_of(token)[0] < ends[-1]:
                self._definitions.setdefault(str(token.meta["id"]), _definition(token))
        self._lines = self._lines[ends[-1] :]
        self._lines_chars = sum(map(len, self._lines))
        self._display.settle([len(block) for block in blocks])
        return blocks


def _is_invisible(text: str) -> bool:
    tokens, _ = block_tokens(text)
    return all(token.type in _INVISIBLE for token in top_level(tokens))


def _definition(token: Token) -> str:
    url = str(token.meta["url"]).replace("&", "&amp;")
    title = str(token.meta["title"]).replace("&", "&amp;").replace("\\", "\\\\")
    quoted = ' "' + title.replace('"', '\\"') + '"' if title else ""
    return f"[{token.meta['id']}]: <{url}>{quoted}\n"
