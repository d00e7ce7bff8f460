"""Figures of an answer's turns: tools of the studio are called between them, and each is billed."""

from dataclasses import fields
from typing import Any

from core.models.chat import Usage


class TurnFigures:
    """What was told of this turn, and what the turns before it come to. Not thread-safe."""

    __slots__ = ("_before", "_first_token_s", "_thought_s", "number", "usage")

    def __init__(self) -> None:
        self.number = 1
        self.usage: Usage | None = None  # of this turn
        self._before: Usage | None = None
        self._thought_s = 0.0
        self._first_token_s: float | None = None  # of the first turn in which anything came

    def with_usage(self, usage: Usage) -> Usage:
        """Note what this turn took; return what all of them took."""
        self.usage = usage
        return usage if self._before is None else _sum(self._before, usage)

    def next(self, changes: dict[str, Any]) -> None:
        """Begin another turn: what the answer's changes hold of this one is put by."""
        self.number += 1
        self._before, self.usage = changes.get("usage"), None
        self._thought_s += changes.pop("reasoning_s", 0.0)
        came_s = changes.pop("first_token_s", None)
        if self._first_token_s is None:
            self._first_token_s = came_s
        changes.pop("finish_reason", None)

    def sum_up(self, changes: dict[str, Any]) -> None:
        """Put back into the answer's changes what was put by."""
        if self._first_token_s is not None:
            changes["first_token_s"] = self._first_token_s
        if self._thought_s:
            changes["reasoning_s"] = self._thought_s + changes.get("reasoning_s", 0.0)


def _sum(one: Usage, other: Usage) -> Usage:
    """Return both together; what only one of them tells is that one's."""
    summed: dict[str, int | None] = {}
    for name in (field.name for field in fields(Usage)):
        told = [count for count in (getattr(one, name), getattr(other, name)) if count is not None]
        summed[name] = sum(told) if told else None
    return Usage(**summed)
