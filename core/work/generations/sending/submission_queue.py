"""The queue in front of Kling: who sends next, and when, so that the account's cap is kept.

Kling counts slots, by the package that pays (a picture takes one each), and refuses what is over
the cap with code 1303; nothing is created then, so the generation keeps its place in the queue. The
oldest generation is always next: one that needs many slots is not passed by for ever by small ones.
"""

import asyncio
import heapq
from collections.abc import Callable, Mapping
from typing import Any, Literal

from core.work.generations.sending.concurrency_limit import PROBE_AFTER_S, ConcurrencyLimit

# After one of our own tasks has ended a slot is free, however long the rest was to be.
FREED_REST_S = 0.5
RETRY_AFTER_MOST_S = 120.0
# One answer that does not tell is one generation's matter. So many in a row are the endpoint's.
UNCLEAR_IN_A_ROW = 3

Order = tuple[Any, ...]


class Permit:
    """The right to send what takes `n` slots, and then those slots. Give it back in the end."""

    def __init__(
        self, queue: "SubmissionQueue", n: int, state: Literal["sending", "in flight"]
    ) -> None:
        self.n = n
        self._queue = queue
        self._state: Literal["sending", "in flight", "over"] = state

    def accepted(self) -> None:
        """Note that Kling took it: it holds its slots from now on."""
        self._land()
        self._queue.note_accepted()

    def unknown(self, *, retry_after_s: float | None = None) -> None:
        """Note that its fate is unknown: it may hold slots, while others go on beside it.

        A server that says when to come again says it to all.
        """
        self._land()
        self._queue.note_unknown(retry_after_s)

    def refused(self, *, is_full: bool, retry_after_s: float | None = None) -> None:
        """Note a refusal: `is_full` for 1303 (over the cap), else 1302 (too fast)."""
        in_flight = self._queue.in_flight
        self._end()
        self._queue.note_clear()
        if is_full:
            self._queue.note_full(in_flight, self.n)
        self._queue.rest(is_full=is_full, at_least_s=retry_after_s)

    def give_back(self) -> None:
        """Free what it holds, if anything: the task has ended, or was not sent after all."""
        if self._end() == "in flight":
            self._queue.freed()
        self._queue.wake()

    def _land(self) -> None:
        if self._state == "sending":
            self._state = "in flight"
            self._queue.count(sending=-1)

    def _end(self) -> str:
        state, self._state = self._state, "over"
        if state != "over":
            self._queue.count(in_flight=-self.n, sending=-1 if state == "sending" else 0)
        return state


class Turn:
    """A place in the queue, from which a permit comes. Leave it where nobody waits for that."""

    def __init__(self, queue: "SubmissionQueue", waiter: "asyncio.Future[Permit]") -> None:
        self._queue = queue
        self._waiter = waiter

    async def come(self) -> Permit:
        """Wait for the permit; who is cancelled meanwhile has left."""
        try:
            return await self._waiter
        except asyncio.CancelledError:
            self.leave()
            raise

    def leave(self) -> None:
        """Go out of the queue; a permit that has come goes to the next one."""
        if self._waiter.done() and not self._waiter.cancelled():
            self._waiter.result().give_back()
        self._waiter.cancel()
        self._queue.wake()


class SubmissionQueue:
    """A queue for submissions, counted in slots. Belongs to one event loop."""

    def __init__(
        self,
        *,
        clock: Callable[[], float],
        known: Mapping[str, Any] | None = None,
        probe_after_s: float = PROBE_AFTER_S,
        rest_first_s: float = 2.0,
        rest_longest_s: float = 60.0,
    ) -> None:
        self._clock = clock
        self._limit = ConcurrencyLimit(now=clock(), known=known, probe_after_s=probe_after_s)
        self._rest_first_s = rest_first_s
        self._rest_longest_s = rest_longest_s
        self._rest_s = rest_first_s
        self._rest_until = clock()
        self._is_rest_for_slots = False
        self._own = 0
        self._sending = 0
        self._elsewhere = 0
        self._unclear_in_a_row = 0
        self._queue: list[tuple[Order, int, int, asyncio.Future[Permit]]] = []
        self._number = 0
        self._timer: asyncio.TimerHandle | None = None

    @property
    def limit(self) -> int:
        """So many slots are known to be had at once; 0 while nothing is known."""
        return self._limit.accepted

    @property
    def own(self) -> int:
        """This process's slots in use, those being sent included."""
        return self._own

    @property
    def in_flight(self) -> int:
        """The account's slots in use, as far as this app knows."""
        return self._own + self._elsewhere

    @property
    def rest_left_s(self) -> float:
        """How long nobody will send yet."""
        return max(0.0, self._rest_until - self._clock())

    def figures(self) -> dict[str, object]:
        """Return what was learned, to be given as `known` another time."""
        return self._limit.figures()

    def line_up(self, n: int, *, order: Order) -> Turn:
        """Take a place for what takes `n` slots; the lowest `order` goes first."""
        waiter: asyncio.Future[Permit] = asyncio.get_running_loop().create_future()
        self._number += 1
        heapq.heappush(self._queue, (order, self._number, n, waiter))
        self.wake()
        return Turn(self, waiter)

    async def acquire(self, n: int, *, order: Order) -> Permit:
        """Wait for the turn to send what takes `n` slots."""
        return await self.line_up(n, order=order).come()

    def adopt(self, n: int) -> Permit:
        """Count `n` slots that were in use before this process began."""
        self.count(in_flight=n)
        return Permit(self, n, "in flight")

    def see_other_processes(self, slots: int) -> None:
        """Count the slots other processes use on this account."""
        if slots != self._elsewhere:
            self._elsewhere = slots
            self.wake()

    def rest(self, *, is_full: bool = False, at_least_s: float | None = None) -> None:
        """Let nobody send for a while; longer each time until something is accepted."""
        requested_s = min(at_least_s or 0.0, RETRY_AFTER_MOST_S)
        self._rest_until = self._clock() + max(self._rest_s, requested_s)
        self._is_rest_for_slots = is_full and not requested_s
        self._rest_s = min(self._rest_s * 2, self._rest_longest_s)
        self.wake()

    def note_accepted(self) -> None:
        """Learn from an acceptance."""
        self._rest_s = self._rest_first_s
        self.note_clear()
        self._limit.note_accepted(self.in_flight, now=self._clock())
        self.wake()

    def note_unknown(self, retry_after_s: float | None) -> None:
        """Let the queue go on, unless nothing has told anything for several times."""
        self._unclear_in_a_row += 1
        if retry_after_s or self._unclear_in_a_row >= UNCLEAR_IN_A_ROW:
            self.rest(at_least_s=retry_after_s)
        self.wake()

    def note_clear(self) -> None:
        """Note an answer that tells."""
        self._unclear_in_a_row = 0

    def note_full(self, total: int, n: int) -> None:
        """Learn from a refusal of `n` slots that would have made `total`."""
        self._limit.note_refused(total, n=n, now=self._clock())

    def freed(self) -> None:
        """Shorten a rest that only waited for slots."""
        if self._is_rest_for_slots:
            soon = self._clock() + min(FREED_REST_S, self._rest_first_s)
            self._rest_until = min(self._rest_until, soon)

    def count(self, *, in_flight: int = 0, sending: int = 0) -> None:
        """Change what is counted."""
        self._own += in_flight
        self._sending += sending

    def wake(self) -> None:
        """Give turns to whoever may send now, and look again when that changes by itself."""
        now = self._clock()
        self._forget_leavers()
        while self._queue and now >= self._rest_until and self._may_send(self._queue[0][2], now):
            _order, _number, n, waiter = heapq.heappop(self._queue)
            self.count(in_flight=n, sending=1)
            waiter.set_result(Permit(self, n, "sending"))
            self._forget_leavers()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        pending = [moment for moment in (self._rest_until, self._limit.probe_at) if moment > now]
        if self._queue and pending:
            delay_s = min(pending) - now
            self._timer = asyncio.get_running_loop().call_later(delay_s + 0.001, self.wake)

    def _forget_leavers(self) -> None:
        while self._queue and self._queue[0][3].done():
            heapq.heappop(self._queue)

    def _may_send(self, n: int, now: float) -> bool:
        return self._limit.may_send(n, in_flight=self.in_flight, sending=self._sending, now=now)
