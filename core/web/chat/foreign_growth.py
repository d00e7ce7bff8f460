"""Growth of an answer that another process writes, as notifications bring it to one reader."""

import asyncio
from collections.abc import Callable
from typing import Any

from core.work.chat.between.relay import WATCH_EVERY_S, AnswerRelay


class ForeignGrowth:
    """What was heard of one answer, in order from a place on. On the server's loop."""

    def __init__(self, relay: AnswerRelay, answer_id: str) -> None:
        self._relay = relay
        self._answer_id = answer_id
        self._loop = asyncio.get_running_loop()
        self._pieces: list[tuple[int, str]] = []
        self._watched_at: float | None = None
        self._leave: Callable[[], None] | None = None
        self.news = asyncio.Event()
        self.has_ended = False

    @property
    def is_live(self) -> bool:
        """Whether there is anything to be heard at all."""
        return self._relay.is_live

    def begin(self) -> None:
        """Listen from now on."""
        self._leave = self._relay.read(self._answer_id, self._heard)

    def end(self) -> None:
        """Listen no more."""
        if self._leave is not None:
            self._leave()

    def watch(self, place: int, *, anew: bool = False) -> None:
        """Say that somebody reads, from a place on, if it is time to say so again."""
        now = self._loop.time()
        if anew or self._watched_at is None or now - self._watched_at >= WATCH_EVERY_S:
            self._watched_at = now
            self._relay.watch(self._answer_id, place)

    def take(self, place: int) -> tuple[str, bool]:
        """Return what was heard behind a place, and whether something before it is lacking."""
        self.news.clear()
        pieces, self._pieces = sorted(self._pieces), []
        text = ""
        for start, piece in pieces:
            at = place + len(text)
            if start > at:
                return text, True
            text += piece[at - start :]
        return text, False

    def _heard(self, message: dict[str, Any]) -> None:
        self._loop.call_soon_threadsafe(self._take_in, message)

    def _take_in(self, message: dict[str, Any]) -> None:
        if message.get("kind") == "end":
            self.has_ended = True
        elif message.get("kind") == "grow":
            self._pieces.append((int(message["place"]), str(message["text"])))
        self.news.set()
