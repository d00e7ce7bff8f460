"""A streamed answer as it arrives: reads while anything can come, and watches the clock."""

from collections import deque
from collections.abc import AsyncIterator, Iterator, Sequence

import httpx

from core.errors import ProviderError
from core.models.chat import ChatChunk, TextRun
from core.providers.deepseek.events.event_reader import EventReader
from core.providers.deepseek.schema_tool import CallAsContent
from core.providers.deepseek.timeouts import Limit, StreamTimers, TimedBody, next_data_limit

# After finish_reason only usage and [DONE] can follow; some servers send neither and stay open.
GRACE_S = 2.0
# The reply's last bytes mostly travel with [DONE]; read to the end, the connection can be reused.
DRAIN_S = 0.1


class ChunkStream(AsyncIterator[ChatChunk]):
    """Yields what each event adds; raises when the answer broke off or never was one."""

    def __init__(
        self,
        response: httpx.Response,
        *,
        host: str,
        secrets: Sequence[str],
        timers: StreamTimers,
        waited_s: float = 0.0,
        reading: CallAsContent | None = None,
    ) -> None:
        self._body = TimedBody(response, host=host, timers=timers, waited_s=waited_s)
        self._next_data = next_data_limit(timers)
        content_type = response.headers.get("content-type", "").lower()
        self._events = EventReader(host=host, secrets=secrets, content_type=content_type)
        self._reading = reading
        self._single: deque[ChatChunk] = deque()  # of what was ready, for who reads one by one

    async def __anext__(self) -> ChatChunk:
        if not self._single:
            if not await self._has_more():
                raise StopAsyncIteration
            run = self._events.ready.popleft()
            run = run if self._reading is None else self._reading.take(run)
            self._single.extend(_one_by_one(run) if isinstance(run, TextRun) else [run])
        return self._single.popleft()

    async def batches(self) -> AsyncIterator[list[ChatChunk | TextRun]]:
        """Yield what each read brought: one by one costs as much as reading them."""
        ready = self._events.ready
        while await self._has_more():
            batch = list(ready if self._reading is None else map(self._reading.take, ready))
            ready.clear()
            yield batch

    async def _has_more(self) -> bool:
        """Read on until something is ready, or nothing more will come; raises how it broke off."""
        events = self._events
        while not events.ready:
            if events.failure is not None:
                failure, events.failure = events.failure, None
                raise failure
            if events.is_ended:
                return False
            await self._read_on()
        return True

    async def drain(self) -> None:
        """Read what is left behind a complete answer, if it is there already."""
        if self._events.is_ended and self._events.is_finished:
            self._body.wait_for(Limit(DRAIN_S, ""))
            try:
                while await self._body.read():
                    pass
            except ProviderError:
                pass

    def end(self) -> None:
        """Yield nothing more: the connection is being closed."""
        self._events.is_ended = True
        self._body.close()

    async def _read_on(self) -> None:
        events = self._events
        try:
            raw = await self._body.read()
        except ProviderError as error:
            events.break_off(error)
            return
        if not raw:
            events.end()
            return
        events.feed(raw)
        if events.has_moved:
            events.has_moved = False
            # At the end it moves once more: the grace begins.
            self._body.wait_for(Limit(GRACE_S, "") if events.is_finished else self._next_data)


def _one_by_one(run: TextRun) -> Iterator[ChatChunk]:
    is_answer = run.part == "content"
    for piece in run.pieces:
        yield ChatChunk(piece) if is_answer else ChatChunk(reasoning_content=piece)
