"""Streams samples from the studio's loop to the server's, never far ahead of who listens."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager, suppress
from typing import Generic, TypeVar

from core.web.http_call import HttpCall
from core.web.studio_bridge import StudioBridge
from core.work.loop import LoopEndedError

_Item = TypeVar("_Item")
# So many pieces may wait: a listener who pauses holds up the voice, and not the memory.
_AHEAD_MOST = 64


class _End:
    """What the last item says: how it ended."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


class _Pump(Generic[_Item]):
    """Runs a generator on the studio's loop, and hands over what it yields."""

    def __init__(self, bridge: StudioBridge, source: AsyncGenerator[_Item]) -> None:
        self._bridge = bridge
        self._source = source
        self._items: deque[_Item | _End] = deque()
        self._has_items = asyncio.Event()
        self._taken: asyncio.Semaphore | None = None  # lives on the studio's loop
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin, on the studio's loop."""
        self._bridge.studio.loop.post(self._begin)

    def stop(self) -> None:
        """End it, with what it has under way upstream."""
        with suppress(LoopEndedError):  # which has ended it
            self._bridge.studio.loop.post(self._cancel)

    async def take(self) -> "_Item | _End":
        """Return the next item."""
        while not self._items:
            self._has_items.clear()
            await self._has_items.wait()
        item = self._items.popleft()
        if not isinstance(item, _End):
            with suppress(LoopEndedError):
                self._bridge.studio.loop.post(self._release)
        return item

    def _begin(self) -> None:
        self._taken = asyncio.Semaphore(_AHEAD_MOST)
        self._task = asyncio.get_running_loop().create_task(self._run(), name="sound")

    def _release(self) -> None:
        if self._taken is not None:
            self._taken.release()

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()

    async def _run(self) -> None:
        assert self._taken is not None
        error: BaseException | None = None
        try:
            async with aclosing(self._source) as source:
                async for item in source:
                    await self._taken.acquire()
                    self._hand_over(item)
        except BaseException as raised:
            error = raised
            if isinstance(raised, asyncio.CancelledError):
                raise
        finally:
            self._hand_over(_End(error))

    def _hand_over(self, item: "_Item | _End") -> None:
        def put() -> None:
            self._items.append(item)
            self._has_items.set()

        self._bridge.notifier.notify(put)


@asynccontextmanager
async def streamed(
    bridge: StudioBridge, source: AsyncGenerator[_Item]
) -> AsyncGenerator[AsyncGenerator[_Item]]:
    """Give an iterator of what a generator of the studio's loop yields; leaving it ends it."""
    pump = _Pump(bridge, source)
    pump.start()

    async def items() -> AsyncGenerator[_Item]:
        while True:
            item = await pump.take()
            if isinstance(item, _End):
                if item.error is not None:
                    raise item.error
                return
            yield item

    try:
        async with aclosing(items()) as iterator:
            yield iterator
    finally:
        pump.stop()


async def until_gone(call: HttpCall, source: AsyncGenerator[_Item]) -> AsyncGenerator[_Item]:
    """Yield items until there are no more, or whoever asked for them has hung up."""
    leaving = asyncio.create_task(call.hang_up())
    try:
        while not leaving.done():
            taking = asyncio.ensure_future(anext(source, None))
            await asyncio.wait({taking, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if not taking.done():
                taking.cancel()
                with suppress(asyncio.CancelledError):
                    await taking
                return
            item = taking.result()
            if item is None:
                return
            yield item
    finally:
        leaving.cancel()
