"""The answers that run in this process, with their jobs: found, stopped, and let go."""

import asyncio
import threading

from core.work.chat.live_answer import LiveAnswer


class AnswerRegistry:
    """Thread-safe; the jobs are tasks of the studio's loop, and cancelled there only."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._live: dict[str, LiveAnswer] = {}
        self._jobs: dict[str, asyncio.Task[None]] = {}
        self._stopping: set[str] = set()

    def add(self, live: LiveAnswer) -> None:
        """Make an answer findable; its job may begin later."""
        with self._lock:
            self._live[live.message_id] = live

    def remove(self, message_id: str) -> None:
        """Let go of an answer that has ended."""
        with self._lock:
            self._live.pop(message_id, None)
            self._jobs.pop(message_id, None)
            self._stopping.discard(message_id)

    def get(self, message_id: str) -> LiveAnswer | None:
        """Return a running answer of this process."""
        with self._lock:
            return self._live.get(message_id)

    def find_in(self, conversation_id: str) -> LiveAnswer | None:
        """Return the answer that is running in a conversation."""
        with self._lock:
            return next(
                (live for live in self._live.values() if live.conversation_id == conversation_id),
                None,
            )

    def growing(self) -> list[LiveAnswer]:
        """Return those that have not ended."""
        with self._lock:
            return [live for live in self._live.values() if not live.is_final]

    def ids(self) -> frozenset[str]:
        """Return the ids of all, also of those that have ended and are being saved."""
        with self._lock:
            return frozenset(self._live)

    def conversations(self) -> frozenset[str]:
        """Return the conversations that are being answered."""
        with self._lock:
            return frozenset(live.conversation_id for live in self._live.values())

    # -- the jobs ----------------------------------------------------------------------------------

    def begin(self, message_id: str) -> bool:
        """Note the current task as the answer's job; False when it was stopped before."""
        job = asyncio.current_task()
        assert job is not None
        with self._lock:
            self._jobs[message_id] = job
            return message_id not in self._stopping

    def mark_stopped(self, message_id: str, *, owner: str | None = None) -> bool:
        """Note that an answer was asked to stop; False when it is not here, or not the owner's."""
        with self._lock:
            live = self._live.get(message_id)
            if live is None or (owner is not None and live.owner != owner):
                return False
            self._stopping.add(message_id)
            return True

    def was_stopped(self, message_id: str) -> bool:
        """Tell whether an answer was asked to stop."""
        with self._lock:
            return message_id in self._stopping

    def cancel(self, message_id: str) -> None:
        """End the job, unless the answer has ended: then it is being saved. On the loop."""
        with self._lock:
            job = self._jobs.get(message_id)
            live = self._live.get(message_id)
        if job is not None and live is not None and not live.is_final:
            job.cancel()

    def jobs(self) -> dict[str, "asyncio.Task[None]"]:
        """Return the jobs by answer."""
        with self._lock:
            return dict(self._jobs)
