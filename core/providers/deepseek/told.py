"""Cumulative pieces and answers told once more: what of that is new.

Servers send what is added. Some send with each event all that came before it, and some close with
the whole answer once more. A text may also just repeat itself: one piece that holds all so far is
no proof, and what stays unclear is taken as said, for a text shown twice is better than one lost.
"""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from core.models.chat import AnswerPart
from core.models.deltas import Delta
from core.models.parts import ToolCallPiece
from core.wire.packed_text import packed, unpacked

_LONG = 32  # characters that no next piece happens to begin with
_SHORT = 9
_PIECES_MOST = 512
_HELD_MOST = 8
# Halves of a character at the end of a version; the next version has it whole.
_HALVES = re.compile("[\ufffd\ud800-\udfff\U0010fe80-\U0010feff]+\\Z")


class TextSoFar:
    """All that was told of one text, and what each piece adds to it."""

    __slots__ = (
        "_blocks",
        "_count",
        "_first",
        "_halves",
        "_held",
        "_is_cumulative",
        "_is_plain",
        "_length",
        "_pieces",
        "_proofs",
    )

    def __init__(self) -> None:
        self._blocks: list[str | bytes] = []  # of many pieces each
        self._pieces: list[str] = []  # behind them
        self._length = self._count = 0
        self._first = ""
        self._held: list[str] = []  # that begin with all before them: what follows tells
        self._proofs = 0  # how many of those are no refrain
        self._halves = ""  # at the end of the last version
        self._is_cumulative = False
        self._is_plain = True  # neither of both

    def lets_by(self, pieces: Sequence[str]) -> bool:
        """Tell whether pieces are new as they are, and note them: nearly all are."""
        added = len(pieces[0]) if len(pieces) == 1 else sum(map(len, pieces))
        # Together shorter than what came: none of them holds all of that.
        if added >= self._length or not self._is_plain:
            return False
        self._length += added
        self._count += 1
        self._pieces += pieces
        if len(self._pieces) > _PIECES_MOST:
            self._pack()
        return True

    def take(self, piece: str, *, is_end: bool = False) -> str:
        """Return what a piece adds; `is_end`: the answer ends with it."""
        if self._held:
            return self._take_behind_held(piece, is_end=is_end)
        if self._is_cumulative:
            return self._take_version(piece)
        if len(piece) < self._length or not self._length or not piece:
            return self._append(piece)
        if not piece.startswith(self._text()):
            return self._append(piece)
        is_longer = len(piece) > self._length
        if self._is_refrain(piece):
            is_longer = False
        elif is_longer and (self._is_well_known() or (is_end and self._has_begun_well())):
            return self._replace(piece)
        elif not is_longer and self._is_well_known(3, _SHORT if is_end else _LONG):
            return ""
        self._held, self._proofs, self._is_plain = [piece], int(is_longer), False
        return ""

    def take_last(self, message: str) -> str:
        """Return what a message adds with which an answer of messages ends: a piece, or all."""
        size = len(message.encode("utf-8", "replace"))
        if message == self._text() and (self._count > 1 or size >= _SHORT):
            return ""
        return self.take(message, is_end=True)

    def take_whole(self, text: str) -> str:
        """Return what a text adds that is given as all of the answer."""
        rest = self.release()
        before = self._text()
        bare, whole = before.strip(), text.strip()
        if text.startswith(before):
            return rest + self._replace(text)
        if 2 * len(whole) > len(bare) and whole in bare:
            return rest
        if bare and whole.startswith(bare):
            return rest + self._append(whole[len(bare) :])
        if whole and re.search(rf"</think(?:ing)?>\s*{re.escape(whole)}\Z", bare, re.IGNORECASE):
            return rest  # without what was thought
        return rest + self._append(text)

    def release(self) -> str:
        """Return what was held back: nothing follows."""
        held = self._take_held()
        if held and self._proofs and self._has_begun_well():
            return self._replace(held[-1])
        halves, self._halves = self._halves, ""
        return halves + "".join(map(self._append, held))

    def _take_behind_held(self, piece: str, *, is_end: bool) -> str:
        last = self._held[-1]
        if not piece.startswith(_HALVES.sub("", last)) or len(self._held) >= _HELD_MOST:
            return "".join(map(self._append, self._take_held())) + self.take(piece, is_end=is_end)
        is_longer = len(piece) > len(last) and not self._is_refrain(piece)
        if self._proofs and (is_longer or piece == last):
            self._held, self._is_cumulative = [], True
            return self._take_version(piece)
        self._held.append(piece)
        self._proofs += is_longer
        return ""

    def _take_version(self, piece: str) -> str:
        text = self._text()
        whole = _HALVES.sub("", piece)
        if whole.startswith(text):
            self._halves = piece[len(whole) :]
            return self._replace(whole)
        if text.startswith(whole) and 2 * len(whole) > len(text):
            return ""
        same = _common(text, whole)
        if 5 * same >= 4 * len(text):  # its end was written anew
            self._replace(whole)
            return whole[same:]
        self._is_cumulative, self._is_plain = False, True
        halves, self._halves = self._halves, ""
        return halves + self._append(piece)

    def _is_refrain(self, piece: str) -> bool:
        """Tell whether a piece only says the first one again and again."""
        return (self._first * (len(piece) // len(self._first) + 1)).startswith(piece)

    def _has_begun_well(self) -> bool:
        """Tell whether what came is too much to begin the next piece by chance."""
        words = self._text().strip()
        return len(words) > (2 if words.isascii() else 1)

    def _replace(self, text: str) -> str:
        new = text[self._length :]
        self._blocks, self._pieces, self._length = [], [text], len(text)
        self._count += 1
        return new

    def _append(self, piece: str) -> str:
        self._first = self._first or piece
        self._pieces.append(piece)
        self._length += len(piece)
        self._count += bool(piece)
        return piece

    def _take_held(self) -> list[str]:
        held, self._held = self._held, []
        self._is_plain = not self._is_cumulative
        return held

    def _is_well_known(self, pieces: int = 2, length: int = _LONG) -> bool:
        """Tell whether so much came, in pieces, that no piece happens to begin with it."""
        return self._count >= pieces and self._length >= length

    def _text(self) -> str:
        if self._blocks or len(self._pieces) != 1:
            text = "".join((*map(unpacked, self._blocks), *self._pieces))
            self._blocks, self._pieces = [], [text]
        return self._pieces[0]

    def _pack(self) -> None:
        """Join the pieces that came last; all of the text would be copied again and again."""
        self._blocks.append(packed("".join(self._pieces)))
        self._pieces = []


class ToldTexts(dict[AnswerPart, TextSoFar]):
    """Both texts of one answer, so far."""

    def __init__(self) -> None:
        super().__init__({"content": TextSoFar(), "reasoning_content": TextSoFar()})

    def new_in(self, said: Delta) -> Delta:
        """Return what is new in a delta that is not let by."""
        text = self[said.part]
        return Delta(said.part, [new for piece in said.texts if (new := text.take(piece))])

    def release(self) -> list[Delta]:
        """Return what was held back."""
        rests = [(part, text.release()) for part, text in self.items()]
        return [Delta(part, [rest]) for part, rest in rests if rest]


class CallsSoFar:
    """The tool calls that were told, and what of others is new."""

    def __init__(self) -> None:
        self._calls: dict[int, ToolCallPiece] = {}

    def take(self, pieces: Iterable[ToolCallPiece]) -> list[ToolCallPiece]:
        """Return what pieces add; one that names its call again may hold all of it so far."""
        new = []
        for piece in pieces:
            known = self._calls.get(piece.index)
            if known is not None and known.arguments and piece.name and _is_same(known, piece):
                rest = piece.arguments.removeprefix(known.arguments)
                if len(rest) < len(piece.arguments):
                    piece = replace(known, name="", arguments=rest)
            new.append(piece)
            self.note([piece])
        return new

    def note(self, pieces: Iterable[ToolCallPiece]) -> None:
        """Note pieces of calls that came one after the other."""
        for piece in pieces:
            known = self._calls.get(piece.index)
            if known is not None and piece.id and known.id not in ("", piece.id):
                self._calls[-len(self._calls) - 1] = known  # another call at the same index
                known = None
            self._calls[piece.index] = (
                piece
                if known is None
                else replace(
                    known,
                    id=known.id or piece.id,
                    name=known.name or piece.name,
                    arguments=known.arguments + piece.arguments,
                )
            )

    def take_whole(self, calls: Iterable[ToolCallPiece]) -> list[ToolCallPiece]:
        """Return what is new of calls that are given whole."""
        new: list[ToolCallPiece] = []
        told = dict(self._calls)
        for call in calls:
            index = next((at for at, known in told.items() if _is_same(known, call)), None)
            if index is None:
                new.append(replace(call, index=self._free(call.index)))
                self.note(new[-1:])
                continue
            known = told.pop(index)
            rest = call.arguments.removeprefix(known.arguments)
            if index >= 0 and rest and len(rest) < len(call.arguments) + (not known.arguments):
                new.append(replace(known, name="", arguments=rest))
                self.note(new[-1:])
        return new

    def _free(self, index: int) -> int:
        return index if index not in self._calls else max(self._calls) + 1


def _is_same(known: ToolCallPiece, call: ToolCallPiece) -> bool:
    """Tell whether a whole call is one that was told, as far as that came."""
    if known.name != call.name or (known.id and call.id and known.id != call.id):
        return False
    return call.arguments.startswith(known.arguments) or _value(known) == _value(call)


def _value(call: ToolCallPiece) -> object:
    try:
        return json.loads(call.arguments)
    except (ValueError, RecursionError):
        return call.arguments


def _common(one: str, other: str) -> int:
    """Return how many characters both begin with."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))
