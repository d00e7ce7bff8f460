"""Thinking tags and call markers in a model's words: what is said, thought, or a tool's to read.

Servers that know a model's template split these off; others send them as text. Told apart are
`<think>…</think>` at the head of an answer, a closing tag without its opening (its template had
that), and calls in DeepSeek's own template. In code, or later in the text, a tag is a text.
"""

import re
from collections.abc import Callable
from typing import Literal, NamedTuple

from core.wire.code_spans import CodeScanner

# "close": what was said so far was thought. "call": markers of calls, and what stands between.
# "doubt": the thinking may end here. "reopen": it did; this, told as thought meanwhile, is said.
WordKind = Literal["content", "reasoning", "close", "call", "doubt", "reopen"]

_BLANK = " \t\r\n\f\v\u3000\ufeff\u200b"
_HELD_MOST = 1024  # blanks that may stand before a tag, or behind the last thought
_PIECE = 4096
_PASSED_MOST = 64
_BAR = "[｜|]{1,2}"
_OPENING = re.compile(r"<think(?:ing)?>", re.IGNORECASE)
_CLOSING = re.compile(r"</think(?:ing)?>", re.IGNORECASE)
_CALLS = rf"<{_BAR}(?:(tool[▁_]calls?)[▁_]begin{_BAR}>|DSML{_BAR}\s?(\w{{1,40}})(?=[\s>]))"
_MARK = re.compile(rf"(</?think(?:ing)?>)|{_CALLS}", re.IGNORECASE)

# The same as plain beginnings, for what may go on in the next piece (see _folded).
_TAGS = ("<think>", "<thinking>", "</think>", "</thinking>")
_DSML = "<｜dsml｜"
_BEGINNINGS = (*_TAGS, "<｜tool▁calls▁begin｜>", "<｜tool▁call▁begin｜>", _DSML)
_DSML_HALF = re.compile(r"<｜dsml｜\s?[\w▁]{0,40}")
_LONGEST = 64
_QUOTES = tuple("\"'“‘「『《（(`")  # behind them a tag is spoken of


class Word(NamedTuple):
    """Some of an answer's words, and what they are."""

    kind: WordKind
    text: str


class WordSorter:
    """Sorts one answer's text as it comes. `begun` is what the answer had said before.

    Nothing is held back but what may begin a tag, and blanks that may stand around one.
    """

    def __init__(self, begun: str = "") -> None:
        self._code = CodeScanner(begun)
        self._edge = "\r\n" if begun else _BLANK  # what is dropped behind a tag
        self._held = ""
        self._words: list[Word] = []
        self._is_in_text = self._code.is_in_code()
        self._step: Callable[[str], str] = self._text if self._is_in_text else self._head
        self._has_thought = False  # here or beside: no later tag closes that
        self._is_open = False  # a tag that is a text waits for its closing one
        self._last = ""  # that was said
        self._passed: list[str] = []  # said, and not looked at for code yet
        self._doubted: list[str] | None = None  # told as thought behind a closing tag in code
        self._is_in_fence = False  # that tag
        self._calls: list[str] = []
        self._calls_end: tuple[str, re.Pattern[str]] = ("", _MARK)

    def note_reasoning(self) -> None:
        """Note that the server tells the thinking apart itself."""
        self._has_thought = True

    def lets_by(self, text: str) -> bool:
        """Tell whether a text is said as it is, and note it: nearly every one is."""
        if self._held or not self._is_in_text or "<" in text:
            return False
        passed = self._passed
        passed.append(text)
        if len(passed) > _PASSED_MOST:
            self._catch_up()
        return True

    def feed(self, text: str) -> list[Word]:
        """Return what these words are."""
        self._catch_up()
        for at in range(0, len(text), _PIECE):  # of each tag, the rest is copied
            rest, self._held = self._held + text[at : at + _PIECE], ""
            while rest:
                rest = self._step(rest)
        self._is_in_text = self._step == self._text
        words, self._words = self._words, []
        return words

    def end(self) -> list[Word]:
        """Return what was held back: nothing followed."""
        self._catch_up()
        rest, self._held = self._held, ""
        if self._calls or self._is_half_call(rest):
            self._calls.append(rest)
            self._end_calls()
        elif self._step == self._think:
            self._say_thought(rest)
            self._end_thought()
        elif rest:
            self._say("content", rest)
        words, self._words = self._words, []
        return words

    def _catch_up(self) -> None:
        if self._passed:
            self._last = "".join(self._passed)
            self._code.feed(self._last)
            self._passed = []

    def _head(self, text: str) -> str:
        """At the beginning, as long as there are only blanks."""
        rest = text.lstrip(_BLANK)
        if (opening := _OPENING.match(rest)) is not None:
            self._has_thought = True
            self._step = self._before_thought
            return rest[opening.end() :]
        if (closing := _CLOSING.match(rest)) is not None:  # nothing was thought
            self._has_thought = True
            self._step = self._behind
            return rest[closing.end() :]
        if len(text) <= _HELD_MOST and (not rest or _may_go_on(rest, _TAGS)):
            self._held = text
            return ""
        self._step = self._text
        return text

    def _before_thought(self, text: str) -> str:
        if rest := text.lstrip(_BLANK):
            self._step = self._think
        return rest

    def _think(self, text: str) -> str:
        found = _MARK.search(text)
        if found is None:
            keep = _beginning_at_end(text, _BEGINNINGS)
            said = text[: len(text) - keep]
            keep += len(said) - len(said.rstrip(_BLANK))
            if keep > _HELD_MOST:
                keep = 0
            self._say_thought(text[: len(text) - keep])
            self._held = text[len(text) - keep :]
            return ""
        before = text[: found.start()]
        tag, calls, dsml = found.groups()
        is_opening = bool(tag) and tag[1] != "/"
        is_spoken_of = (before or self._last).endswith("`")
        self._code.feed(before)
        if (is_in_code := self._code.is_in_code()) or is_opening:
            self._tell_thought(before)
            if is_in_code and tag and not (is_opening or is_spoken_of or self._doubted):
                self._words.append(Word("doubt", ""))
                self._doubted, self._is_in_fence = [], self._code.is_in_fence
                self._code.feed(tag)
                self._words.append(Word("reasoning", tag))
            else:
                self._say_thought(found[0])
            return text[found.end() :]
        if thought := before.rstrip(_BLANK):
            self._words.append(Word("reasoning", thought))
        self._doubted = None
        self._code = CodeScanner()
        self._step = self._behind
        if not tag:  # it went from thinking to a call at once
            self._begin_calls(found[0], calls, dsml)
        return text[found.end() :]

    def _say_thought(self, text: str) -> None:
        self._code.feed(text)
        self._tell_thought(text)

    def _tell_thought(self, text: str) -> None:
        if text:
            self._last = text
            self._words.append(Word("reasoning", text))
            if self._doubted is not None:
                self._doubted.append(text)

    def _end_thought(self) -> None:
        """At the end: thinking that ended nowhere else ended at the tag in what looked like code.

        One odd backtick, or a fence that was left open, must not swallow the answer.
        """
        was_code = self._is_in_fence and not self._code.is_in_code()
        if self._doubted is not None and not was_code:
            self._words.append(Word("reopen", "".join(self._doubted).lstrip(_BLANK)))
        self._doubted = None

    def _behind(self, text: str) -> str:
        """Behind what is not shown, blanks are none of the text."""
        if rest := text.lstrip(self._edge):
            self._step = self._text
        return rest

    def _text(self, text: str) -> str:
        found = _MARK.search(text) if "<" in text else None
        if found is None:
            keep = _beginning_at_end(text, _BEGINNINGS)
            self._say("content", text[: len(text) - keep])
            self._held = text[len(text) - keep :]
            return ""
        self._say("content", text[: found.start()])
        tag, calls, dsml = found.groups()
        if self._code.is_in_code() or (tag and not self._closes(tag)):
            self._say("content", found[0])
        elif tag:
            self._has_thought = True
            self._words.append(Word("close", tag))
            self._step = self._behind
        else:
            self._begin_calls(found[0], calls, dsml)
        return text[found.end() :]

    def _closes(self, tag: str) -> bool:
        if tag[1] != "/":
            self._is_open = True
            return False
        was_open, self._is_open = self._is_open, False
        return not (was_open or self._has_thought or self._last.endswith(_QUOTES))

    def _begin_calls(self, marker: str, calls: str, dsml: str) -> None:
        self._calls = [marker]
        self._calls_end = _end_of(dsml or calls, is_dsml=bool(dsml))
        self._step = self._call

    def _call(self, text: str) -> str:
        plain, pattern = self._calls_end
        found = pattern.search(text)
        if found is None:
            keep = _beginning_at_end(text, (plain,))
            self._calls.append(text[: len(text) - keep])
            self._held = text[len(text) - keep :]
            return ""
        self._calls.append(text[: found.end()])
        self._end_calls()
        return text[found.end() :]

    def _is_half_call(self, rest: str) -> bool:
        is_marked = self._is_in_text and _folded(rest).startswith(_DSML)
        return is_marked and not self._code.is_in_code()

    def _end_calls(self) -> None:
        self._words.append(Word("call", "".join(self._calls)))
        self._calls = []
        self._step = self._behind

    def _say(self, kind: WordKind, text: str) -> None:
        if text:
            self._code.feed(text)
            self._last = text
            self._words.append(Word(kind, text))


class Sorted(NamedTuple):
    """A whole text, told apart."""

    content: str
    reasoning: str
    calls: str


def sort_words(text: str, *, is_thought_apart: bool = False) -> Sorted:
    """Return what a whole answer's text says, what in it was thought, and calls that leaked.

    `is_thought_apart`: the thinking is known already, so no later tag closes it.
    """
    if "<" not in text:
        return Sorted(text, "", "")
    sorter = WordSorter()
    if is_thought_apart:
        sorter.note_reasoning()
    thoughts_before = 0
    said: list[str] = []
    thought: list[str] = []
    calls: list[str] = []
    for word in (*sorter.feed(text), *sorter.end()):
        if word.kind == "close":
            thought, said = ["".join(said).strip(_BLANK)], []
        elif word.kind == "doubt":
            thoughts_before = len(thought)
        elif word.kind == "reopen":
            thought, said = ["".join(thought[:thoughts_before]).rstrip(_BLANK)], [word.text]
        else:
            kept = {"content": said, "reasoning": thought, "call": calls}[word.kind]
            kept.append(word.text)
    content = "".join(said)
    return Sorted(content.rstrip() if calls else content, "".join(thought), "".join(calls))


def _end_of(name: str, *, is_dsml: bool) -> tuple[str, re.Pattern[str]]:
    if is_dsml:
        pattern = rf"</{_BAR}DSML{_BAR}\s?{re.escape(name)}>"
        return _folded(f"</｜dsml｜{name}>"), re.compile(pattern, re.IGNORECASE)
    plain = _folded(f"<｜{name}▁end｜>")
    spelled = plain.replace("｜", _BAR).replace("▁", "[▁_]")
    return plain, re.compile(spelled, re.IGNORECASE)


def _beginning_at_end(text: str, beginnings: tuple[str, ...]) -> int:
    """Return how many characters at the end may go on as one of `beginnings`."""
    at = text.rfind("<", max(0, len(text) - _LONGEST))
    return len(text) - at if at >= 0 and _may_go_on(text[at:], beginnings) else 0


def _may_go_on(text: str, beginnings: tuple[str, ...]) -> bool:
    folded = _folded(text)
    if _DSML in beginnings and _DSML_HALF.fullmatch(folded) is not None:
        return True
    return any(one.startswith(folded) for one in beginnings)


def _folded(text: str) -> str:
    """Return one spelling of the signs that servers spell in two."""
    return text.lower().replace("|", "｜").replace("｜｜", "｜").replace("_", "▁")
