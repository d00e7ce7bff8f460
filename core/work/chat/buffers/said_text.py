"""The said text of an answer that grows: washed, its blank lines with what follows them.

Blank lines before a call that leaked into the text are none of it, so they wait for what they
stand before: nobody sees blanks at the end.
"""

from core.wire.masking.secrets import known_secrets
from core.wire.masking.stream_washer import StreamWasher
from core.work.chat.buffers.text_buffer import TextBuffer

_BLANK = " \t\r\n"


class SaidText:
    """What readers get as the answer, in the pieces in which it came. Not thread-safe."""

    __slots__ = ("_blanks", "_is_split", "_unplaced", "_washer", "buffer", "has_tag", "thought_to")

    def __init__(self, content: str) -> None:
        self.buffer = TextBuffer(content)
        self.thought_to: int | None = None  # up to where what was said was thought
        self.has_tag = False  # which ends in the tag that closed it
        self._washer = StreamWasher(known_secrets)
        self._blanks: list[str] = []  # at the end
        self._is_split = False  # their first is the end of a piece
        self._unplaced = ""  # held back where a late closing tag stood

    @property
    def _length(self) -> int:
        return self.buffer.length + sum(map(len, self._blanks))

    def add(self, pieces: list[str]) -> None:
        """Append pieces. What may be the beginning of a secret is held back."""
        washed = self._washer.take_all(pieces)
        if washed:
            if self._unplaced:
                self._place("".join(washed))
            self._append(washed)

    def end_thought(self) -> None:
        """Note that what was said so far was thought.

        Readers over HTTP have what follows right behind it, so halves of a secret are masked as
        one: what is held back there stays so until it is known to be none.
        """
        self._unplaced = self._washer.held
        if not self._unplaced:
            self.thought_to = self._length

    def end_thought_at(self, place: int) -> None:
        """Note that what was said up to a place was thought, and blanks behind it."""
        behind = "".join((*self.buffer.since(place), *self._blanks))
        self.thought_to = place + len(behind) - len(behind.lstrip())
        self.has_tag = True

    def mark(self) -> int:
        """Return the place where the text stands."""
        self._release()
        return self._length

    def end(self, *, ends_in_call: bool) -> None:
        """Append what was held back: nothing follows."""
        self._release()
        if self._unplaced:
            self._unplaced, self.thought_to = "", self._length
        if self._blanks and not ends_in_call:
            self.buffer.extend(self._blanks)
        self._blanks = []

    def _release(self) -> None:
        if rest := self._washer.end():
            self._append([rest])

    def _place(self, text: str) -> None:
        held, self._unplaced = self._unplaced, ""
        if len(text) < len(held) and held.startswith(text):
            self._unplaced = held[len(text) :]
            return
        # Masked, it is one sign, and was begun in the thought.
        self.thought_to = self._length + (len(held) if text.startswith(held) else 1)

    def _append(self, pieces: list[str]) -> None:
        if self._blanks:
            pieces = self._with_blanks(pieces)
        last = pieces[-1]
        if last[-1] in _BLANK and "\n" in last[len(said := last.rstrip(_BLANK)) :]:
            self._is_split = bool(said)
            self._blanks = [last[len(said) :]]
            pieces = [*pieces[:-1], said] if said else pieces[:-1]
            while pieces and not pieces[-1].strip(_BLANK):
                self._blanks.insert(0, pieces[-1])
                pieces = pieces[:-1]
        if pieces:
            self.buffer.extend(pieces)

    def _with_blanks(self, pieces: list[str]) -> list[str]:
        blanks, self._blanks = self._blanks, []
        if self._is_split:  # so that there are as many pieces as came
            return ["".join((*blanks, pieces[0])), *pieces[1:]]
        return [*blanks, *pieces]
