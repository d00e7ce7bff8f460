"""A tool: its definition for a model, and what running it gives.

Definitions never change and are sorted by name: they stand at the beginning of every request, which
a provider's cache knows.
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from core.models.money.ledger import LedgerLine
from core.models.parts import LookupPart, SourcePart, StepState
from core.work.web.looks import Outcome

Json = Mapping[str, Any]


class NotRunError(Exception):
    """A call that is not run; its words are for the model to read."""


@dataclass(frozen=True, slots=True)
class ToolOutcome:
    """What a call gave: the words for the model, and what the studio keeps beside them."""

    text: str
    state: StepState = "done"
    sources: tuple[SourcePart, ...] = ()
    line: LedgerLine | None = None  # where it cost something


# Makes a look into the web for an answer; returns what became of it, and its line in the ledger.
MakeLook = Callable[[LookupPart], Awaitable[tuple[Outcome, LedgerLine | None]]]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What tools know of the answer that they are called for."""

    look: MakeLook
    words: tuple[str, ...] = ()  # of the person, all of the conversation's
    addresses: frozenset[str] = frozenset()  # that the person wrote, or a search found before
    has_strange: bool = False  # whether the model reads what is not the person's: files, pages
    sources: Callable[[], int] = int  # how many pages there are: numbers go on behind them
    zone: str = ""  # the person's, where it is known


@dataclass(frozen=True, slots=True)
class Tool:
    """A function that a model may call, with a strict schema (deepseek.md section 3)."""

    name: str
    description: str
    properties: Json
    run: Callable[[Any], Awaitable[ToolOutcome]]
    arguments: type[msgspec.Struct]

    @property
    def definition(self) -> dict[str, Any]:
        """The tool as a request offers it."""
        schema = {
            "type": "object",
            "properties": self.properties,
            "required": list(self.properties),
            "additionalProperties": False,
        }
        function = {
            "name": self.name,
            "description": self.description,
            "parameters": schema,
            "strict": True,
        }
        return {"type": "function", "function": function}

    async def call(self, arguments: str) -> ToolOutcome:
        """Run it with what a model wrote; arguments that do not fit are told, and nothing is run.

        A model may write what is no JSON, or fields of its own (deepseek.md section 3).
        """
        try:
            given = msgspec.json.decode(arguments or "{}", type=self.arguments)
        except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
            return ToolOutcome(f"Not run: the arguments are wrong. {error}", "failed")
        try:
            return await self.run(given)
        except NotRunError as error:
            return ToolOutcome(str(error), "refused")


def same_call(name: str, arguments: str) -> str:
    """Return what is alike of two calls that ask for the same."""
    try:
        arguments = json.dumps(json.loads(arguments or "{}"), sort_keys=True)
    except (ValueError, RecursionError):
        arguments = " ".join(arguments.split())
    return f"{name} {arguments}"
