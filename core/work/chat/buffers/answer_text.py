"""Text buffers of an answer that grows: what is said, what was thought, and calls among it.

A closing thinking tag without its opening tells late that what came was thought. What readers over
HTTP were sent stays sent, and places in it stay right: the buffer keeps it, and `moved` says which
part of it the answer, as pages and the store have it, holds as thought.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from core.models.chat import AnswerPart
from core.models.parts import ToolCall, ToolCallPiece
from core.providers.http.redaction import short_word
from core.wire.masking.secrets import known_secrets
from core.wire.masking.stream_washer import StreamWasher
from core.wire.words.leaked_calls import leaked_calls
from core.wire.words.model_words import Word, WordSorter
from core.wire.words.word_marks import without_closing
from core.work.chat.buffers.logprobs_buffer import LogprobsBuffer
from core.work.chat.buffers.said_text import SaidText
from core.work.chat.buffers.text_buffer import TextBuffer
from core.work.chat.buffers.tool_call_buffer import ToolCallBuffer

GAP = "\n\n"  # between the turns of an answer


class Moved(NamedTuple):
    """Which characters of what came as the answer were thought."""

    start: int
    end: int
    has_tag: bool = False  # the closing tag was taken for code, and said

    def lies_before(self, place: int, rest: Sequence[str]) -> bool:
        """Tell whether a reader at `place`, who gets `rest`, is to be spared thoughts in it.

        Who has read them but for blanks at their end goes on as if nothing were.
        """
        if place >= self.end:
            return False
        return place <= self.start or bool("".join(rest)[: self.end - place].strip())

    def told_apart(self, text: str, place: int) -> tuple[list[str], list[str]]:
        """Return what was thought of the text from `place` on, and what is said."""
        start, end = max(self.start - place, 0), self.end - place
        thought = text[start:end]
        thought = (without_closing(thought) if self.has_tag else thought).strip()
        said = (text[:start], text[end:])
        return [thought] if thought else [], [piece for piece in said if piece]


class _Turn(NamedTuple):
    """One turn of an answer in which tools of the studio are called, and where it begins."""

    answer_id: str
    number: int
    content: int
    reasoning: int


class AnswerText:
    """The text of one answer. Not thread-safe."""

    __slots__ = (
        "_begun",
        "_leaked",
        "_mark",
        "_said",
        "_sorter",
        "_thought_to",
        "_turn",
        "_washer",
        "calls",
        "content",
        "has_answered",
        "has_reasoned",
        "is_reopened",
        "logprobs",
        "moved",
        "reasoning",
    )

    def __init__(self, answer_id: str, content: str, reasoning: str) -> None:
        self._said = SaidText(content)
        self.content = self._said.buffer
        self.reasoning = TextBuffer(reasoning)
        self.moved: Moved | None = None
        self.has_answered = self.has_reasoned = False  # since it began
        self._begun = len(content)
        self._sorter = WordSorter(content)
        self._turn = _Turn(answer_id, 1, len(content), len(reasoning))
        self.calls = ToolCallBuffer(answer_id)
        self.logprobs = LogprobsBuffer()
        self._leaked = 0
        self._thought_to = 0  # where the thinking ends, if it was told as thought too long
        self.is_reopened = False
        self._washer = StreamWasher(known_secrets)  # of the reasoning
        self._mark = 0  # behind a tag in code that may have closed the thinking

    def extend(self, part: AnswerPart, pieces: list[str]) -> bool:
        """Append what came as one of both texts; tell whether some of it moves."""
        if part == "reasoning_content":
            if not self.has_reasoned:
                self._sorter.note_reasoning()
            self._think(pieces)
            return False
        text = pieces[0] if len(pieces) == 1 else "".join(pieces)
        if self._sorter.lets_by(text):
            self.has_answered = True
            self._said.add(pieces)
        else:
            self._take(self._sorter.feed(text))
        return self._has_moved()

    def _has_moved(self) -> bool:
        """Note where the thinking ended, if that was told late; tell whether it is news."""
        end = self._said.thought_to
        if end is None or (self.moved is not None and self.moved.end == end):
            return False
        self.moved = Moved(self._begun, end, self._said.has_tag)
        return True

    def extend_calls(self, pieces: Sequence[ToolCallPiece]) -> None:
        """Append what came of tool calls."""
        self.calls.extend(pieces)
        self.has_answered = True

    def end(self) -> bool:
        """Append what was held back; tell whether some of the text moves."""
        self._take(self._sorter.end())
        self._said.end(ends_in_call=bool(self._leaked))
        self._release_reasoning()
        self.calls.end()
        self.logprobs.end()
        return self._has_moved()

    def turn(self) -> tuple[str, str, tuple[ToolCall, ...]]:
        """Return what this turn of the answer said and thought, and the calls it asks for."""
        content, reasoning, _ = self.whole()
        return content[self._turn.content :], reasoning[self._turn.reasoning :], self.calls.asked()

    def next_turn(self) -> None:
        """Begin another turn behind the one that has ended, apart from it by a blank line."""
        said, thought, _ = self.turn()
        if said.strip():
            self._said.add([GAP])
        if thought.strip():
            self._think([GAP])
        content, reasoning, _ = self.whole()
        # The gap behind what was said comes with what follows.
        begin = len(content) + (len(GAP) if said.strip() else 0)
        answer_id, number = self._turn.answer_id, self._turn.number + 1
        self._turn = _Turn(answer_id, number, begin, len(reasoning))
        self.calls = ToolCallBuffer(f"{answer_id}_{number}")
        self._sorter = WordSorter()
        self.has_answered = self.has_reasoned = False

    def whole(self) -> tuple[str, str, tuple[ToolCall, ...]]:
        """Return what is said, what was thought, and the calls."""
        content, reasoning = self.content.whole(), self.reasoning.whole()
        if self.moved is not None:
            thought, said = self.moved.told_apart(content, 0)
            # Halves of a secret may have come as one and the other.
            reasoning = known_secrets.wash("".join((reasoning, *thought)))
            content = "".join(said)
        elif self.is_reopened:
            reasoning = reasoning[: self._thought_to].rstrip()
        return content.rstrip() if self._leaked else content, reasoning, self.calls.whole()

    def _take(self, words: Iterable[Word]) -> None:
        for kind, text in words:
            if kind == "content":
                self._say(text)
            elif kind == "reasoning":
                self._think([text])
            elif kind == "close":
                self._said.end_thought()
            elif kind == "mark":
                self._mark = self._said.mark()
            elif kind == "settle":
                self._said.end_thought_at(self._mark)
            elif kind == "doubt":
                self._release_reasoning()
                self._thought_to = self.reasoning.length
            elif kind == "reopen":
                self.is_reopened = True
                self._say(text)
            else:
                self._take_calls(text)

    def _take_calls(self, text: str) -> None:
        for call in leaked_calls(text):
            self._leaked += 1
            # Below all that servers number themselves.
            name = short_word(call.name) or ""
            piece = ToolCallPiece(-self._leaked, "", name, call.arguments)
            self.extend_calls((piece,))

    def _say(self, text: str) -> None:
        self.has_answered = True
        if text:
            self._said.add([text])

    def _think(self, pieces: list[str]) -> None:
        self.has_reasoned = True
        # What may be the beginning of a secret is held back.
        if washed := self._washer.take_all(pieces):
            self.reasoning.extend(washed)

    def _release_reasoning(self) -> None:
        if rest := self._washer.end():
            self.reasoning.extend((rest,))
