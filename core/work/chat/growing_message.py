"""The message of an answer while it grows: its text, its calls, its figures, and what it lacks."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from core.errors import AppError
from core.models.chat import AnswerPart, AnswerStatus, Message, Usage
from core.models.deltas import Delta, Extras
from core.models.notices import granted_facts, moved_facts, tools_facts, unread_events, unread_facts
from core.models.parts import Part, ToolCall, ended_step, sources_in, steps_in, text_parts
from core.work.chat.buffers.answer_text import AnswerText
from core.work.chat.buffers.cursors import Cursor, Pieces
from core.work.chat.buffers.tool_call_buffer import CallGrowth
from core.work.chat.buffers.turn_figures import TurnFigures


class GrowingMessage:
    """What has come of an answer so far. Not thread-safe: `LiveAnswer` keeps its readers apart."""

    def __init__(
        self,
        begun: Message,
        clock: Callable[[], float],
        *,
        has_tools: bool,
        has_studio_tools: bool,
    ) -> None:
        self.begun = begun
        self.status = begun.status
        self._text = AnswerText(begun.id, begun.content, begun.reasoning_content)
        self.has_studio_tools = has_studio_tools
        self.steps = steps_in(begun.parts)  # a continued answer begins with some
        self.found = sources_in(begun.parts)  # by them, on the web
        self._changes: dict[str, Any] = {}  # of the message since it began, but for its texts
        self._clock = clock
        self._started = clock()
        self._turns = TurnFigures()
        self._reasoning_from: float | None = None
        self._is_answering = False  # text of the answer has come, and its moment is noted
        self._unread = unread_events(begun.error_facts)  # of what it begins with too
        self._tools = tools_facts(has_tools=has_tools)
        self._granted: int | None = None  # so many tokens its budget pays for
        if has_tools:
            self._note_facts()

    # -- what comes --------------------------------------------------------------------------------

    def add(self, deltas: Iterable[Delta]) -> None:
        """Append what came."""
        for part, texts, extras in deltas:
            if texts:
                self._extend(part, texts)
            if extras is not None:
                self._note(extras)

    def _extend(self, part: AnswerPart, texts: list[str]) -> None:
        has_moved = self._text.extend(part, texts)
        if not self._is_answering:
            self._note_beginnings()
        if has_moved:  # rarely
            self._note_move()

    def _note_beginnings(self) -> None:
        # Also of what is held back: it was paid for.
        if "first_token_s" not in self._changes:
            self._changes["first_token_s"] = self._clock() - self._started
        if self._text.has_reasoned and self._reasoning_from is None:
            self._reasoning_from = self._clock()
        if self._text.has_answered:
            self._is_answering = True
            if self._reasoning_from is not None and "reasoning_s" not in self._changes:
                self._changes["reasoning_s"] = self._clock() - self._reasoning_from

    def _note_move(self) -> None:
        if self._reasoning_from is None:
            self._reasoning_from = self._started + self._changes["first_token_s"]
            self._changes["reasoning_s"] = self._clock() - self._reasoning_from
        self._note_facts()

    def _note_facts(self) -> None:
        self._changes["error_facts"] = self._facts()

    def _facts(self) -> dict[str, object]:
        moved = self._text.moved
        facts = moved_facts(moved and (moved.start, moved.end)) | unread_facts(self._unread)
        return facts | granted_facts(self._granted) | self._tools

    def _note(self, extras: Extras) -> None:
        changes = self._changes
        if extras.at_once:
            self._reasoning_from = None
            changes.pop("reasoning_s", None)
        if extras.tool_calls:
            self._text.extend_calls(extras.tool_calls)
            self._note_beginnings()
        if extras.logprobs:
            self._text.logprobs.extend(extras.logprobs)
        if extras.unread:
            self._unread += extras.unread
            self._note_facts()
        if extras.finish_reason is not None:
            changes["finish_reason"] = extras.finish_reason
        if extras.usage is not None:
            changes["usage"] = self._turns.with_usage(extras.usage)
        if extras.model is not None:
            changes["model"] = extras.model

    def finish(self, status: AnswerStatus, error: AppError | None) -> None:
        """Set the final status: nothing is added any more."""
        if self._text.end():
            self._note_move()
        self.status = status
        changes, now = self._changes, self._clock()
        changes |= {"status": status, "duration_s": now - self._started}
        if self._reasoning_from is not None and "reasoning_s" not in changes:
            changes["reasoning_s"] = now - self._reasoning_from
        if self._turns.number > 1:
            self._turns.sum_up(changes)
        self.steps = tuple(map(ended_step, self.steps))
        if error is not None:
            changes |= {
                "error_text_id": error.text_id,
                "error_facts": dict(error.facts) | self._facts(),
                "error_detail": error.detail,
            }

    def note_granted(self, tokens: int) -> None:
        """Note that it is kept to so many tokens, which is what the budget pays for."""
        self._granted = tokens
        self._note_facts()

    def restart_clock(self) -> None:
        """Count times from now, and nothing that an attempt lacked which brought nothing."""
        if self._turns.number == 1:
            self._started = self._clock()
        if self._unread != (unread := unread_events(self.begun.error_facts)):
            self._unread = unread
            self._note_facts()

    def end_turn(self) -> None:
        """Release what was held back of a turn that asks for tools."""
        if self._text.end():
            self._note_move()

    def next_turn(self) -> None:
        """Begin another turn of the same answer: what the provider sends now is counted anew."""
        now = self._clock()
        if self._reasoning_from is not None:
            self._changes.setdefault("reasoning_s", now - self._reasoning_from)
        self._turns.next(self._changes)
        self._reasoning_from, self._is_answering = None, False
        self._text.next_turn()

    def leave_calls(self) -> bool:
        """End though the last turn asks for tools that it was not to call; tell whether it did."""
        is_asking = self._changes.get("finish_reason") == "tool_calls"
        if is_asking and self._text.calls.asked():
            self._changes["finish_reason"] = "stop"
            return True
        return False

    # -- what there is -----------------------------------------------------------------------------

    @property
    def asks_for_tools(self) -> bool:
        """Whether the turn that has ended asks for tools of the studio."""
        is_asked = self._changes.get("finish_reason") == "tool_calls"
        return self.has_studio_tools and is_asked and bool(self._text.calls.asked())

    @property
    def has_grown(self) -> bool:
        """Whether anything of the answer has come since the job began."""
        return "first_token_s" in self._changes

    @property
    def length(self) -> int:
        """How many characters of the answer are there."""
        return self._text.content.length

    @property
    def reasoning_s(self) -> float | None:
        """How long it has been thinking, or how long it thought; None when it did not."""
        if self._reasoning_from is None:
            return None
        known: float | None = self._changes.get("reasoning_s")
        return self._clock() - self._reasoning_from if known is None else known

    @property
    def usage(self) -> Usage | None:
        """The tokens it took, once they are told."""
        usage: Usage | None = self._changes.get("usage")
        return usage

    def turn(self) -> Message:
        """Return the turn that is under way, or has just ended, as a message of its own.

        Its parts are the calls that it asks for.
        """
        said, thought, calls = self._text.turn()
        return replace(
            self.begun,
            content=said,
            reasoning_content=thought,
            parts=calls,
            status=AnswerStatus.COMPLETE if calls else self.status,
            finish_reason=self._changes.get("finish_reason"),
            usage=self._turns.usage,
            model=self._changes.get("model", self.begun.model),
        )

    def outline(self) -> Message:
        """Return the message as it stands, without the text that came: its calls are its parts."""
        return replace(self.begun, **self._changes, parts=self._parts(self._text.calls.whole()))

    def snapshot(self) -> Message:
        """Return the message as it stands, with all text so far: a copy of it."""
        content, reasoning, calls = self._text.whole()
        parts = self._parts(calls)
        return replace(
            self.begun,
            **self._changes,
            content=content,
            reasoning_content=reasoning,
            parts=(*text_parts(content), *parts) if parts else (),
        )

    def _parts(self, calls: tuple[ToolCall, ...]) -> tuple[Part, ...]:
        """Return what there is beside the text: calls that are the studio's to make are steps."""
        own = self._text.calls.asked() if self.has_studio_tools else ()
        return (*self.steps, *self.found, *(call for call in calls if call not in own))

    def pieces(self, cursor: Cursor, version: int) -> Pieces:
        """Return what came after `cursor`, in the pieces in which it came."""
        text, moved = self._text, self._text.moved
        reasoning = text.reasoning.since(cursor.reasoning)
        content = text.content.since(cursor.content)
        has_jumped = moved is not None and moved.lies_before(cursor.content, content)
        if moved is not None and has_jumped:
            thought, content = moved.told_apart("".join(content), cursor.content)
            reasoning = [*reasoning, *thought]
        end = 0 if moved is None else moved.end
        is_final = self.status.is_final
        calls: list[CallGrowth] = []
        read = cursor.calls
        if not self.has_studio_tools:  # those are nobody else's to make
            calls, read = text.calls.since(cursor.calls, is_final=is_final)
        logprobs = text.logprobs.since(cursor.logprobs)
        at = Cursor(
            text.reasoning.length,
            text.content.length,
            version,
            end,
            read,
            cursor.logprobs + len(logprobs),
        )
        return Pieces(reasoning, content, at, is_final, has_jumped, calls, logprobs)

    def is_rearranged(self, cursor: Cursor) -> bool:
        """Tell whether some of what a reader at `cursor` has as the answer was thought."""
        moved = self._text.moved
        return moved is not None and cursor.moved < moved.end and cursor.content > moved.start
