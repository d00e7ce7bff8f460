"""The studio's life inside the server, and the HTTP layer in front of the pages."""

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib import import_module
from time import perf_counter
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from starlette.middleware import Middleware

from core.access.callers import PassLookup
from core.access.forwarders import LATCH
from core.errors import AppError
from core.settings import Settings
from core.web.front.middleware import BeforePages
from core.web.guard.limits import Limits
from core.web.shutdown import end_on_signals, keep_connections, reread_on_hangup
from core.web.timings import HttpTimings
from core.work.metrics.meters import LAG_EVERY_S
from core.work.process_studio import (
    bring_modules,
    close_studio,
    current_studio,
    expect_studio,
    has_modules,
    name_of_pass,
    open_studio,
    reread_settings,
)

if TYPE_CHECKING:
    from core.work.studio import Studio

logger = logging.getLogger(__name__)


def lifespan(
    read_settings: Callable[[], Settings],
    *,
    warm_up: Callable[[], None],
    load: Callable[[], None] = lambda: None,
    greet: Callable[[], None] = lambda: None,
    announce: "Callable[[Studio], None]" = lambda _studio: None,
    build: "Callable[[Settings], Studio] | None" = None,
    open_again_s: float = 5.0,
) -> Callable[[Any], AbstractAsyncContextManager[None]]:
    """Return a lifespan that opens the studio beside the server's start, and closes it at the end.

    Opening happens in a thread: the server answers at once. It begins with imports, of what the
    routes are made of and, by `load`, the pages. What cannot be imported, and a store that cannot
    be opened, is told by 503s (the latter by the pages, too), and tried again every `open_again_s`
    until the server ends. `greet` is called first, and once it is open, `announce` with it. `build`
    opens it.
    """

    def opened(closing: threading.Event) -> bool:
        return _loaded(load) and not closing.is_set() and _opened(read_settings, announce, build)

    def open_early(closing: threading.Event) -> None:
        is_open = opened(closing)
        try:
            warm_up()
        except Exception:  # only slower then; what opens the studio must go on
            logger.exception("Warming up ended with an unexpected error")
        while not is_open and not closing.wait(open_again_s):
            is_open = opened(closing)

    @asynccontextmanager
    async def life(_app: Any) -> AsyncIterator[None]:
        logging.getLogger("uvicorn.access").addFilter(_without_query)
        LATCH.release()  # a new start
        closing = threading.Event()
        expect_studio()
        greet()
        opening = threading.Thread(
            target=open_early, args=(closing,), name="open-studio", daemon=True
        )
        opening.start()
        keep_connections()
        end_on_signals(closing)
        reread_on_hangup(lambda: _reread(read_settings))
        lag = asyncio.create_task(_watch_lag(), name="loop-lag")
        try:
            yield
        finally:
            lag.cancel()
            closing.set()
            await asyncio.to_thread(close_studio)

    return life


def middleware(
    *,
    base_path: Callable[[], str] = str,
    pages: Collection[str] = (),
    page_files: Mapping[str, bytes] = MappingProxyType({}),
    pass_name: PassLookup = name_of_pass,
    new_limits: Callable[[], Limits] = Limits,
    timings: HttpTimings = HttpTimings(),  # noqa: B008 - frozen
) -> list[Middleware]:
    """Return what serves the HTTP layer's paths and hands those of the pages on.

    `base_path` returns Streamlit's server.baseUrlPath, `pages` are the pages by their addresses,
    `page_files` their scripts and styles by name,
    `pass_name` tells whose valid pass a Cookie header holds, and an open studio's requests are
    counted by what `new_limits` returns.
    """
    return [
        Middleware(
            BeforePages,
            base_path=base_path,
            pages=pages,
            page_files=page_files,
            pass_name=pass_name,
            new_limits=new_limits,
            timings=timings,
        )
    ]


async def _watch_lag() -> None:
    """Measure how late this loop is for the metrics of whichever studio is open."""
    while True:
        due = perf_counter() + LAG_EVERY_S
        await asyncio.sleep(LAG_EVERY_S)
        if (studio := current_studio()) is not None:
            studio.meters.loop_lag.add(max(0.0, perf_counter() - due), "server")


def _without_query(record: logging.LogRecord) -> bool:
    # Queries hold questions, and access tokens. Streamlit keeps no access log, other hosts may.
    if isinstance(record.args, tuple) and len(record.args) == 5:
        client, method, target, *rest = record.args
        record.args = (client, method, str(target).partition("?")[0], *rest)
    return True


def _reread(read_settings: Callable[[], Settings]) -> None:
    if not has_modules():  # then they are about to be read, and one thread imports
        return
    try:
        fixed = reread_settings(read_settings)
    except AppError as error:
        logger.error("The settings were not read again: %s", error)
    except Exception as error:
        logger.error("The settings were not read again: %s", type(error).__name__)
    else:
        logger.info("The settings were read again")
        if fixed:
            logger.warning("Only a new start changes %s", ", ".join(fixed))


def _loaded(load: Callable[[], None]) -> bool:
    def load_all() -> None:
        load()
        import_module("core.web.studio_routes")

    try:
        bring_modules(load_all)
    except AppError:
        logger.info("Requests are told; it is tried again")
        return False
    return True


def _opened(
    read_settings: Callable[[], Settings],
    announce: "Callable[[Studio], None]",
    build: "Callable[[Settings], Studio] | None",
) -> bool:
    try:
        announce(open_studio(read_settings, build))
    except AppError:
        logger.info("The pages say what is wrong; it is tried again")
        return False
    return True
