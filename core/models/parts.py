"""Content parts: what one turn is made of, in its order; most turns are one text alone."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Literal


@dataclass(frozen=True, slots=True)
class TextPart:
    """Words of a person or a model."""

    text: str


@dataclass(frozen=True, slots=True)
class PicturePart:
    """A picture to look at: by its address, or by the hash under which the store has its bytes."""

    url: str = ""
    sha256: str = ""
    media_type: str = ""
    name: str = ""
    detail: str = ""  # how closely a model looks: low, high, auto; empty leaves it to the server
    left_out: str = ""  # what of the file is not in it, as `frames:23`


@dataclass(frozen=True, slots=True)
class FilePart:
    """A file: shown by its name, read by the model as the text that was found in it."""

    name: str
    text: str
    media_type: str = ""
    sha256: str = ""  # of the file itself, where the store has it
    left_out: str = ""  # what of the file is not in the text, as `pages:688,scans:12`


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A function that the model wants called; `arguments` is what it wrote, JSON or not."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a called function returned, for the model to read."""

    call_id: str
    content: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class LookupPart:
    """A look into the web for this turn: a search, or a page to be read, and what became of it.

    `asked` stays where the reply was lost: it may have been paid for, and only a person has it
    made again.
    """

    kind: str  # a LookupKind
    query: str  # the words searched for, or the page's address
    state: str = "wanted"  # a LookupState
    line_id: str = ""  # of its line in the ledger


@dataclass(frozen=True, slots=True)
class SourcePart:
    """A page of the web as data for this turn: found by a search, or read."""

    url: str
    title: str
    site: str
    text: str
    date: str = ""
    kind: str = "search"  # which look brought it: a LookupKind
    left_out: str = ""  # how many characters of a long page were


@dataclass(frozen=True, slots=True)
class ToolStep:
    """One call of a tool of the studio while an answer was made, and what came of it.

    The first call of a turn keeps what that turn thought and said: a provider wants it back.
    """

    id: str  # as the provider named the call
    name: str
    arguments: str  # as the model wrote them
    turn: str  # which of the answer's turns called it, from 1
    result: str = ""  # as the model was told it
    state: str = "running"  # a StepState
    thought: str = ""
    said: str = ""
    duration_ms: str = ""
    line_id: str = ""  # of its line in the ledger, where it has one
    amount: str = ""  # what it cost, a decimal; empty where it is free, or nobody knows
    currency: str = ""
    made_in: str = ""  # the message it was first made in, where it was copied into this one


@dataclass(frozen=True, slots=True)
class Blob:
    """Bytes that parts point to by their hash."""

    content: bytes
    media_type: str

    @property
    def sha256(self) -> str:
        """The hash under which they are kept."""
        return sha256(self.content).hexdigest()


Part = (
    TextPart | PicturePart | FilePart | ToolCall | ToolResult | LookupPart | SourcePart | ToolStep
)
# `proposed` waits for a person; `refused` was not run.
StepState = Literal["running", "done", "failed", "refused", "proposed", "stopped"]
LookupKind = Literal["search", "fetch"]
LookupState = Literal["wanted", "asked", "found", "empty", "refused"]


@dataclass(frozen=True, slots=True)
class ToolCallPiece:
    """What one streamed event adds to a tool call; empty strings add nothing."""

    index: int
    id: str = ""
    name: str = ""
    arguments: str = ""


def text_parts(text: str) -> tuple[Part, ...]:
    """Return the content that is this text alone."""
    return (TextPart(text),) if text else ()


def plain_text(parts: Iterable[Part]) -> str:
    """Return the words: what is shown as the text, searched, and counted as said."""
    return "\n".join(part.text for part in parts if isinstance(part, TextPart))


def with_text(parts: Iterable[Part], text: str) -> tuple[Part, ...]:
    """Return the same content in other words, which stand first."""
    return (*text_parts(text), *(part for part in parts if not isinstance(part, TextPart)))


def blob_hashes(parts: Iterable[Part]) -> frozenset[str]:
    """Return the hashes of the bytes that the store keeps for these parts."""
    kept = (part.sha256 for part in parts if isinstance(part, PicturePart | FilePart))
    return frozenset(filter(None, kept))


def lookup_in(parts: Iterable[Part]) -> LookupPart | None:
    """Return the look into the web that a turn asks for, or asked for."""
    return next((part for part in parts if isinstance(part, LookupPart)), None)


def sources_in(parts: Iterable[Part]) -> tuple[SourcePart, ...]:
    """Return the pages that a turn brings along, in the order in which they are cited."""
    return tuple(part for part in parts if isinstance(part, SourcePart))


def steps_in(parts: Iterable[Part]) -> tuple[ToolStep, ...]:
    """Return the calls of the studio's tools that were made for an answer, in their order."""
    return tuple(part for part in parts if isinstance(part, ToolStep))


def ended_step(step: ToolStep) -> ToolStep:
    """Return a step of an answer that has ended: what was under way is so no more."""
    return replace(step, state="stopped") if step.state == "running" else step
