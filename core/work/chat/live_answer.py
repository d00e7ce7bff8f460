"""An answer while it grows in memory: one job adds to it, any number of readers watch it."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from core.errors import AppError
from core.models.chat import AnswerPart, AnswerStatus, ChatChunk, Message, TextRun, Usage
from core.models.money.ledger import Settlement
from core.models.notices import granted_facts, moved_facts, tools_facts, unread_events, unread_facts
from core.models.parts import (
    Part,
    SourcePart,
    ToolCall,
    ToolStep,
    ended_step,
    sources_in,
    steps_in,
    text_parts,
)
from core.work.chat.buffers.answer_text import AnswerText
from core.work.chat.buffers.cursors import Cursor, Growth, Pieces
from core.work.chat.buffers.tool_call_buffer import CallGrowth
from core.work.chat.buffers.turn_figures import TurnFigures


class LiveAnswer:
    """The growing text of one running answer. Thread-safe; readers never slow the job."""

    def __init__(
        self,
        message: Message,
        owner: str,
        *,
        has_row: bool = True,
        has_tools: bool = False,
        has_studio_tools: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.message_id = message.id
        self.owner = owner
        self.conversation_id = message.conversation_id
        self._begun = message
        self._status = message.status
        self._changes: dict[str, Any] = {}  # of the message since it began, but for its texts
        self._clock = clock
        self._started = clock()
        self._text = AnswerText(message.id, message.content, message.reasoning_content)
        self._reasoning_from: float | None = None
        self._is_answering = False  # text of the answer has come, and its moment is noted
        self._unread = unread_events(message.error_facts)  # of what it begins with too
        self._tools = tools_facts(has_tools=has_tools)
        self._granted: int | None = None  # so many tokens its budget pays for
        if has_tools:
            self._note_facts()
        self.has_row = has_row  # whether it is written down: a posted chat is so a little later
        self.is_asked = False  # whether its request may have been sent
        self.is_accepted = False  # whether the provider has begun to answer it
        self._asks_again_at: float | None = None
        self.looking: str | None = None  # which look into the web is under way
        self.sources: tuple[SourcePart, ...] = ()  # what the question brings along from there
        # What a tool of the studio was called for, and did: only of answers that may call them.
        self.has_studio_tools = has_studio_tools
        self.steps = steps_in(message.parts)  # a continued answer begins with some
        self.found = sources_in(message.parts)  # by them, on the web
        self._turns = TurnFigures()
        self._version = 0
        self.error: AppError | None = None  # why it failed or was cut off, once it is final
        self.saved = threading.Event()  # set once the store holds the final state
        self.cost: Settlement | None = None  # once it is settled
        self._after_saving: list[Callable[[], None]] = []
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._waiting = 0  # readers in `wait`: the others are not worth a notification
        self._listeners: set[Callable[[], None]] = set()

    # -- the job's side ----------------------------------------------------------------------------

    def add(self, *chunks: ChatChunk | TextRun) -> None:
        """Append what streamed events brought."""
        with self._lock:
            for one in chunks:
                if isinstance(one, TextRun):
                    self._extend(one.part, one.pieces)
                else:
                    self._note(one)
            self._tell()

    def _extend(self, part: AnswerPart, pieces: list[str]) -> None:
        has_moved = self._text.extend(part, pieces)
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

    def _note(self, chunk: ChatChunk) -> None:
        if chunk.reasoning_content:
            self._extend("reasoning_content", [chunk.reasoning_content])
        if chunk.content:
            self._extend("content", [chunk.content])
        if chunk.reasoning_content and chunk.content:
            # Whole, in one piece: nobody knows how long it thought.
            self._reasoning_from = None
            self._changes.pop("reasoning_s", None)
        if chunk.tool_calls:
            self._text.extend_calls(chunk.tool_calls)
            self._note_beginnings()
        if chunk.logprobs:
            self._text.logprobs.extend(chunk.logprobs)
        if chunk.unread:
            self._unread += chunk.unread
            self._note_facts()
        changes = self._changes
        if chunk.finish_reason is not None:
            changes["finish_reason"] = chunk.finish_reason
        if chunk.usage is not None:
            changes["usage"] = self._turns.with_usage(chunk.usage)
        if chunk.model is not None:
            changes["model"] = chunk.model

    def finish(self, status: AnswerStatus, error: AppError | None = None) -> None:
        """Set the final status: nothing is added any more."""
        with self._lock:
            self.error = error
            if self._text.end():
                self._note_move()
            self._status = status
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
            self._tell()

    def note_saved(self) -> None:
        """Note that the store holds the final state, and tell who waited for that."""
        with self._lock:
            self.saved.set()
            waiting, self._after_saving = self._after_saving, []
        for callback in waiting:
            callback()

    def after_saving(self, callback: Callable[[], None]) -> None:
        """Call `callback` (quick, from whatever thread) once the final state is saved, or now."""
        with self._lock:
            if not self.saved.is_set():
                self._after_saving.append(callback)
                return
        callback()

    def note_granted(self, tokens: int) -> None:
        """Note that it is kept to so many tokens, which is what the budget pays for."""
        with self._lock:
            self._granted = tokens
            self._note_facts()

    def restart_clock(self) -> None:
        """Count times from now: called when the request is sent."""
        with self._lock:
            if not self.is_asked:
                self.is_asked = True
                self._tell()
            if self._turns.number == 1:
                self._started = self._clock()
            if self._unread != (unread := unread_events(self._begun.error_facts)):
                self._unread = unread  # what an attempt lacked that brought nothing
                self._note_facts()
            if self._asks_again_at is not None:
                self._asks_again_at = None
                self._tell()

    def note_look(self, kind: str | None, sources: tuple[SourcePart, ...] = ()) -> None:
        """Tell the readers that the web is looked into, or what that brought."""
        with self._lock:
            self.looking, self.sources = kind, sources
            self._tell()

    def note_steps(self, steps: tuple[ToolStep, ...], found: tuple[SourcePart, ...] = ()) -> None:
        """Tell the readers which tools are called, what came of them, and what the last found."""
        with self._lock:
            self.steps = steps
            self.found, self.sources = (*self.found, *found), (*self.sources, *found)
            self._tell()

    def end_turn(self) -> None:
        """Release what was held back of a turn that asks for tools; what follows is another one."""
        with self._lock:
            if self._text.end():
                self._note_move()
            self._tell()

    def next_turn(self) -> None:
        """Begin another turn of the same answer: what the provider sends now is counted anew."""
        with self._lock:
            now = self._clock()
            if self._reasoning_from is not None:
                self._changes.setdefault("reasoning_s", now - self._reasoning_from)
            self._turns.next(self._changes)
            self._reasoning_from, self._is_answering = None, False
            self._text.next_turn()
            self._tell()

    def leave_calls(self) -> None:
        """Let the answer end here, though its last turn asks for tools that it was not to call."""
        with self._lock:
            if self._changes.get("finish_reason") == "tool_calls" and self._text.calls.asked():
                self._changes["finish_reason"] = "stop"
                self._tell()

    def turn(self) -> Message:
        """Return the turn that is under way, or has just ended, as a message of its own.

        Its parts are the calls that it asks for.
        """
        with self._lock:
            said, thought, calls = self._text.turn()
            return replace(
                self._begun,
                content=said,
                reasoning_content=thought,
                parts=calls,
                status=AnswerStatus.COMPLETE if calls else self._status,
                finish_reason=self._changes.get("finish_reason"),
                usage=self._turns.usage,
                model=self._changes.get("model", self._begun.model),
            )

    def accept(self) -> None:
        """Note that the provider has taken the request: it may fail yet, but was not refused."""
        with self._lock:
            self.is_accepted = True
            self._tell()

    def rest(self, seconds: float) -> None:
        """Tell the readers that it is asked again after so long, as the provider requests."""
        with self._lock:
            self._asks_again_at = self._clock() + seconds
            self._tell()

    # -- the readers' side -------------------------------------------------------------------------

    @property
    def is_final(self) -> bool:
        """Whether nothing more comes."""
        with self._lock:
            return self._status.is_final

    @property
    def asks_for_tools(self) -> bool:
        """Whether the turn that has ended asks for tools of the studio."""
        with self._lock:
            is_asked = self._changes.get("finish_reason") == "tool_calls"
            return self.has_studio_tools and is_asked and bool(self._text.calls.asked())

    @property
    def begun(self) -> Message:
        """The answer as it began: with the text, the calls and the sources of one it continues."""
        return self._begun

    @property
    def begun_with(self) -> str:
        """The text that a continued answer started with; empty for all others."""
        return self._begun.content

    @property
    def start(self) -> Cursor:
        """Where a continued answer goes on; the beginning of all others."""
        return Cursor(len(self._begun.reasoning_content), len(self._begun.content))

    @property
    def rest_left_s(self) -> float | None:
        """How long it is before it is asked again; None when it does not wait for that."""
        with self._lock:
            at = self._asks_again_at
            return None if at is None else max(0.0, at - self._clock())

    @property
    def has_grown(self) -> bool:
        """Whether anything of the answer has come since the job began."""
        with self._lock:
            return "first_token_s" in self._changes

    @property
    def length(self) -> int:
        """How many characters of the answer are there."""
        with self._lock:
            return self._text.content.length

    @property
    def version(self) -> int:
        """How often it has changed."""
        with self._lock:
            return self._version

    @property
    def reasoning_s(self) -> float | None:
        """How long it has been thinking, or how long it thought; None when it did not."""
        with self._lock:
            if self._reasoning_from is None:
                return None
            known: float | None = self._changes.get("reasoning_s")
            return self._clock() - self._reasoning_from if known is None else known

    @property
    def usage(self) -> Usage | None:
        """The tokens it took, once they are told."""
        with self._lock:
            usage: Usage | None = self._changes.get("usage")
            return usage

    def outline(self) -> Message:
        """Return the message as it stands, without the text that came: its calls are its parts."""
        with self._lock:
            parts = self._parts(self._text.calls.whole())
            return replace(self._begun, **self._changes, parts=parts)

    def _parts(self, calls: tuple[ToolCall, ...]) -> tuple[Part, ...]:
        """Return what there is beside the text: calls that are the studio's to make are steps."""
        own = self._text.calls.asked() if self.has_studio_tools else ()
        return (*self.steps, *self.found, *(call for call in calls if call not in own))

    def snapshot(self) -> Message:
        """Return the message as it stands, with all text so far: a copy of it."""
        with self._lock:
            content, reasoning, calls = self._text.whole()
            parts = self._parts(calls)
            return replace(
                self._begun,
                **self._changes,
                content=content,
                reasoning_content=reasoning,
                parts=(*text_parts(content), *parts) if parts else (),
            )

    def read(self, cursor: Cursor) -> Growth:
        """Return at once what came after `cursor`, as the answer stands now."""
        with self._lock:
            return self._growth(cursor)

    def _growth(self, cursor: Cursor) -> Growth:
        pieces, moved = self._pieces(cursor), self._text.moved
        return Growth(
            "".join(pieces.reasoning),
            "".join(pieces.content),
            pieces.cursor,
            pieces.is_final,
            moved is not None and cursor.moved < moved.end and cursor.content > moved.start,
        )

    def read_pieces(self, cursor: Cursor) -> Pieces:
        """Return at once what came after `cursor`, in the pieces in which it came."""
        with self._lock:
            return self._pieces(cursor)

    def _pieces(self, cursor: Cursor) -> Pieces:
        text, moved = self._text, self._text.moved
        reasoning = text.reasoning.since(cursor.reasoning)
        content = text.content.since(cursor.content)
        has_jumped = moved is not None and moved.lies_before(cursor.content, content)
        if moved is not None and has_jumped:
            thought, content = moved.told_apart("".join(content), cursor.content)
            reasoning = [*reasoning, *thought]
        end = 0 if moved is None else moved.end
        is_final = self._status.is_final
        calls: list[CallGrowth] = []
        read = cursor.calls
        if not self.has_studio_tools:  # those are nobody else's to make
            calls, read = text.calls.since(cursor.calls, is_final=is_final)
        logprobs = text.logprobs.since(cursor.logprobs)
        at = Cursor(
            text.reasoning.length,
            text.content.length,
            self._version,
            end,
            read,
            cursor.logprobs + len(logprobs),
        )
        return Pieces(reasoning, content, at, is_final, has_jumped, calls, logprobs)

    def wait(self, cursor: Cursor, *, timeout_s: float) -> Growth:
        """Return what came after `cursor` once there is any, at the latest after `timeout_s`."""
        with self._lock:
            self._waiting += 1
            self._changed.wait_for(
                lambda: self._version != cursor.version or self._status.is_final, timeout_s
            )
            self._waiting -= 1
        return self.read(cursor)

    def listen(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` (quick, from the job's thread) at each change; return how to end that."""
        with self._lock:
            self._listeners.add(callback)

        def leave() -> None:
            with self._lock:
                self._listeners.discard(callback)

        return leave

    def _tell(self) -> None:
        self._version += 1
        if self._waiting:
            self._changed.notify_all()
        for listener in self._listeners:
            listener()
