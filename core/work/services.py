"""Who serves an owner's requests: the configured providers, or practice.

A provider without a key is served by practice for everyone; visitors from elsewhere are served by
practice whatever is configured. The practice server starts when the first of them needs it.
"""

import asyncio
import logging
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

from core.access.owners import may_spend
from core.errors import AppError, ConfigurationError
from core.models.accounts import KlingApiKey, KlingKeyPair
from core.models.generations import Provider
from core.practice.settings import PRACTICE_CHAT_KEY, PRACTICE_KLING_API_KEY
from core.providers.deepseek.client import DeepSeek
from core.providers.deepseek.endpoint import ChatEndpoint
from core.providers.deepseek.timeouts import default_timers
from core.providers.kling.client import Kling
from core.providers.kling.downloads import PictureFetcher
from core.settings import (
    CHAT_SETTINGS,
    DEFAULT_CHAT_MODEL,
    KLING_SETTINGS,
    ChatSettings,
    KlingSettings,
    Settings,
)
from core.work.chat.models import ChatModels
from core.work.chat.service import ChatService
from core.work.generations.generations import ImageService
from core.work.generations.worker import GenerationWorker
from core.work.loop import LoopThread

if TYPE_CHECKING:
    from core.practice.server import PracticeServer

logger = logging.getLogger(__name__)

# Titles and checks of keys are no answers, and may still be under way: they take less than this.
CLOSE_UNUSED_S = 120.0
_PRACTICE = True  # the key of its chat and its pictures below; False is that of the providers
# As often as a worker that is there looks for pictures that nobody works on.
PRACTICE_EVERY_S = 5.0

Mode = Literal["live", "practice", "unusable"]
Credentials = KlingApiKey | KlingKeyPair
WorkerBuilder = Callable[[Provider, Kling, PictureFetcher], GenerationWorker]


class Services:
    """The clients of one process, each built when it is first needed."""

    def __init__(self, settings: Settings, loop: LoopThread, build_worker: WorkerBuilder) -> None:
        self._settings = settings
        self._loop = loop
        self._build_worker = build_worker
        self._lock = threading.RLock()
        self._practice: PracticeServer | None = None
        self._chat: dict[bool, ChatService] = {}
        self._images: dict[bool, ImageService] = {}
        self._retired: list[GenerationWorker] = []
        # What is open, by what it is: a client that ended early is taken out.
        self._closers: dict[object, Callable[[], object]] = {}
        self.models = ChatModels(settings.chat.model if settings.chat else DEFAULT_CHAT_MODEL)

    def start(self) -> None:
        """Build what is configured, and practice where it answers."""
        settings = self._settings
        if settings.chat is not None and settings.chat_barrier is None:
            service = self._chat_of(practice=settings.chat.api_key is None)
            self._loop.spawn(self.models.refresh(service.client), name="list-models")
        is_live = settings.kling is not None and settings.kling.has_credentials
        if is_live and settings.kling_barrier is None:
            self._images_of(practice=False)

    def apply(self, settings: Settings, *, running: Callable[[], frozenset[str]]) -> None:
        """Serve by new settings from now on; what runs ends with the clients it began with."""
        with self._lock:
            old, self._settings = self._settings, settings
            if self._practice is not None and old.practice_clock != settings.practice_clock:
                self._practice.clock.set(settings.practice_clock)
            is_rerouted = old.network != settings.network
            if old.chat != settings.chat or is_rerouted:
                self.models = ChatModels(
                    settings.chat.model if settings.chat else DEFAULT_CHAT_MODEL
                )
                for chat in _taken(self._chat):
                    self._loop.spawn(self._retire_chat(chat.client, running), name="retire-chat")
            live = self._images.get(False)
            if live is not None and (old.kling != settings.kling or is_rerouted):
                del self._images[False]
                self._retired.append(live.worker)
                self._loop.post(live.worker.retire)
        self.start()

    async def look_after_practice(self, *, are_open: Callable[[], bool]) -> None:
        """Build who draws in practice once pictures wait for it; `are_open` is asked in a thread.

        They may be old ones, those of a process that has ended, or some that are fetched again.
        Whoever asks for new ones builds it in any case.
        """
        while self._images.get(_PRACTICE) is None:
            try:
                if await asyncio.to_thread(are_open):
                    await asyncio.to_thread(self._images_of, practice=True)
            except AppError as error:
                logger.warning("Whether practice pictures wait cannot be told: %s", error)
            await asyncio.sleep(PRACTICE_EVERY_S)

    def close(self) -> None:
        """End the clients, the workers and the practice server."""
        for close in tuple(self._closers.values()):
            close()

    def close_practice(self) -> None:
        """End the practice server, last of all."""
        if self._practice is not None:
            self._practice.stop()

    def chat(self, owner: str) -> ChatService:
        """Return who answers this owner; ConfigurationError when nobody can."""
        settings = self._settings.chat
        if not may_spend(owner):
            return self._chat_of(practice=True)
        if settings is None:
            raise self._problem(CHAT_SETTINGS)
        if (barrier := self._settings.chat_barrier) is not None:
            raise barrier
        return self._chat_of(practice=settings.api_key is None)

    def images(self, owner: str) -> ImageService:
        """Return who draws for this owner; ConfigurationError when nobody can.

        Not on a loop: practice is read in and started here, which takes half a second.
        """
        return self._images_of(practice=self.image_provider(owner) == "practice")

    def image_provider(self, owner: str) -> Provider:
        """Return by what name who draws for this owner goes; ConfigurationError as in `images`."""
        settings = self._settings.kling
        if not may_spend(owner):
            return "practice"
        if settings is None:
            raise self._problem(KLING_SETTINGS)
        if (barrier := self._settings.kling_barrier) is not None:
            raise barrier
        return "kling" if settings.has_credentials else "practice"

    def chat_mode(self, owner: str) -> Mode:
        """Tell whether this owner's chat is live, practice, or not to be had."""
        settings = self._settings.chat
        is_usable = settings is not None and self._settings.chat_barrier is None
        return _mode(owner, is_usable=is_usable, has_key=_has_chat_key(settings))

    def image_mode(self, owner: str) -> Mode:
        """Tell whether this owner's pictures are live, practice, or not to be had."""
        settings = self._settings.kling
        has_key = settings is not None and settings.has_credentials
        is_usable = settings is not None and self._settings.kling_barrier is None
        return _mode(owner, is_usable=is_usable, has_key=has_key)

    def workers(self) -> tuple[GenerationWorker, ...]:
        """Return the picture workers that run."""
        with self._lock:
            self._retired = [worker for worker in self._retired if not worker.has_ended]
            return (*(service.worker for service in self._images.values()), *self._retired)

    def _chat_of(self, *, practice: bool) -> ChatService:
        # Looked up first: while another thread builds, those who ask on a loop must not wait.
        if (built := self._chat.get(practice)) is not None:
            return built
        with self._lock:
            if practice not in self._chat:
                self._chat[practice] = self._build_chat(practice=practice)
            return self._chat[practice]

    def _images_of(self, *, practice: bool) -> ImageService:
        if (built := self._images.get(practice)) is not None:
            return built
        with self._lock:
            if practice not in self._images:
                self._images[practice] = self._build_images(practice=practice)
            return self._images[practice]

    def _build_chat(self, *, practice: bool) -> ChatService:
        settings = self._settings.chat or ChatSettings()
        url, key = settings.url, settings.api_key
        if practice or key is None:
            practice, url = True, self._practice_server().chat_url
        timers = default_timers(ChatEndpoint(url, practice))
        timers = replace(
            timers,
            socket_silence_s=settings.socket_silence_s or timers.socket_silence_s,
            data_silence_s=settings.data_silence_s or timers.data_silence_s,
        )
        client = DeepSeek(
            url=url,
            api_key=PRACTICE_CHAT_KEY if practice or key is None else key.reveal(),
            practice=practice,
            timers=timers,
            network=self._settings.network,
        )
        self._closers[client] = lambda: self._loop.call(client.aclose())
        endpoint = ChatEndpoint(url, practice)
        name = "deepseek" if endpoint.is_deepseek else endpoint.host
        return ChatService(client, practice, "practice" if practice else name)

    def _build_images(self, *, practice: bool) -> ImageService:
        credentials = None if practice else _credentials(self._settings.kling)
        provider: Provider = "practice" if credentials is None else "kling"
        if credentials is None or self._settings.kling is None:
            origin = self._practice_server().origin
        else:
            origin = self._settings.kling.origin
        kling = Kling(
            origin=origin,
            credentials=credentials or KlingApiKey(PRACTICE_KLING_API_KEY),
            practice=credentials is None,
            network=self._settings.network,
        )
        fetcher = PictureFetcher(origin=origin, network=self._settings.network)
        worker = self._build_worker(provider, kling, fetcher)
        self._closers[worker] = lambda: self._loop.call(worker.stop())
        self._closers[kling] = lambda: self._loop.call(kling.aclose())
        self._closers[fetcher] = lambda: self._loop.call(fetcher.aclose())
        self._loop.spawn(self._run(worker, kling, fetcher), name=f"generations-{provider}")
        return ImageService(provider, worker, kling)

    async def _run(self, worker: GenerationWorker, kling: Kling, fetcher: PictureFetcher) -> None:
        await worker.run()
        # It was retired, and nothing is left for it to do.
        await kling.aclose()
        await fetcher.aclose()
        for ended in (worker, kling, fetcher):
            self._closers.pop(ended, None)

    async def _retire_chat(self, client: DeepSeek, running: Callable[[], frozenset[str]]) -> None:
        """Close a client that nothing begins with any more, once the answers it may give ended."""
        await asyncio.sleep(CLOSE_UNUSED_S)
        old = running()
        while old:
            await asyncio.sleep(CLOSE_UNUSED_S)
            old &= running()
        await client.aclose()
        self._closers.pop(client, None)

    def _practice_server(self) -> "PracticeServer":
        if self._practice is None:
            # Five megabytes that a studio with keys does without.
            from core.practice.server import PracticeServer  # noqa: PLC0415

            settings = self._settings
            journal = settings.data_dir / "practice.jsonl"
            practice = PracticeServer(journal=journal, clock=settings.practice_clock)
            practice.start()
            self._practice = practice
        return self._practice

    def ahead_of(self, provider: str) -> timedelta:
        """Return how far a provider's clock is ahead of ours: practice's may be set."""
        if provider != "practice" or self._practice is None:
            return timedelta(0)
        return self._practice.clock.ahead

    def _problem(self, keys: tuple[str, ...]) -> ConfigurationError:
        return self._settings.problems_of(*keys)[0]


def _taken(built: dict[bool, ChatService]) -> tuple[ChatService, ...]:
    taken = tuple(built.values())
    built.clear()
    return taken


def _mode(owner: str, *, is_usable: bool, has_key: bool) -> Mode:
    if not may_spend(owner):
        return "practice"
    if not is_usable:
        return "unusable"
    return "live" if has_key else "practice"


def _has_chat_key(settings: ChatSettings | None) -> bool:
    return settings is not None and settings.api_key is not None


def _credentials(settings: KlingSettings | None) -> Credentials | None:
    if settings is None:
        return None
    if settings.api_key is not None:
        return KlingApiKey(settings.api_key.reveal())
    if settings.access_key is None or settings.secret_key is None:
        return None
    return KlingKeyPair(settings.access_key.reveal(), settings.secret_key.reveal())
