"""Deltas of a chat answer: what a stream adds to it, and the completion that they come to."""

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any, NamedTuple, Self, TypeVar

from core.models.chat import AnswerPart, Usage
from core.models.parts import ToolCallPiece

Value = TypeVar("Value")


class Extras(NamedTuple):
    """What is told beside the text, mostly at the end of it; None where nothing is."""

    finish_reason: str | None = None
    usage: Usage | None = None
    model: str | None = None
    request_id: str | None = None
    tool_calls: tuple[ToolCallPiece, ...] = ()
    unread: int = 0  # events, or parts of one, in which something stood that could not be read
    logprobs: dict[str, list[Any]] | None = None  # by part, as the provider wrote them
    at_once: bool = False  # thinking and answer came as one: nobody knows how long it thought


class Delta(NamedTuple):
    """What a streamed event adds, or several that follow each other: pieces of one part's text.

    None of them is empty. Extras are rare, and come with the content, also where that is none.
    A named tuple, as ServerSentEvent is: tens of thousands are made a second.
    """

    part: AnswerPart
    texts: list[str]
    extras: Extras | None = None


class Completion(NamedTuple):
    """A whole answer, or all that one object of it adds."""

    content: str = ""
    reasoning_content: str = ""
    extras: Extras = Extras()

    @classmethod
    def of(cls, deltas: Iterable[Delta]) -> Self:
        """Return what deltas add together."""
        texts: dict[AnswerPart, list[str]] = {"content": [], "reasoning_content": []}
        told = []
        for part, pieces, extras in deltas:
            texts[part] += pieces
            if extras is not None:
                told.append(extras)
        return cls("".join(texts["content"]), "".join(texts["reasoning_content"]), _together(told))

    def deltas(self) -> list[Delta]:
        """Return the same as deltas: what was thought, then what is said."""
        content, thought, extras = self
        if content and thought:
            extras = extras._replace(at_once=True)
        said = Delta("content", [content] if content else [], extras)
        return [Delta("reasoning_content", [thought]), said] if thought else [said]


def _together(told: Sequence[Extras]) -> Extras:
    return Extras(
        _last(one.finish_reason for one in told),
        _last(one.usage for one in told),
        _last(one.model for one in told),
        _last(one.request_id for one in told),
        tuple(chain.from_iterable(one.tool_calls for one in told)),
        sum(one.unread for one in told),
        _all_logprobs(told),
    )


def _last(values: Iterable[Value | None]) -> Value | None:
    found: Value | None = None
    for value in values:
        found = value or found
    return found


def _all_logprobs(told: Sequence[Extras]) -> dict[str, list[Any]] | None:
    found: dict[str, list[Any]] = {}
    for one in told:
        for part, entries in (one.logprobs or {}).items():
            found.setdefault(part, []).extend(entries)
    return found or None
