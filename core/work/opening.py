"""Event notification for the studio's opening: told when it opens, fails to, or will not any more.

Listeners are called from the thread that opens or closes, so they must only signal.
"""

import threading
from collections.abc import Callable

Listener = Callable[[], None]


class Opening:
    """Calls listeners whenever the state of a process's studio has changed. From any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listeners: dict[int, Listener] = {}
        self._last = 0

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` at each change from now on; return what ends that."""
        with self._lock:
            self._last += 1
            number = self._last
            self._listeners[number] = listener
        return lambda: self._forget(number)

    def tell(self) -> None:
        """Call everyone who listens."""
        with self._lock:
            listeners = list(self._listeners.values())
        for listener in listeners:
            listener()

    def _forget(self, number: int) -> None:
        with self._lock:
            self._listeners.pop(number, None)
