"""One caller who reads a running answer on the server's loop: no thread, and no polling."""

import asyncio
from types import TracebackType
from typing import Self

from core.web.http_call import HttpCall
from core.web.loop_notifier import LoopNotifier
from core.work.chat.buffers.cursors import Cursor, Pieces
from core.work.chat.live_answer import LiveAnswer


class AnswerReader:
    """Takes what came since the last time, and waits for more. A context manager."""

    def __init__(
        self,
        call: HttpCall,
        live: LiveAnswer,
        notifier: LoopNotifier,
        *,
        keep_alive_s: float,
        cursor: Cursor | None = None,
    ) -> None:
        self._call = call
        self._live = live
        self._notifier = notifier
        self._keep_alive_s = keep_alive_s
        self._cursor = cursor or Cursor()
        self._loop = asyncio.get_running_loop()
        self._waiter: asyncio.Future[None] | None = None
        self._has_news = True
        self._spoke_at = self._loop.time()
        self.is_gone = False  # the caller hung up
        self.is_quiet = False  # nothing was said for `keep_alive_s`

    async def __aenter__(self) -> Self:
        self._leave = self._live.listen(self._notify)
        self._watching = self._loop.create_task(self._watch())
        self._timer = self._loop.call_later(self._keep_alive_s, self._tick)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._leave()
        self._timer.cancel()
        self._watching.cancel()
        # All three know this reader: a ring of them would keep the whole text until the garbage
        # collector comes round.
        del self._leave, self._timer, self._watching

    def take(self) -> Pieces:
        """Return what came since the last time; at once."""
        self._has_news = False
        pieces = self._live.read_pieces(self._cursor)
        self._cursor = pieces.cursor
        return pieces

    def spoke(self) -> None:
        """Note that something was sent: the silence begins anew."""
        self._spoke_at = self._loop.time()
        self.is_quiet = False

    async def wait(self) -> None:
        """Return when there may be news, a silence to fill, or nobody left to tell."""
        if self._has_news or self.is_gone or self.is_quiet:
            return
        self._waiter = self._loop.create_future()
        await self._waiter

    def _notify(self) -> None:
        # From the job's thread. Once is enough until `take`.
        if not self._has_news:
            self._has_news = True
            self._notifier.notify(self._wake)

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _tick(self) -> None:
        due = self._spoke_at + self._keep_alive_s
        now = self._loop.time()
        if due <= now:
            self.is_quiet = True
            self._wake()
            due = now + self._keep_alive_s
        self._timer = self._loop.call_at(due, self._tick)

    async def _watch(self) -> None:
        await self._call.hang_up()
        self.is_gone = True
        self._wake()
