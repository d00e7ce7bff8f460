"""Sentence segmentation of Markdown that is still being written: what can be spoken already.

The pieces joined are the text, letter by letter, and where the text was cut as it came changes
nothing. No piece ends inside code, a table, a formula or a number; short sentences go together.
"""

import re
from typing import Literal

LEAST = 8
MOST = 200  # characters without a sentence's end: then a comma or a blank will do

_ENDS_ANYWHERE = frozenset("。！？；…")
_ENDS = _ENDS_ANYWHERE | frozenset(".!?;")
_CLOSING = frozenset("”’」』）】》\"')]}*_~")
_SOFT = frozenset("，、：,: \t")
_HEAD = 16  # characters that tell how a line begins, where it begins with a sign
_PLAIN = re.compile(r"[ \t>]*[^ \t>`~$\\|:\d*+#-]")
_FENCE = re.compile(r"[ \t>]{0,8}(`{3,}|~{3,})")
_MATH = re.compile(r"[ \t>]{0,8}(\$\$|\\\[|\\begin\{)")
_BAR = re.compile(r"[ \t>]{0,8}\|")
_RULE = re.compile(r"[ \t>]*[:|-]")  # what the second line of a table begins with
_MARKER = re.compile(r"[ \t>]*(?:\d{1,9}[.)]|[-*+]|#{1,6})(?=[ \t])")
_SHORTENED = re.compile(
    r"(?:^|[\s(（])(?:e\.g|i\.e|cf|vs|etc|Mr|Mrs|Ms|Dr|Prof|St|No|Fig|Eq|[A-Za-z])\.$"
)
_BLOCK_ENDS = {"$$": "$$", "\\[": "\\]", "\\begin{": "\\end{"}
_INLINE_ENDS = {"$$": "$$", "\\[": "\\]", "\\(": "\\)", "$": "$"}

_Block = Literal["", "code", "table", "math"]
_WAIT = -1  # more must be known
_NO = 0


class SentenceCutter:
    """Feed it text as it comes; it gives out what is complete."""

    def __init__(self, *, least: int = LEAST, most: int = MOST) -> None:
        self._least, self._most = least, most
        self._text = ""  # from the beginning of the piece that grows
        self._at = 0  # up to where it is judged
        self._soft = 0  # the last place where a long sentence may be cut
        self._block: _Block = ""
        self._block_end = ""
        self._inline = ""  # what code or a formula in the line has to end with
        self._has_bar = False  # in this line: it may be a table's first
        self._is_bare = False  # a table without bars at its edges, which a blank line ends
        self._is_at_start = True  # of a line
        self._is_end = False

    def feed(self, text: str) -> list[str]:
        """Return the pieces that are complete now."""
        self._text += text
        return self._cut()

    def finish(self) -> list[str]:
        """Return the last pieces, the end of the text being known."""
        self._is_end = True
        pieces = self._cut()
        rest, self._text = self._text, ""
        return [*pieces, rest] if rest else pieces

    def _cut(self) -> list[str]:
        pieces: list[str] = []
        while self._at < len(self._text):
            cut = self._step()
            if cut == _WAIT:
                break
            if not cut and not self._block and not self._inline and self._at > self._most:
                cut, self._soft = self._soft, 0
            if cut and len(self._text[:cut].strip()) >= self._least:
                pieces.append(self._text[:cut])
                self._text = self._text[cut:]
                self._at -= cut
                self._soft = max(0, self._soft - cut)
        return pieces

    def _step(self) -> int:
        """Judge what comes next; return where a piece may end, else `_NO` or `_WAIT`."""
        if self._is_at_start:
            if not self._is_head_known():
                return _WAIT
            if (cut := self._begin_line()) != _NO:
                return cut
        if self._block:
            return self._whole_line()
        here = self._text[self._at]
        if here == "\n":
            return self._end_line()
        if here in "`$\\":
            return self._mark(here)
        if self._inline or self._has_bar or here == "|":
            self._has_bar |= here == "|" and not self._inline
            self._at += 1
            return _NO
        if here in _ENDS:
            return self._sentence_end()
        if here in _SOFT:
            following = self._following()
            if following is None:
                return _WAIT
            if not following.isdigit():
                self._soft = self._at + 1
        self._at += 1
        return _NO

    def _is_head_known(self) -> bool:
        ahead = self._text[self._at : self._at + _HEAD]
        is_plain = _PLAIN.match(ahead) is not None
        return self._is_end or is_plain or len(ahead) == _HEAD or "\n" in ahead

    def _following(self) -> str | None:
        """Return the next character; a line's end at the text's end, None where it is to come."""
        if self._at + 1 < len(self._text):
            return self._text[self._at + 1]
        return "\n" if self._is_end else None

    # -- lines -------------------------------------------------------------------------------------

    def _begin_line(self) -> int:
        """Tell what kind of line begins; where it ends a table, a piece may end before it."""
        head = self._text[self._at : self._at + _HEAD]
        is_blank = not head.partition("\n")[0].strip() and ("\n" in head or self._is_end)
        may_be_table, self._has_bar = self._has_bar, False
        self._is_at_start = False
        if self._block in ("code", "math"):
            return _NO
        was_table, self._block = self._block == "table", ""
        if mark := _FENCE.match(head):
            self._block, self._block_end = "code", mark[1][:3]
        elif mark := _MATH.match(head):
            self._block, self._block_end = "math", _BLOCK_ENDS[mark[1]]
        elif _BAR.match(head) or (may_be_table and _RULE.match(head)):
            self._block, self._is_bare = "table", not _BAR.match(head)
        elif was_table and self._is_bare and not is_blank and not _MARKER.match(head):
            self._block = "table"
        elif not is_blank and not (marker := _MARKER.match(head)):
            if self._inline == "$":
                self._inline = ""
            return self._at if was_table else _NO
        elif not is_blank and marker:
            self._at += marker.end() if not was_table else 0
            self._is_at_start = was_table
        self._inline = ""
        if was_table and self._block != "table":
            self._is_at_start, self._block = True, ""
            return self._at
        return _NO

    def _whole_line(self) -> int:
        """Take a line of code, of a table or of a formula as a whole."""
        end = self._text.find("\n", self._at)
        if end < 0 and not self._is_end:
            return _WAIT
        end = len(self._text) if end < 0 else end + 1
        line, self._at = self._text[self._at : end], end
        self._is_at_start = True
        if self._block == "table":
            return _NO
        return self._at if self._closes(line) else _NO

    def _closes(self, line: str) -> bool:
        """Tell whether a line ends its block; the one that opens it may do so too."""
        mark, is_first = self._block_end, not self._block_end.endswith("\0")
        if is_first:
            self._block_end = mark + "\0"
            opened = _FENCE.match(line) if self._block == "code" else _MATH.match(line)
            rest = line[opened.end() :] if opened else ""
            is_closed = self._block == "math" and mark in rest
        else:
            mark = mark.rstrip("\0")
            is_code = self._block == "code"
            found = _FENCE.match(line)
            is_closed = (
                found is not None and found[1].startswith(mark) and not line[found.end() :].strip()
                if is_code
                else mark in line
            )
        if is_closed:
            self._block = self._block_end = ""
        return is_closed

    def _end_line(self) -> int:
        self._at += 1
        self._is_at_start = True
        return _NO if self._inline or self._has_bar else self._at

    # -- in a line ---------------------------------------------------------------------------------

    def _mark(self, here: str) -> int:
        """Go into code or a formula, or out of it."""
        run = len(self._text) - self._at - len(self._text[self._at :].lstrip(here))
        if self._at + run == len(self._text) and not self._is_end:
            return _WAIT
        if here == "`":
            mark = "`" * run
            if not self._inline:
                self._inline = mark
            elif self._inline == mark:
                self._inline = ""
            self._at += run
            return _NO
        mark = self._text[self._at : self._at + 2] if here == "\\" or run > 1 else "$"
        if self._inline.startswith("`") or (mark not in _INLINE_ENDS and mark != self._inline):
            self._at += 1 if self._inline.startswith("`") or mark[1:] == "\n" else len(mark)
        elif self._inline:
            self._at += len(mark)
            if mark == self._inline:
                self._inline = ""
        else:
            following = self._text[self._at + len(mark) : self._at + len(mark) + 1]
            if not following and not self._is_end:
                return _WAIT
            if mark != "$" or not (following.isspace() or not following):
                self._inline = _INLINE_ENDS[mark]
            self._at += len(mark)
        return _NO

    def _sentence_end(self) -> int:
        """Tell whether a sentence ends here, with the quotes and brackets that close behind it."""
        end = self._at + 1
        while end < len(self._text) and self._text[end] in _ENDS | _CLOSING:
            end += 1
        if end == len(self._text) and not self._is_end:
            return _WAIT
        signs = self._text[self._at : end]
        following = self._text[end : end + 1]
        is_over = not following or following.isspace()
        is_over |= bool(_ENDS_ANYWHERE & set(signs)) or (signs[0] in "!?" and following > "\u2e7f")
        if signs == "." and _SHORTENED.search(self._text[max(0, end - 8) : end]):
            is_over = False
        self._at = end
        return end if is_over else _NO


def cut_sentences(text: str, *, least: int = LEAST, most: int = MOST) -> list[str]:
    """Cut a whole text into what is spoken in one go each."""
    cutter = SentenceCutter(least=least, most=most)
    return [*cutter.feed(text), *cutter.finish()]


def portions(text: str, most: int) -> list[str]:
    """Cut a text that is spoken at once into as few parts as fit, each of at most `most`.

    Between sentences where it can be, else between words; joined they are the text.
    """
    parts = [""]
    for piece in cut_sentences(text, least=1, most=most):
        while len(parts[-1]) + len(piece) > most:
            if parts[-1]:
                parts.append("")
                continue
            cut = max(piece.rfind(sign, 0, most) for sign in " ，,\n") + 1 or most
            parts[-1], piece = piece[:cut], piece[cut:]
        parts[-1] += piece
    return [part for part in parts if part]
