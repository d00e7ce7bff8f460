"""Early requests: a bounded queue of those that came before the studio was open, or its modules.

Who they are cannot be judged yet, the rules being read while the studio opens. So places are few,
and strangers, who may be many, take theirs from a number of their own.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from core.access.connection import ConnectionFacts
from core.access.forwarding import forwarding_header
from core.access.network.addresses import is_loopback
from core.web.http_call import GoneError, HttpCall
from core.work.process_studio import current_studio, has_modules, is_awaited, on_opening

if TYPE_CHECKING:
    from core.work.studio import Studio

WAIT_S = 15.0
WAITING_HERE = 200
WAITING_ELSEWHERE = 20


class EarlyCalls:
    """Has calls wait for the studio, for a while and only so many. One event loop."""

    def __init__(self) -> None:
        self._waiting = {True: 0, False: 0}

    @property
    def count(self) -> int:
        """How many wait."""
        return sum(self._waiting.values())

    async def studio_for(self, call: HttpCall) -> "Studio | None":
        """Return the studio as soon as it is open; None where waiting is in vain, or too long.

        GoneError when the caller leaves first: nobody would read the answer.
        """
        with self._place(call.connection) as has_place:
            if not has_place:
                return None
            leaving = asyncio.ensure_future(call.left())
            try:
                await _until(lambda: current_studio() is not None, leaving)
            finally:
                leaving.cancel()
                await asyncio.wait((leaving,))
            if not leaving.cancelled():
                raise GoneError
            return current_studio()

    async def have_modules(self, connection: ConnectionFacts) -> bool:
        """Return True as soon as the modules are there; False where that is in vain, or takes long.

        Whether a caller leaves is not looked at: a websocket that is not open yet does not tell.
        """
        if not has_modules():
            with self._place(connection) as has_place:
                if has_place:
                    await _until(has_modules)
        return has_modules()

    @contextlib.contextmanager
    def _place(self, connection: ConnectionFacts) -> Iterator[bool]:
        is_near = _is_near(connection)
        if self._waiting[is_near] >= (WAITING_HERE if is_near else WAITING_ELSEWHERE):
            yield False
            return
        self._waiting[is_near] += 1
        try:
            yield True
        finally:
            self._waiting[is_near] -= 1


async def _until(is_so: Callable[[], bool], leaving: asyncio.Future[None] | None = None) -> None:
    """Wait until something is so, is in vain, takes too long, or the caller leaves."""
    loop = asyncio.get_running_loop()
    changed = asyncio.Event()

    def tell() -> None:
        with contextlib.suppress(RuntimeError):  # the server has ended; nobody waits any more
            loop.call_soon_threadsafe(changed.set)

    forget = on_opening(tell)
    if leaving is not None:
        leaving.add_done_callback(lambda _: changed.set())
    try:
        async with asyncio.timeout(WAIT_S):
            # Looked at only after listening has begun: no change is missed.
            while not is_so() and is_awaited() and not (leaving is not None and leaving.done()):
                await changed.wait()
                changed.clear()
    except TimeoutError:
        pass
    finally:
        forget()


def _is_near(connection: ConnectionFacts) -> bool:
    return is_loopback(connection.address) and forwarding_header(connection.headers) is None
