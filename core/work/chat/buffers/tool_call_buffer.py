"""Buffer of tool calls that grow: pieces joined by index, as OpenAI-compatible servers stream them.

Some servers say 0 for each call of an answer: another id at the same index begins another call.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from core.models.parts import ToolCall, ToolCallPiece
from core.wire.masking.secrets import known_secrets
from core.wire.masking.stream_washer import StreamWasher
from core.wire.surrogates import PairJoiner
from core.work.chat.buffers.text_buffer import TextBuffer


class CallGrowth(NamedTuple):
    """What a call has gained; `is_new` where its reader has not heard of it."""

    number: int
    id: str
    name: str
    arguments: str
    is_new: bool


class ToolCallBuffer:
    """The tool calls of one answer, known secrets masked; each has an id. Not thread-safe."""

    __slots__ = ("_answer_id", "_calls", "_newest")

    def __init__(self, answer_id: str) -> None:
        self._answer_id = answer_id
        self._calls: list[_Call] = []
        self._newest: dict[int, _Call] = {}  # by index

    def extend(self, pieces: Iterable[ToolCallPiece]) -> None:
        """Append what streamed events brought."""
        for piece in pieces:
            call = self._newest.get(piece.index)
            if call is None or call.is_other(piece):
                call = self._newest[piece.index] = _Call(is_told=piece.index >= 0)
                self._calls.append(call)
            call.extend(piece)

    def end(self) -> None:
        """Release what was held back: nothing follows."""
        for call in self._calls:
            call.end()

    def whole(self) -> tuple[ToolCall, ...]:
        """Return the calls as far as they came."""
        return tuple(
            ToolCall(self._id(number), call.name, call.arguments.whole())
            for number, call in enumerate(self._calls)
        )

    def asked(self) -> tuple[ToolCall, ...]:
        """Return those that the provider told as calls: what only leaked into the text is none."""
        whole = zip(self._calls, self.whole(), strict=True)
        return tuple(call for buffer, call in whole if buffer.is_told)

    def since(
        self, places: Sequence[int], *, is_final: bool
    ) -> tuple[list[CallGrowth], tuple[int, ...]]:
        """Return what came behind these places, one a call, and the places that are read then.

        A call is told of once its name is known, or nothing more can come.
        """
        growths: list[CallGrowth] = []
        read: list[int] = []
        for number, call in enumerate(self._calls):
            if not call.name and not is_final:
                break  # those behind it wait, so that they are numbered right
            is_new = number >= len(places)
            place = 0 if is_new else places[number]
            arguments = "".join(call.arguments.since(place))
            read.append(call.arguments.length)
            if is_new or arguments:
                growths.append(
                    CallGrowth(number, self._id(number), call.name, arguments, is_new=is_new)
                )
        return growths, tuple(read)

    def _id(self, number: int) -> str:
        return self._calls[number].id or f"call_{self._answer_id}_{number}"


class _Call:
    """One call; of id and name the first that came."""

    __slots__ = ("_pairs", "_washer", "arguments", "id", "is_told", "name")

    def __init__(self, *, is_told: bool) -> None:
        self.is_told = is_told
        self.id = self.name = ""
        self.arguments = TextBuffer()
        self._pairs = PairJoiner()
        self._washer = StreamWasher(known_secrets)

    def is_other(self, piece: ToolCallPiece) -> bool:
        return bool(piece.id) and self.id not in ("", known_secrets.wash(piece.id))

    def extend(self, piece: ToolCallPiece) -> None:
        self.id = self.id or known_secrets.wash(piece.id)
        self.name = self.name or known_secrets.wash(piece.name)
        self._append(self._washer.take(self._pairs.take(piece.arguments)))

    def end(self) -> None:
        self._append(self._washer.take(self._pairs.end()) + self._washer.end())

    def _append(self, text: str) -> None:
        if text:
            self.arguments.extend((text,))
