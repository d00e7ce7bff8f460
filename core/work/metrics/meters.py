"""The meters of one studio: noted where things happen, read when somebody scrapes."""

import asyncio
from time import perf_counter

from core.models.chat import Message
from core.work.metrics.counting import QUICK_BOUNDS_S, Counts, Times

LAG_EVERY_S = 0.5


class Meters:
    """Requests, answers, transactions, files, and how late the event loops are."""

    def __init__(self) -> None:
        self.requests = Times()  # method, route, status
        self.open_requests: dict[str, int] = {}  # by route; on the server's loop only
        self.answers = Counts()  # status, provider's or our reason
        self.first_tokens = Times()
        self.answer_times = Times()
        self.store = Times(QUICK_BOUNDS_S)  # read, write
        self.archive = Times(QUICK_BOUNDS_S)  # put, read
        self.loop_lag = Times(QUICK_BOUNDS_S)  # server, studio

    def request_begins(self, route: str) -> None:
        """Note a request under way. On the server's loop."""
        self.open_requests[route] = self.open_requests.get(route, 0) + 1

    def request_leaves(self, route: str) -> None:
        """Note that a request which began is no longer under way. On the server's loop."""
        self.open_requests[route] -= 1

    def request_ended(self, method: str, route: str, status: int, seconds: float) -> None:
        """Note how a request ended. On the server's loop."""
        self.requests.add(seconds, method, route, str(status))

    def answer_ended(self, message: Message) -> None:
        """Note how an answer ended, and when its first text came."""
        reason = (message.error_text_id or "").rpartition(".")[2]
        self.answers.add(message.status.value, reason)
        kind = "practice" if message.practice else "live"
        if message.first_token_s is not None:
            self.first_tokens.add(message.first_token_s, kind)
        if message.duration_s is not None:
            self.answer_times.add(message.duration_s, kind)

    async def watch_loop(self, name: str) -> None:
        """Measure how late the loop that runs this wakes up, until cancelled."""
        while True:
            due = perf_counter() + LAG_EVERY_S
            await asyncio.sleep(LAG_EVERY_S)
            self.loop_lag.add(max(0.0, perf_counter() - due), name)
