"""Thinking tags and call markers in a model's words: what is said, thought, or a tool's to read.

Servers that know a model's template split these off; others send them as text. Told apart are
`<think>…</think>` at the head of an answer, a closing tag without its opening (its template had
that), and calls in DeepSeek's own template. In code, or later in the text, a tag is a text.
"""

import re
from collections.abc import Callable
from typing import Literal, NamedTuple

from core.wire.words.call_marks import DSML, begins_call, folded
from core.wire.words.code_spans import CodeScanner
from core.wire.words.leaked_calls import behind_calls
from core.wire.words.word_marks import (
    BEGINNINGS,
    BLANK,
    CLOSING,
    MARK,
    OPENING,
    TAGS,
    beginning_at_end,
    end_of,
    line_end,
    may_go_on,
)

# "close": what was said so far was thought. "mark": it may have been, with the tag that was said.
# "settle": what was said up to the mark was. "call": markers of calls, and what stands between.
# "doubt": the thinking may end here. "reopen": it did; this, told as thought meanwhile, is said.
WordKind = Literal["content", "reasoning", "close", "mark", "settle", "call", "doubt", "reopen"]

_HELD_MOST = 1024  # blanks that may stand before a tag, or behind the last thought
_PIECE = 4096
_PASSED_MOST = 1024  # characters
_QUOTES = tuple("\"'“‘「『《（(`")  # behind them a tag is spoken of
_ENDS = tuple("\n.!?。！？:：…)）*")  # behind them a call may begin that breaks off at once


class Word(NamedTuple):
    """Some of an answer's words, and what they are."""

    kind: WordKind
    text: str


# A function, not a bound method: that would be a cycle, which waits for the garbage collector.
_Step = Callable[["WordSorter", str], str]


class WordSorter:
    """Sorts one answer's text as it comes. `begun` is what the answer had said before.

    Nothing is held back but what may begin a tag, and blanks that may stand around one.
    """

    def __init__(self, begun: str = "") -> None:
        self._code = CodeScanner(begun)
        self._edge = "\r\n" if begun else BLANK  # what is dropped behind a tag
        self._held = ""
        self._words: list[Word] = []
        self._is_in_text = self._code.is_in_code()
        self._step: _Step = WordSorter._text if self._is_in_text else WordSorter._head
        self._has_thought = False  # here or beside: no later tag closes that
        self._is_open = False  # a tag that is a text waits for its closing one
        self._is_open_in_code = False
        self._last = ""  # character that was said
        self._passed: list[str] = []  # said, and not looked at for code yet
        self._room = _PASSED_MOST  # for more of that
        self._doubted: list[str] | None = None  # told as thought behind a closing tag in code
        self._is_in_fence = False  # that tag
        self._mark: Literal["", "span", "fence"] = ""  # code around a tag that may have closed
        self._is_behind_mark = False  # nothing was said behind that tag
        self._last_sign = ""  # that is no blank within a line
        self._calls: list[str] = []
        self._calls_end: tuple[str, re.Pattern[str]] = ("", MARK)

    def note_reasoning(self) -> None:
        """Note that the server tells the thinking apart itself."""
        self._has_thought = True

    def lets_by(self, text: str) -> bool:
        """Tell whether a text is said as it is, and note it: nearly every one is."""
        if self._held or not self._is_in_text or "<" in text:
            return False
        self._passed.append(text)
        self._room -= len(text) + 1
        if self._room < 0:
            self._catch_up()
        return True

    def feed(self, text: str) -> list[Word]:
        """Return what these words are."""
        self._catch_up()
        for at in range(0, len(text), _PIECE):  # of each tag, the rest is copied
            rest, self._held = self._held + text[at : at + _PIECE], ""
            while rest:
                rest = self._step(self, rest)
        self._is_in_text = self._step is WordSorter._text and not self._mark
        words, self._words = self._words, []
        return words

    def end(self) -> list[Word]:
        """Return what was held back: nothing followed."""
        self._catch_up()
        rest, self._held = self._held, ""
        if self._calls:
            self._end_unended(rest)
        elif self._is_half_call(rest):
            self._begin_half_call(rest)
        elif self._step is WordSorter._think:
            self._say_thought(rest)
            self._end_thought()
        else:
            self._say("content", rest)
            self._settle_at_end()
        words, self._words = self._words, []
        return words

    def _catch_up(self) -> None:
        if self._passed:
            passed = "".join(self._passed)
            self._passed, self._room = [], _PASSED_MOST
            self._note_last(passed)
            self._code.feed(passed)

    def _note_last(self, text: str) -> None:
        self._last = text[-1:]
        if line := text.rstrip(" \t"):
            self._last_sign = line[-1]

    def _head(self, text: str) -> str:
        """At the beginning, as long as there are only blanks."""
        rest = text.lstrip(BLANK)
        if (opening := OPENING.match(rest)) is not None:
            self._has_thought = True
            self._step = WordSorter._before_thought
            return rest[opening.end() :]
        if (closing := CLOSING.match(rest)) is not None:  # nothing was thought
            self._has_thought = True
            self._step = WordSorter._behind
            return rest[closing.end() :]
        if len(text) <= _HELD_MOST and (not rest or may_go_on(rest, TAGS)):
            self._held = text
            return ""
        self._step = WordSorter._text
        return text

    def _before_thought(self, text: str) -> str:
        if rest := text.lstrip(BLANK):
            self._step = WordSorter._think
        return rest

    def _think(self, text: str) -> str:
        is_in_doubt = self._doubted is not None
        if is_in_doubt and self._is_past_doubt(text):
            self._reopen()
            return text
        end = line_end(text) if is_in_doubt else len(text)
        found = MARK.search(text)
        if found is None or found.start() >= end:
            keep = beginning_at_end(text, BEGINNINGS)
            if not is_in_doubt:
                said = text[: len(text) - keep]
                keep += len(said) - len(said.rstrip(BLANK))
            if keep > _HELD_MOST:
                keep = 0
            return self._keep_from(len(text) - keep, text, end, self._say_thought)
        before = text[: found.start()]
        tag, calls, dsml = found.groups()
        is_opening = bool(tag) and tag[1] != "/"
        is_call = None if tag else begins_call(text[found.start() :])
        is_spoken_of = (before or self._last).endswith("`")
        self._code.feed(before)
        if (is_in_code := self._code.is_in_code()) or is_opening or (not tag and not is_call):
            if not (is_in_code or tag) and is_call is None:
                at = len(before if is_in_doubt else before.rstrip(BLANK))
                self._tell_thought(before[:at])
                self._held = text[at:]
                return ""
            self._tell_thought(before)
            if is_in_code and tag and not (is_opening or is_spoken_of or self._doubted):
                self._words.append(Word("doubt", ""))
                self._doubted, self._is_in_fence = [], self._code.is_in_fence
                self._code.turn = ""
                self._code.feed(tag)
                self._words.append(Word("reasoning", tag))
            else:
                self._say_thought(found[0])
            return text[found.end() :]
        if thought := before.rstrip(BLANK):
            self._words.append(Word("reasoning", thought))
        self._doubted = None
        self._code = CodeScanner()
        self._go_behind()
        if not tag:  # it went from thinking to a call at once
            self._begin_calls(found[0], calls, dsml)
        return text[found.end() :]

    def _say_thought(self, text: str) -> None:
        self._code.feed(text)
        self._tell_thought(text)

    def _tell_thought(self, text: str) -> None:
        if text:
            self._note_last(text)
            self._words.append(Word("reasoning", text))
            if self._doubted is not None:
                self._doubted.append(text)

    def _keep_from(self, at: int, text: str, end: int, say: Callable[[str], None]) -> str:
        """Say a text as far as `end`, but for what may go on as a tag; return the rest."""
        if at <= end:
            self._held, end = text[at:], at
        say(text[:end])
        return "" if self._held else text[end:]

    def _is_past_doubt(self, text: str) -> bool:
        """Tell whether a tag in what looked like code was none of it: the code never ended."""
        if self._is_in_fence:
            return self._code.turn == "opening"
        return text[0] == "\n" and self._code.is_in_code()

    def _reopen(self) -> None:
        said = "".join(self._doubted or ()).lstrip(BLANK)
        self._doubted = None
        self._words.append(Word("reopen", said))
        self._code = CodeScanner(said)
        self._step = WordSorter._text if said else WordSorter._behind

    def _end_thought(self) -> None:
        """At the end: thinking that ended nowhere else ended at the tag in what looked like code.

        One odd backtick, or a fence that was left open, must not swallow the answer.
        """
        was_code = self._is_in_fence and not self._code.is_in_code()
        if self._doubted is not None and not was_code:
            self._words.append(Word("reopen", "".join(self._doubted).lstrip(BLANK)))
        self._doubted = None

    def _go_behind(self) -> None:
        self._step, self._last_sign = WordSorter._behind, ""

    def _behind(self, text: str) -> str:
        """Behind what is not shown, blanks are none of the text."""
        if rest := text.lstrip(self._edge):
            self._step = WordSorter._text
        return rest

    def _text(self, text: str) -> str:
        if self._mark and self._settle(text):
            return text
        end = line_end(text) if self._mark else len(text)
        found = MARK.search(text) if "<" in text else None
        if found is None or found.start() >= end:
            at = len(text) - beginning_at_end(text, BEGINNINGS)
            return self._keep_from(at, text, end, self._say_content)
        self._say("content", text[: found.start()])
        tag, calls, dsml = found.groups()
        behind = text[found.end() :]
        if self._code.is_in_code():
            self._say_in_code(found[0], tag or "")
        elif tag:
            self._take_tag(tag)
        elif (is_call := begins_call(text[found.start() :])) is None:
            self._held, behind = text[found.start() :], ""
        elif is_call:
            self._begin_calls(found[0], calls, dsml)
        else:
            self._say("content", found[0])
        return behind

    def _take_tag(self, tag: str) -> None:
        if not self._closes(tag):
            self._say("content", tag)
            return
        self._has_thought, self._mark = True, ""
        self._words.append(Word("close", tag))
        self._go_behind()

    def _say_in_code(self, mark: str, tag: str) -> None:
        """Say a tag as the text it mostly is; one odd backtick before it does not make it that."""
        is_closing, was_open = tag[1:2] == "/", self._is_open or self._is_open_in_code
        self._is_open_in_code = bool(tag) and not is_closing
        may_close = is_closing and not (was_open or self._mark or self._has_thought)
        may_close = may_close and not self._last.endswith(_QUOTES)
        self._say("content", mark)
        if may_close:
            self._words.append(Word("mark", ""))
            self._mark = "fence" if self._code.is_in_fence else "span"
            self._code.turn, self._is_behind_mark = "", True

    def _settle(self, text: str) -> bool:
        """Tell what a tag in what looked like code was, once that is known; whether it closed."""
        if self._mark == "fence":
            is_open = {"end": False, "opening": True}.get(self._code.turn)
        else:
            is_open = self._code.is_in_code() if text[0] == "\n" else None
        if is_open is None:
            return False
        self._mark = ""
        if is_open:
            self._has_thought = True
            self._words.append(Word("settle", ""))
            if self._is_behind_mark:
                self._go_behind()
        return is_open

    def _settle_at_end(self) -> None:
        if self._mark == "fence":
            self._code.feed("\n")
        is_open = {"end": False, "opening": True}.get(self._code.turn, self._code.is_in_code())
        if self._mark and is_open:
            self._words.append(Word("settle", ""))

    def _closes(self, tag: str) -> bool:
        if tag[1] != "/":
            self._is_open = True
            return False
        was_open, self._is_open = self._is_open, False
        return not (was_open or self._has_thought or self._last.endswith(_QUOTES))

    def _begin_calls(self, marker: str, calls: str, dsml: str) -> None:
        self._calls = [marker]
        self._calls_end = end_of(dsml or calls, is_dsml=bool(dsml))
        self._step = WordSorter._call

    def _call(self, text: str) -> str:
        plain, pattern = self._calls_end
        found = pattern.search(text)
        if found is None:
            keep = beginning_at_end(text, (plain,))
            self._calls.append(text[: len(text) - keep])
            self._held = text[len(text) - keep :]
            return ""
        self._calls.append(text[: found.end()])
        self._end_calls()
        return text[found.end() :]

    def _is_half_call(self, rest: str) -> bool:
        """Tell whether an answer broke off in its call's first marker, or just behind it."""
        rest = rest.lstrip(BLANK)
        if self._step not in (WordSorter._text, WordSorter._think) or not rest.startswith("<"):
            return False
        is_marked = begins_call(rest) is None and (
            folded(rest).startswith(DSML) or MARK.match(rest) is not None
        )
        is_at_end = not self._last_sign or self._last_sign in _ENDS
        return is_marked and is_at_end and not self._code.is_in_code()

    def _begin_half_call(self, rest: str) -> None:
        self._doubted = None
        self._calls = [rest]
        self._end_calls()

    def _end_calls(self) -> None:
        self._words.append(Word("call", "".join(self._calls)))
        self._calls = []
        self._go_behind()

    def _end_unended(self, rest: str) -> None:
        """End calls without their end: what is plainly none of them is said."""
        text = "".join((*self._calls, rest))
        at = behind_calls(text)
        self._calls = [text[:at]]
        self._end_calls()
        self._say("content", text[at:].lstrip(BLANK))

    def _say_content(self, text: str) -> None:
        self._say("content", text)

    def _say(self, kind: WordKind, text: str) -> None:
        if text:
            self._code.feed(text)
            self._note_last(text)
            self._is_behind_mark = self._is_behind_mark and not text.strip(BLANK)
            self._words.append(Word(kind, text))
