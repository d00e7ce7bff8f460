"""The studio's life inside the server, and the HTTP layer in front of the pages."""

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from starlette.middleware import Middleware
from starlette.types import ASGIApp, Receive, Scope, Send

from core.errors import AppError
from core.settings import Settings
from core.web.bff import Bff, serves
from core.web.closing import end_on_signals
from core.work.studio import close_studio, open_studio

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
        closing = threading.Event()
        opening = threading.Thread(
            target=open_early, args=(closing,), name="open-studio", daemon=True
        )
        opening.start()
        end_on_signals(closing)
        try:
            yield
        finally:
            closing.set()
            await asyncio.to_thread(close_studio)

    return life


def middleware() -> list[Middleware]:
    """Return what serves the HTTP layer's paths and hands all others on to the pages."""
    return [Middleware(_BeforePages)]


class _BeforePages:
    """The HTTP layer as the outermost middleware, not as routes: so the pieces of a stream do not
    pass through what only the pages need (their session cookie, compression)."""

    def __init__(self, app: ASGIApp) -> None:
        self._pages = app
        self._bff = Bff()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_ours = scope["type"] == "http" and serves(scope["path"])
        await (self._bff if is_ours else self._pages)(scope, receive, send)


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
