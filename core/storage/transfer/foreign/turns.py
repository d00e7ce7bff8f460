"""Turns of a tree of nodes: what ChatGPT and DeepSeek write in many nodes is one answer here.

An answer there is a run of nodes: thoughts, a tool's call, what it returned, then words. All up to
the next question, or to where the tree branches, becomes one message; tools go to the reasoning.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from core.models.chat import AnswerStatus, Role
from core.storage.transfer.foreign import values
from core.storage.transfer.foreign.model import EntryRefusedError, ForeignMessage

_CARRIED_MOST = 32  # pieces that are told again in each branch below them


@dataclass(slots=True)
class NodePiece:
    """What one node adds to its turn."""

    role: Role
    content: str = ""
    reasoning: str = ""
    at: datetime | None = None
    model: str | None = None
    status: AnswerStatus = AnswerStatus.COMPLETE
    reasoning_s: float | None = None


@dataclass(slots=True)
class _Run:
    """An answer that is being put together on the way down."""

    parent: str | None  # of the answer
    pieces: list[tuple[str, NodePiece]] = field(default_factory=list)

    def message_id(self) -> str:
        """Return what the answer is called: its first words' node, else its last."""
        spoken = (node_id for node_id, piece in self.pieces if piece.content.strip())
        return next(spoken, self.pieces[-1][0])

    def place(self) -> str | None:
        """Return what comes next is under."""
        return self.message_id() if self.pieces else self.parent


def turns_of(
    nodes: Mapping[str, Any], piece_of: Callable[[Mapping[str, Any]], NodePiece | None]
) -> tuple[list[ForeignMessage], dict[str, str]]:
    """Return the messages, and for each node the message in which it, or what it is under, stands.

    `piece_of` returns None for a node that stays out.
    """
    children = _children_of(nodes)
    said: list[ForeignMessage] = []
    places: dict[str, str] = {}
    seen = 0
    waiting = [(node_id, _Run(None)) for node_id in reversed(children.get(None, []))]
    while waiting:
        node_id, run = waiting.pop()
        seen += 1
        piece = piece_of(values.mapping(nodes[node_id]))
        if piece is not None and piece.role != "assistant":
            _end(run, said)
            said.append(_message(node_id, run.place(), [piece]))
            run = _Run(node_id)
        elif piece is not None:
            run.pieces.append((node_id, piece))
        below = children.get(node_id, [])
        if len(below) != 1 and _ends_here(run, below):
            _end(run, said)
            run = _Run(run.place())
        places[node_id] = run.place() or ""
        waiting += ((child, _Run(run.parent, list(run.pieces))) for child in reversed(below[1:]))
        waiting += ((child, run) for child in below[:1])
    if seen < len(nodes):
        raise EntryRefusedError("its messages follow each other in a circle")
    return said, places


def _ends_here(run: _Run, below: list[str]) -> bool:
    """Tell whether a run ends where the tree does, or branches: thoughts belong to each branch."""
    spoken = any(piece.content.strip() for _, piece in run.pieces)
    return not below or spoken or len(run.pieces) > _CARRIED_MOST


def _children_of(nodes: Mapping[str, Any]) -> dict[str | None, list[str]]:
    """Return the order of children: as their parent lists them, else as they stand."""
    children: dict[str | None, list[str]] = {}
    for node_id, node in nodes.items():
        parent = values.identifier(values.mapping(node).get("parent"))
        children.setdefault(parent if parent in nodes else None, []).append(node_id)
    for parent_id, below in children.items():
        if parent_id is not None and len(below) > 1:
            listed = values.entries(values.mapping(nodes[parent_id]).get("children"))
            places = {values.identifier(child): at for at, child in enumerate(listed)}
            below.sort(key=lambda child: places.get(child, len(places)))
    return children


def _end(run: _Run, said: list[ForeignMessage]) -> None:
    if run.pieces:
        said.append(_message(run.message_id(), run.parent, [piece for _, piece in run.pieces]))


def _message(node_id: str, parent: str | None, pieces: list[NodePiece]) -> ForeignMessage:
    content = values.joined([piece.content for piece in pieces])
    last = next((piece for piece in reversed(pieces) if piece.content), pieces[-1])
    return ForeignMessage(
        id=node_id,
        parent=parent,
        role=pieces[0].role,
        content=content,
        reasoning=values.joined([piece.reasoning for piece in pieces]),
        at=next((piece.at for piece in pieces if piece.at is not None), None),
        model=next((piece.model for piece in reversed(pieces) if piece.model), None),
        # Thoughts alone: the answer never came.
        status=last.status if content else AnswerStatus.INTERRUPTED,
        reasoning_s=next((one.reasoning_s for one in pieces if one.reasoning_s), None),
    )
