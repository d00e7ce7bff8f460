"""Cursors of a growing answer: how far its readers have read, and what came since."""

from dataclasses import dataclass
from typing import NamedTuple

from core.work.chat.buffers.logprobs_buffer import Entry
from core.work.chat.buffers.tool_call_buffer import CallGrowth


class Cursor(NamedTuple):
    """How far a reader has read: characters of reasoning and text, and the version it saw."""

    reasoning: int = 0
    content: int = 0
    version: int = -1
    moved: int = 0  # up to where what came as text is known to have been thought
    calls: tuple[int, ...] = ()  # characters of the arguments of each tool call
    logprobs: int = 0


@dataclass(frozen=True, slots=True)
class Growth:
    """What came since a cursor, and whether anything more can come."""

    reasoning: str
    content: str
    cursor: Cursor
    is_final: bool
    is_rearranged: bool = False  # what was read as text was thought: who shows it begins anew


class Pieces(NamedTuple):
    """The same as Growth, with the pieces told apart."""

    reasoning: list[str]
    content: list[str]
    cursor: Cursor
    is_final: bool
    has_jumped: bool = False  # some of the text is passed over: it was thought
    calls: list[CallGrowth] = []  # noqa: RUF012 - never changed
    logprobs: list[Entry] = []  # noqa: RUF012 - never changed
