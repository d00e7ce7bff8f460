"""Early requests: a bounded queue of those that came before the studio was open.

Who they are cannot be judged yet, the rules being read while the studio opens. So places are few,
and strangers, who may be many, take theirs from a number of their own.
"""

import asyncio
import contextlib

from core.access.forwarding import forwarding_header
from core.access.network.addresses import is_loopback
from core.web.http_call import GoneError, HttpCall
from core.work.process_studio import current_studio, is_awaited, on_opening
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

    async def studio_for(self, call: HttpCall) -> Studio | None:
        """Return the studio as soon as it is open; None where waiting is in vain, or too long."""
        is_near = _is_near(call)
        most = WAITING_HERE if is_near else WAITING_ELSEWHERE
        if self._waiting[is_near] >= most:
            return None
        self._waiting[is_near] += 1
        try:
            return await _opened(call)
        finally:
            self._waiting[is_near] -= 1


async def _opened(call: HttpCall) -> Studio | None:
    """Wait for the studio; GoneError when the caller leaves first: nobody would read the answer."""
    loop = asyncio.get_running_loop()
    changed = asyncio.Event()

    def tell() -> None:
        with contextlib.suppress(RuntimeError):  # the server has ended; nobody waits any more
            loop.call_soon_threadsafe(changed.set)

    forget = on_opening(tell)
    leaving = asyncio.ensure_future(call.left())
    leaving.add_done_callback(lambda _: changed.set())
    try:
        async with asyncio.timeout(WAIT_S):
            # Looked at only after listening has begun: no change is missed.
            while current_studio() is None and is_awaited() and not leaving.done():
                await changed.wait()
                changed.clear()
    except TimeoutError:
        pass
    finally:
        forget()
        leaving.cancel()
        await asyncio.wait((leaving,))
    if not leaving.cancelled():
        raise GoneError
    return current_studio()


def _is_near(call: HttpCall) -> bool:
    connection = call.connection
    return is_loopback(connection.address) and forwarding_header(connection.headers) is None
