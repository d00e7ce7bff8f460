"""An answer while it grows in memory: one job adds to it, any number of readers watch it."""

import threading
import time
from collections.abc import Callable

from core.errors import AppError
from core.models.chat import AnswerStatus, Message, Usage
from core.models.deltas import Delta
from core.models.money.ledger import Settlement
from core.models.parts import SourcePart, ToolStep
from core.work.chat.buffers.cursors import Cursor, Growth, Pieces
from core.work.chat.growing_message import GrowingMessage


class LiveAnswer:
    """One running answer, shared. Thread-safe; readers never slow the job."""

    def __init__(
        self,
        message: Message,
        owner: str,
        *,
        has_row: bool = True,
        has_tools: bool = False,
        has_studio_tools: bool = False,
        question: Message | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.message_id = message.id
        self.owner = owner
        self.conversation_id = message.conversation_id
        self.question = question  # as it was written down, if it was with this answer
        self._clock = clock
        self._message = GrowingMessage(
            message, clock, has_tools=has_tools, has_studio_tools=has_studio_tools
        )
        self.has_row = has_row  # whether it is written down: a posted chat is so a little later
        self.is_asked = False  # whether its request may have been sent
        self.is_accepted = False  # whether the provider has begun to answer it
        self._asks_again_at: float | None = None
        self.looking: str | None = None  # which look into the web is under way
        self.sources: tuple[SourcePart, ...] = ()  # what the question brings along from there
        # Whether it may call tools of the studio.
        self.has_studio_tools = has_studio_tools
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

    def add(self, *deltas: Delta) -> None:
        """Append what came."""
        with self._lock:
            self._message.add(deltas)
            self._tell()

    def finish(self, status: AnswerStatus, error: AppError | None = None) -> None:
        """Set the final status: nothing is added any more."""
        if error is not None:
            error.forget_frames()
        with self._lock:
            self.error = error
            self._message.finish(status, error)
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
            self._message.note_granted(tokens)

    def restart_clock(self) -> None:
        """Count times from now: called when the request is sent."""
        with self._lock:
            if not self.is_asked:
                self.is_asked = True
                self._tell()
            self._message.restart_clock()
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
            message = self._message
            message.steps, message.found = steps, (*message.found, *found)
            self.sources = (*self.sources, *found)
            self._tell()

    def end_turn(self) -> None:
        """Release what was held back of a turn that asks for tools; what follows is another one."""
        with self._lock:
            self._message.end_turn()
            self._tell()

    def next_turn(self) -> None:
        """Begin another turn of the same answer: what the provider sends now is counted anew."""
        with self._lock:
            self._message.next_turn()
            self._tell()

    def leave_calls(self) -> None:
        """Let the answer end here, though its last turn asks for tools that it was not to call."""
        with self._lock:
            if self._message.leave_calls():
                self._tell()

    def turn(self) -> Message:
        """Return the turn that is under way, or has just ended, as a message of its own.

        Its parts are the calls that it asks for.
        """
        with self._lock:
            return self._message.turn()

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
            return self._message.status.is_final

    @property
    def asks_for_tools(self) -> bool:
        """Whether the turn that has ended asks for tools of the studio."""
        with self._lock:
            return self._message.asks_for_tools

    @property
    def steps(self) -> tuple[ToolStep, ...]:
        """What tools of the studio were called for, and did: only of answers that may call them."""
        return self._message.steps

    @property
    def found(self) -> tuple[SourcePart, ...]:
        """What those tools found on the web."""
        return self._message.found

    @property
    def begun(self) -> Message:
        """The answer as it began: with the text, the calls and the sources of one it continues."""
        return self._message.begun

    @property
    def begun_with(self) -> str:
        """The text that a continued answer started with; empty for all others."""
        return self.begun.content

    @property
    def start(self) -> Cursor:
        """Where a continued answer goes on; the beginning of all others."""
        return Cursor(len(self.begun.reasoning_content), len(self.begun.content))

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
            return self._message.has_grown

    @property
    def length(self) -> int:
        """How many characters of the answer are there."""
        with self._lock:
            return self._message.length

    @property
    def version(self) -> int:
        """How often it has changed."""
        with self._lock:
            return self._version

    @property
    def reasoning_s(self) -> float | None:
        """How long it has been thinking, or how long it thought; None when it did not."""
        with self._lock:
            return self._message.reasoning_s

    @property
    def usage(self) -> Usage | None:
        """The tokens it took, once they are told."""
        with self._lock:
            return self._message.usage

    def outline(self) -> Message:
        """Return the message as it stands, without the text that came: its calls are its parts."""
        with self._lock:
            return self._message.outline()

    def snapshot(self) -> Message:
        """Return the message as it stands, with all text so far: a copy of it."""
        with self._lock:
            return self._message.snapshot()

    def read(self, cursor: Cursor) -> Growth:
        """Return at once what came after `cursor`, as the answer stands now."""
        with self._lock:
            pieces = self._message.pieces(cursor, self._version)
            return Growth(
                "".join(pieces.reasoning),
                "".join(pieces.content),
                pieces.cursor,
                pieces.is_final,
                self._message.is_rearranged(cursor),
            )

    def read_pieces(self, cursor: Cursor) -> Pieces:
        """Return at once what came after `cursor`, in the pieces in which it came."""
        with self._lock:
            return self._message.pieces(cursor, self._version)

    def wait(self, cursor: Cursor, *, timeout_s: float) -> Growth:
        """Return what came after `cursor` once there is any, at the latest after `timeout_s`."""
        with self._lock:
            self._waiting += 1
            self._changed.wait_for(
                lambda: self._version != cursor.version or self._message.status.is_final,
                timeout_s,
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
