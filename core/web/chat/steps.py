"""Steps over HTTP: which of the studio's tools were called for an answer, and what came of it."""

from collections.abc import Iterable, Sequence

import msgspec

from core.models.parts import ToolStep
from core.wire.sse import encode_event

_encode = msgspec.json.Encoder().encode


class StepReply(msgspec.Struct):
    """A call of a tool of the studio, and what came of it."""

    id: str
    turn: int | None
    name: str
    arguments: str
    state: str
    result: str
    duration_ms: int | None
    amount: str | None
    currency: str | None


def step_replies(steps: Iterable[ToolStep]) -> list[StepReply]:
    """Return the calls of the studio's tools that were made for an answer, in their order."""
    return [
        StepReply(
            step.id,
            int(step.turn) if step.turn.isdecimal() else None,
            step.name,
            step.arguments,
            step.state,
            step.result,
            int(step.duration_ms) if step.duration_ms.isdecimal() else None,
            step.amount or (None if step.line_id else "0"),
            step.currency or None,
        )
        for step in steps
    ]


class StepEvents:
    """Tells one reader of an answer's steps: of each as it begins, and as it ends."""

    def __init__(self) -> None:
        self._told: tuple[ToolStep, ...] = ()

    def news(self, steps: Sequence[ToolStep], event_id: str) -> bytes:
        """Return an event for each step that has changed since the last time."""
        steps = tuple(steps)
        if steps == self._told:
            return b""
        told, self._told = self._told, steps
        changed = [step for place, step in enumerate(steps) if told[place : place + 1] != (step,)]
        return b"".join(
            encode_event(_encode({"step": one}).decode(), event="step", id=event_id)
            for one in step_replies(changed)
        )
