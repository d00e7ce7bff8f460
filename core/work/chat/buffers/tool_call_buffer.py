"""Buffer of tool calls that grow: pieces joined by index, as OpenAI-compatible servers stream them.

Some servers say 0 for each call of an answer: another id at the same index begins another call.
"""

from collections.abc import Iterable

from core.models.parts import ToolCall, ToolCallPiece
from core.wire.secrets import known_secrets
from core.wire.surrogates import without_halves


class ToolCallBuffer:
    """The tool calls of one answer. Not thread-safe."""

    __slots__ = ("_answer_id", "_calls", "_newest")

    def __init__(self, answer_id: str) -> None:
        self._answer_id = answer_id
        self._calls: list[list[ToolCallPiece]] = []
        self._newest: dict[int, list[ToolCallPiece]] = {}  # by index

    def extend(self, pieces: Iterable[ToolCallPiece]) -> None:
        """Append what streamed events brought."""
        for piece in pieces:
            call = self._newest.get(piece.index)
            if call is None or (piece.id and _first(one.id for one in call) not in ("", piece.id)):
                call = self._newest[piece.index] = []
                self._calls.append(call)
            call.append(piece)

    def whole(self) -> tuple[ToolCall, ...]:
        """Return the calls as far as they came, known secrets masked; each has an id."""
        return tuple(
            ToolCall(
                _first(piece.id for piece in call) or f"call_{self._answer_id}_{number}",
                _first(piece.name for piece in call),
                known_secrets.wash(without_halves("".join(piece.arguments for piece in call))),
            )
            for number, call in enumerate(self._calls)
        )


def _first(words: Iterable[str]) -> str:
    return next(filter(None, words), "")
