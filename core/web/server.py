"""The studio's life inside the server, and the HTTP layer in front of the pages."""

import asyncio
import logging
import signal
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from types import FrameType
from typing import Any

from starlette.middleware import Middleware
from starlette.types import ASGIApp, Receive, Scope, Send

from core.access.callers import PassLookup, no_passes
from core.access.forwarders import LATCH
from core.errors import AppError
from core.settings import Settings
from core.web.approach import with_peer
from core.web.bff import Bff, serves
from core.work.studio import close_studio, current_studio, open_studio

logger = logging.getLogger(__name__)

OPEN_AGAIN_S = 5.0


def lifespan(
    read_settings: Callable[[], Settings], *, warm_up: Callable[[], None]
) -> Callable[[Any], AbstractAsyncContextManager[None]]:
    """Return a lifespan that opens the studio beside the server's start, and closes it at the end.

    Opening happens in a thread: the server answers at once. A store that cannot be opened is told
    by the pages and by 503s, and tried again until the server ends.
    """

    def open_early(closing: threading.Event) -> None:
        is_open = _opened(read_settings)
        warm_up()
        while not is_open and not closing.wait(OPEN_AGAIN_S):
            is_open = _opened(read_settings)

    @asynccontextmanager
    async def life(_app: Any) -> AsyncIterator[None]:
        logging.getLogger("uvicorn.access").addFilter(_without_query)
        LATCH.release()  # a new start
        closing = threading.Event()
        opening = threading.Thread(
            target=open_early, args=(closing,), name="open-studio", daemon=True
        )
        opening.start()
        _end_streams_on_signals(closing)
        try:
            yield
        finally:
            closing.set()
            await asyncio.to_thread(close_studio)

    return life


def middleware(pass_name: PassLookup = no_passes) -> list[Middleware]:
    """Return what serves the HTTP layer's paths and hands all others on to the pages.

    `pass_name` tells whose valid pass a Cookie header holds.
    """
    return [Middleware(_BeforePages, pass_name=pass_name)]


class _BeforePages:
    """The HTTP layer as the outermost middleware, not as routes: so the pieces of a stream do not
    pass through what only the pages need (their session cookie, compression)."""

    def __init__(self, app: ASGIApp, pass_name: PassLookup = no_passes) -> None:
        self._pages = app
        self._bff = Bff(pass_name)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # Before all else, and whether or not the studio is open: the facts of every connection.
        studio = current_studio()
        scope = with_peer(scope, receive, studio.settings.access if studio else None)
        is_ours = scope["type"] == "http" and serves(scope["path"])
        await (self._bff if is_ours else self._pages)(scope, receive, send)


def _end_streams_on_signals(closing: threading.Event) -> None:
    """Close the studio as soon as the process is told to end.

    The server waits for open replies before it ends the lifespan: an open stream would keep it up
    for ever. With the studio's end every answer has its own.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    for number in (signal.SIGINT, signal.SIGTERM):
        handler = signal.getsignal(number)
        if callable(handler):
            signal.signal(number, partial(_close_and_pass_on, closing, handler))


def _close_and_pass_on(
    closing: threading.Event,
    handler: Callable[[int, FrameType | None], Any],
    number: int,
    frame: FrameType | None,
) -> None:
    if not closing.is_set():
        closing.set()
        threading.Thread(target=close_studio, name="close-studio").start()
    handler(number, frame)


def _without_query(record: logging.LogRecord) -> bool:
    # Queries hold questions, and access tokens. Streamlit keeps no access log, other hosts may.
    if isinstance(record.args, tuple) and len(record.args) == 5:
        client, method, target, *rest = record.args
        record.args = (client, method, str(target).partition("?")[0], *rest)
    return True


def _opened(read_settings: Callable[[], Settings]) -> bool:
    try:
        open_studio(read_settings)
    except AppError:
        logger.info("The pages say what is wrong; it is tried again")
        return False
    return True
