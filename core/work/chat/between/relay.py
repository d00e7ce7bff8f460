"""Relay of answers to other processes: who reads one elsewhere says so, and is sent its growth.

    watch  somebody reads an answer, from a place on; said again every WATCH_EVERY_S
    grow   a piece of its text and where it begins, in characters; sent only while it is watched
    end    it is written down for good
    stop   somebody asked it to stop, which its row says too

Nothing is sent for an answer that nobody reads elsewhere: a stream pays nothing for this. What gets
lost on the way is a gap, which the reader fills from the row.
"""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from core.storage.db.notifications import Notifications, State, in_pieces
from core.work.chat.buffers.cursors import Cursor
from core.work.chat.live_answer import LiveAnswer
from core.work.chat.registry import AnswerRegistry

PIECES_EVERY_S = 0.05
WATCH_EVERY_S = 5.0
WATCHED_FOR_S = 15.0

News = Callable[[dict[str, Any]], None]


@dataclass(slots=True)
class _Watched:
    """An answer of this process that is read in another one."""

    live: LiveAnswer
    cursor: Cursor
    until: float


class AnswerRelay:
    """Sends growth of this process's answers, and hands on that of others'. Thread-safe."""

    def __init__(
        self,
        notifications: Notifications,
        registry: AnswerRegistry,
        cancel: Callable[[str], None],
    ) -> None:
        self._notifications = notifications
        self._registry = registry
        self._cancel = cancel
        self._lock = threading.Lock()
        self._wanted = threading.Event()
        self._closing = False
        self._watched: dict[str, _Watched] = {}
        self._readers: dict[str, list[News]] = {}
        self._thread: threading.Thread | None = None

    @property
    def is_live(self) -> bool:
        """Whether processes hear each other now."""
        return self._notifications.state == "live"

    @property
    def state(self) -> State:
        """How notifications are; "off" where there are none to be had."""
        return self._notifications.state

    def start(self) -> None:
        """Begin to hear and to send."""
        if self.state != "off":
            self._thread = threading.Thread(target=self._run, name="answer-relay", daemon=True)
            self._thread.start()
            self._notifications.start(self._heard)

    def close(self) -> None:
        """Send nothing more."""
        self._closing = True
        self._wanted.set()
        if self._thread is not None:
            self._thread.join(1.0)

    def read(self, answer_id: str, news: News) -> Callable[[], None]:
        """Hand `news`, quick and from a thread, what is heard of an answer; return what ends it."""
        with self._lock:
            self._readers.setdefault(answer_id, []).append(news)

        def leave() -> None:
            with self._lock, suppress(KeyError, ValueError):
                self._readers[answer_id].remove(news)
                if not self._readers[answer_id]:
                    del self._readers[answer_id]

        return leave

    def watch(self, answer_id: str, place: int) -> None:
        """Ask whichever process writes an answer for its growth, from a place on."""
        self._send({"kind": "watch", "answer": answer_id, "place": place})

    def stop(self, answer_id: str) -> None:
        """Tell whichever process writes an answer that its row asks it to stop."""
        self._send({"kind": "stop", "answer": answer_id})

    def _send(self, message: dict[str, Any]) -> None:
        self._notifications.send(message)

    # -- hearing -----------------------------------------------------------------------------------

    def _heard(self, message: dict[str, Any]) -> None:
        answer_id, kind = str(message.get("answer", "")), message.get("kind")
        if kind == "watch":
            self._watch(answer_id, int(message.get("place", 0)))
        elif kind == "stop":
            if self._registry.mark_stopped(answer_id):
                self._cancel(answer_id)
        else:
            with self._lock:
                readers = list(self._readers.get(answer_id, ()))
            for news in readers:
                news(message)

    def _watch(self, answer_id: str, place: int) -> None:
        if (live := self._registry.get(answer_id)) is None:
            return
        until = time.monotonic() + WATCHED_FOR_S
        with self._lock:
            known = self._watched.get(answer_id)
            if known is None or place < known.cursor.content:
                self._watched[answer_id] = _Watched(live, Cursor(content=place), until)
            else:
                known.until = until
        self._wanted.set()

    # -- sending -----------------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._closing:
            self._wanted.wait()
            with self._lock:
                watched = dict(self._watched)
                if not watched:
                    self._wanted.clear()
                    continue
            for answer_id, one in watched.items():
                if self._tell(answer_id, one) or one.until < time.monotonic():
                    with self._lock:
                        if self._watched.get(answer_id) is one:
                            del self._watched[answer_id]
            time.sleep(PIECES_EVERY_S)

    def _tell(self, answer_id: str, one: _Watched) -> bool:
        """Send what has grown; tell whether it was the last of it."""
        is_saved = one.live.saved.is_set()  # before it is read: nothing comes behind
        pieces = one.live.read_pieces(one.cursor)
        text = "".join(pieces.content)
        place = pieces.cursor.content - len(text)
        one.cursor = pieces.cursor
        for piece in in_pieces(text):
            grown = {"kind": "grow", "answer": answer_id, "place": place, "text": piece}
            self._send(grown)
            place += len(piece)
        if is_saved:
            self._send({"kind": "end", "answer": answer_id})
        return is_saved
