"""Tool steps as turns: what a provider is sent of the calls that were made for an answer.

A call, and what it returned, go back in the order in which they were made, each turn with what it
thought: left out while thinking, that is refused (deepseek.md section 7).
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import groupby

from core.models.chat import Message, Turn
from core.models.parts import (
    Part,
    SourcePart,
    TextPart,
    ToolCall,
    ToolResult,
    ToolStep,
    plain_text,
    sources_in,
    steps_in,
    text_parts,
    with_text,
)
from core.storage.chat.kept_steps import copied_step
from core.work.chat.buffers.answer_text import GAP

_NOTHING = "Not run: the answer was ended before."


def step_turns(steps: Iterable[ToolStep], *, with_reasoning: bool) -> list[Turn]:
    """Return the turns of an answer that called tools, and the results behind each."""
    turns: list[Turn] = []
    for _, group in groupby(steps, key=lambda step: step.turn):
        made = list(group)
        said = "".join(step.said for step in made)
        thought = "".join(step.thought for step in made)
        calls = (ToolCall(step.id, step.name, step.arguments) for step in made)
        reasoning = thought if with_reasoning else None
        turns.append(Turn("assistant", (*text_parts(said), *calls), reasoning))
        results = (ToolResult(step.id, step.result or _NOTHING) for step in made)
        turns.append(Turn("tool", tuple(results)))
    return turns


def without_steps(parts: Sequence[Part]) -> tuple[Part, ...]:
    """Return an answer's parts without the calls that were made for it, and what those found."""
    return tuple(part for part in parts if not isinstance(part, ToolStep | SourcePart))


def answer_turns(
    parts: Sequence[Part], reasoning: str, *, with_steps: bool, with_reasoning: bool
) -> list[Turn]:
    """Return an answer as it goes along with later questions.

    Where tools are offered, with the calls that were made for it; without them, its text alone.
    """
    steps, said = steps_in(parts), without_steps(parts)
    if not (steps and with_steps):
        return [Turn("assistant", said, reasoning)]
    turns = step_turns(steps, with_reasoning=with_reasoning)
    rest, thought = _last_turn(steps, plain_text(said), reasoning)
    return [*turns, Turn("assistant", with_text(said, rest), thought)]


def begun_turns(message: Message, *, with_steps: bool, with_reasoning: bool) -> list[Turn]:
    """Return the beginning of a continued answer: the calls that were made for it, and its text.

    DeepSeek goes on behind a prefix turn. Where the last turn had said nothing yet there is none,
    and what the tools returned is answered.
    """
    steps = steps_in(message.parts) if with_steps else ()
    rest, thought = _last_turn(steps, message.content, message.reasoning_content)
    turns = step_turns(steps, with_reasoning=with_reasoning)
    if rest.strip():
        turns.append(Turn.of_text("assistant", rest, thought or None, True))
    return turns


def begins_with(cut: Message) -> Message:
    """Return a cut answer as the one that continues it begins: calls, sources, and its text.

    What comes stands apart from what was said before the calls, as it does between turns.
    """
    steps = tuple(copied_step(step, cut.id) for step in steps_in(cut.parts))
    content, reasoning = cut.content, cut.reasoning_content
    rest, _ = _last_turn(steps, content, reasoning)
    if steps and not rest.strip():
        content, reasoning = _with_gap(content), _with_gap(reasoning)
    parts: tuple[Part, ...] = ()
    if steps:
        parts = (*text_parts(content), *steps, *sources_in(cut.parts))
    return replace(cut, content=content, reasoning_content=reasoning, parts=parts)


def counted(turns: Iterable[Turn], *, with_steps: bool) -> list[Turn]:
    """Return turns as they are counted before they are sent."""
    found: list[Turn] = []
    for turn in turns:
        if turn.role == "assistant" and (steps_in(turn.content) or sources_in(turn.content)):
            found += answer_turns(turn.content, "", with_steps=with_steps, with_reasoning=True)
        else:
            found.append(turn)
    return found


def person_words(turns: Iterable[Turn]) -> tuple[str, ...]:
    """Return what the person wrote: not what files, pages or a model say."""
    return tuple(
        part.text
        for turn in turns
        if turn.role == "user"
        for part in turn.content
        if isinstance(part, TextPart)
    )


def asked_last(turns: Sequence[Turn]) -> tuple[Turn, ...]:
    """Return the question that is being asked, without what was said before it."""
    last = next((turn for turn in reversed(turns) if turn.role == "user"), None)
    return () if last is None else (last,)


def found_sources(turns: Iterable[Turn]) -> tuple[SourcePart, ...]:
    """Return the pages that looks into the web brought to a conversation."""
    return tuple(source for turn in turns for source in sources_in(turn.content))


def _last_turn(steps: Iterable[ToolStep], said: str, thought: str) -> tuple[str, str]:
    """Return what was said and thought after the last results: the rest is told by the steps."""
    for step in steps:
        said = _behind(said, step.said)
        thought = _behind(thought, step.thought)
    return said, thought


def _with_gap(text: str) -> str:
    if not text.strip():
        return ""
    return text if text.endswith(GAP) else text + GAP


def _behind(text: str, beginning: str) -> str:
    """Return what follows the beginning of a text; all of it where it begins otherwise."""
    if not beginning.strip() or not text.startswith(beginning):
        return text
    return text[len(beginning) :].removeprefix(GAP)
