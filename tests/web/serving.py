"""The HTTP layer on a real port, in this process: routes, studio, and a provider of the test's."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import ASGIApp

from core.models.money.ledger import DEFAULT_ZONE
from core.practice.server import PracticeServer
from core.practice.settings import PracticeSettings
from core.settings import AccessSettings, ChatSettings, KlingSettings, Secret, Settings
from core.web.server import lifespan, middleware
from core.work.chat.timings import AnswerTimings
from core.work.process_studio import close_studio, current_studio
from core.work.studio import Studio
from tests.threads_client import threads_client
from tests.waiting import PATIENCE_S, until

CALL_S = 60.0  # what looks through all that a test left behind, beside two other workers
CHAT_KEY = "sk-live-0123456789abcdef"
KLING_KEY = "kling-live-0123456789abcdef"
QUICK = PracticeSettings(
    chat_key=CHAT_KEY,
    kling_api_key=KLING_KEY,
    first_delta_s=0.01,
    delta_interval_s=0.001,
    keep_alive_s=0.2,
    submitted_s=0.05,
    processing_s=0.1,
    picture_pixels=256,
    concurrent_pictures=100,
)


# A studio that asks no provider twice: its errors come at once.
ask_once = partial(Studio.open, answer_timings=AnswerTimings(retries=0))


@dataclass
class Served:
    """A running layer: its address, its studio, and a client for it."""

    port: int
    studio: Studio
    http: httpx.Client

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def kept(self, answer_id: str) -> Any:
        """Return an answer as the history has it, once it has ended there."""
        find = self.studio.store.messages.get
        return until(
            lambda: (one := find("local", answer_id)) and one.status.is_final and one,
            "the answer is in the history",
        )


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_up = threading.Event()

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        self.is_up.set()


@contextmanager
def serving(
    data_dir: Path,
    *,
    chat_url: str = "",
    kling_origin: str = "",
    access: AccessSettings | None = None,
    settings: Settings | None = None,
    build: Callable[[Settings], Studio] = Studio.open,
    open_again_s: float = 5.0,
    **options: Any,
) -> Iterator[Served]:
    """Serve the layer with these providers; without an address, with practice.

    Its budgets count by the days of a zone in which it is noon now: none ends during a test.
    `build` opens the studio, `options` are those of the middleware.
    """
    close_studio()
    chosen = settings or Settings(
        data_dir=data_dir,
        chat=ChatSettings(url=chat_url, api_key=Secret(CHAT_KEY)) if chat_url else ChatSettings(),
        kling=(
            KlingSettings(origin=kling_origin, api_key=Secret(KLING_KEY))
            if kling_origin
            else KlingSettings()
        ),
        access=access or AccessSettings(),
    )
    if (plan := chosen.money.plan).zone == DEFAULT_ZONE:
        chosen = replace(chosen, money=replace(chosen.money, plan=replace(plan, zone=noon_zone())))
    with listening(lambda: chosen, build=build, open_again_s=open_again_s, **options) as (
        port,
        client,
    ):
        studio = until(current_studio, "the studio is open")
        yield Served(port, studio, client)


def noon_zone() -> str:
    """Return a time zone in which it is between noon and one now."""
    behind = datetime.now(UTC).hour - 12
    return f"Etc/GMT{behind:+d}"  # whose signs are the other way round than elsewhere


@contextmanager
def listening(
    read_settings: Callable[[], Settings],
    pages: ASGIApp | None = None,
    /,
    *,
    build: Callable[[Settings], Studio] = Studio.open,
    load: Callable[[], None] = lambda: None,
    open_again_s: float = 5.0,
    **options: Any,
) -> Iterator[tuple[int, httpx.Client]]:
    """Serve the layer before `pages`, whether or not its studio is open already.

    `load` imports what the pages are made of, `options` are those of the middleware.
    """
    app = Starlette(
        middleware=middleware(**options),
        lifespan=lifespan(
            read_settings,
            warm_up=lambda: None,
            load=load,
            build=build,
            open_again_s=open_again_s,
        ),
        routes=[Mount("/", pages)] if pages else [],
    )
    server = _Server(
        uvicorn.Config(
            app, port=0, log_config=None, lifespan="on", timeout_graceful_shutdown=1, ws="none"
        )
    )
    thread = threading.Thread(target=server.run, name="served", daemon=True)
    thread.start()
    assert server.is_up.wait(PATIENCE_S)
    port = server.servers[0].sockets[0].getsockname()[1]
    client = threads_client(f"http://127.0.0.1:{port}", CALL_S)
    try:
        yield port, client
    finally:
        client.close()
        server.should_exit = True
        thread.join(PATIENCE_S)
        close_studio()


@contextmanager
def serving_practice(
    data_dir: Path,
    practice: PracticeServer,
    access: AccessSettings | None = None,
    **options: Any,
) -> Iterator[Served]:
    """Serve the layer with a practice server in the place of both providers, keys and all."""
    with serving(
        data_dir,
        chat_url=practice.chat_url,
        kling_origin=practice.origin,
        access=access,
        **options,
    ) as served:
        yield served
