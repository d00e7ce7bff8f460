"""How the studio's thread wakes readers on the server's loop: many at once, with one signal."""

import asyncio
from collections import deque
from collections.abc import Callable


class LoopNotifier:
    """Runs callbacks on one loop for other threads.

    Signals are gathered: hundreds of streams that move together cost the loop one wake-up.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._rung: deque[Callable[[], None]] = deque()
        self._is_signalled = False

    def notify(self, callback: Callable[[], None]) -> None:
        """Run `callback` on the loop soon; from any thread."""
        self._rung.append(callback)
        if not self._is_signalled:
            self._is_signalled = True
            try:
                self._loop.call_soon_threadsafe(self._run)
            except RuntimeError:  # the server has ended; nobody reads any more
                self._rung.clear()

    def _run(self) -> None:
        # Lowered first: what rings from here on signals again, or is found below.
        self._is_signalled = False
        rung = self._rung
        while rung:
            rung.popleft()()
