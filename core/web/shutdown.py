"""The server's connections and its end: graceful on SIGINT and SIGTERM, bounded, whatever is open.

The server waits for open replies before it ends the lifespan, for ever unless it is told how long.
With the studio's end every answer and request has its own; what is still open after GRACE_S (a
body that does not arrive, a reader who does not read) is cancelled. A thread that still works then
(a page's script, a file being decoded) is not waited for: each step is one transaction, so nothing
that it leaves is half done.
"""

import logging
import os
import signal
import threading
import time
from collections.abc import Callable
from functools import partial
from types import FrameType
from typing import Any

from core.work.process_studio import close_studio

logger = logging.getLogger(__name__)

# From the signal on: open calls are cancelled, and the process ends.
GRACE_S = 1
DEADLINE_S = 2.5
# Longer than proxies keep a connection to whom they pass requests on (nginx 60 s): who closes first
# must be who sends, or a POST that was just on its way is lost, and repeated at its sender's peril.
KEEP_ALIVE_S = 75


def end_on_signals(closing: threading.Event) -> None:
    """Close the studio as soon as the process is told to end, and see that the process does."""
    if threading.current_thread() is not threading.main_thread():
        return
    for number in (signal.SIGINT, signal.SIGTERM):
        handler = signal.getsignal(number)
        if callable(handler):
            signal.signal(number, partial(_close_and_pass_on, closing, handler))


def keep_connections() -> None:
    """Have the server keep idle connections (RFC 9112, 9.8) for KEEP_ALIVE_S, not uvicorn's 5 s."""
    config = _server_config(signal.getsignal(signal.SIGTERM))
    if hasattr(config, "timeout_keep_alive"):
        config.timeout_keep_alive = KEEP_ALIVE_S


def reread_on_hangup(reread: Callable[[], object]) -> None:
    """Have SIGHUP read the settings again, as services do, where the platform has it.

    A terminal that is closed sends it too: then the process ends as it always did.
    """
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "SIGHUP"):
        return
    had_terminal = _has_terminal()

    def hang_up(number: int, _frame: FrameType | None) -> None:
        if had_terminal and not _has_terminal():
            os.kill(os.getpid(), signal.SIGTERM)
            return
        threading.Thread(target=reread, name="read-settings", daemon=True).start()

    signal.signal(signal.SIGHUP, hang_up)


def _has_terminal() -> bool:
    try:
        os.close(os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY))
    except OSError:
        return False
    return True


def _close_and_pass_on(
    closing: threading.Event,
    handler: Callable[[int, FrameType | None], Any],
    number: int,
    frame: FrameType | None,
) -> None:
    if not closing.is_set():
        closing.set()
        config = _server_config(handler)
        if hasattr(config, "timeout_graceful_shutdown"):
            config.timeout_graceful_shutdown = GRACE_S
        threading.Thread(
            target=_end, args=(number, time.monotonic() + DEADLINE_S), name="end", daemon=True
        ).start()
    handler(number, frame)


def _server_config(handler: object) -> Any:
    """Return uvicorn's own settings, for which Streamlit gives no option, by a signal's handler."""
    return getattr(getattr(handler, "__self__", None), "config", None)


def _end(number: int, deadline: float) -> None:
    """Close the studio, and end the process if something else still keeps it up."""
    closer = threading.Thread(target=close_studio, name="close-studio")
    closer.start()
    closer.join(max(0.0, deadline - time.monotonic()))
    time.sleep(max(0.0, deadline - time.monotonic()))
    logger.warning("Something is still at work; it goes on from its rows at the next start")
    logging.shutdown()
    os._exit(128 + number)
