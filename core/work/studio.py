"""The studio: built once per process, it owns the loop thread, the clients, the store and all work.

Pages and HTTP routes reach everything through it. It opens with whatever is configured: a provider
without a key is served by the practice server, one whose configuration is unusable says so when it
is asked, and a store that cannot be opened is an error the page shows and tries again.
"""

import logging
import threading
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from core.errors import AppError
from core.providers.deepseek_wire import Balance
from core.providers.downloads import PictureFetcher
from core.providers.kling import Kling
from core.providers.kling_wire import AccountCosts
from core.settings import Settings
from core.storage.pictures import Archive
from core.storage.store import Store
from core.work.answers import Answers
from core.work.generation_worker import GenerationWorker
from core.work.generations import Generations
from core.work.housekeeping import Housekeeping
from core.work.indexing import Indexing
from core.work.loop import LoopThread
from core.work.owners import LOCAL_OWNER
from core.work.pace import Pace
from core.work.services import Services
from core.work.task_follower import Provider
from core.work.transfers import Transfers

logger = logging.getLogger(__name__)

ACCOUNT_TIMEOUT_S = 60.0


class Studio:
    """Everything that outlives a page. Open it with `Studio.open`, end it with `close`."""

    def __init__(
        self, settings: Settings, store: Store, archive: Archive, *, pace: Pace | None = None
    ) -> None:
        self.settings = settings
        self._pace = pace
        self.store = store
        self.archive = archive
        self.process_id = uuid.uuid4().hex
        self.transfers = Transfers(store, settings.data_dir)
        self.loop = LoopThread()
        self.services = Services(settings, self.loop, self._build_worker)
        self._indexing = Indexing(
            store.search_index, is_busy=lambda: bool(self.answers.running_conversations())
        )
        self.answers = Answers(
            loop=self.loop,
            store=store,
            process_id=self.process_id,
            service=self.services.chat,
            told_saved=self._indexing.poke,
        )
        self.generations = Generations(
            loop=self.loop,
            store=store,
            service=self.services.images,
            workers=self.services.workers,
        )

    @classmethod
    def open(cls, settings: Settings, *, pace: Pace | None = None) -> "Studio":
        """Open store and archive, settle what an earlier process left, and begin to work.

        `pace` is how patient the picture workers are; None is as patient as real money asks for.
        """
        archive = Archive.open(settings.data_dir / "pictures", url=settings.archive_url)
        database = settings.database_url
        store = Store.open(database.reveal() if database else settings.data_dir / "inkling.sqlite3")
        studio = cls(settings, store, archive, pace=pace)
        try:
            studio._start()
        except BaseException:
            studio.close()
            raise
        return studio

    def chat_models(self) -> tuple[str, ...]:
        """Return the models to choose from, as far as the provider has told by now."""
        return self.services.models.names()

    def chat_account(self) -> Balance:
        """Ask the chat provider what is left; free. NotFoundError where it does not tell."""
        asking = self.services.chat(LOCAL_OWNER).client.balance()
        return self.loop.call(asking, timeout_s=ACCOUNT_TIMEOUT_S)

    def check_chat_key(self) -> None:
        """Ask the chat provider for its models: raises what a refused key raises; free."""
        asking = self.services.chat(LOCAL_OWNER).client.list_models()
        self.loop.call(asking, timeout_s=ACCOUNT_TIMEOUT_S)

    def image_account(self) -> AccountCosts:
        """Ask Kling for the account's packages of the last month; free."""
        now = datetime.now(UTC)
        kling = self.services.images(LOCAL_OWNER).kling
        asking = kling.costs(start=now - timedelta(days=30), end=now)
        return self.loop.call(asking, timeout_s=ACCOUNT_TIMEOUT_S)

    def close(self) -> None:
        """Stop all work; what was running is kept as it stands and goes on at the next start."""
        self.transfers.close()
        try:
            self.answers.close()
        except TimeoutError:
            logger.warning("Some answers did not end in time")
        self.services.close()
        self.loop.close()
        self.answers.end_late()
        self.services.close_practice()
        self.store.close()

    def _start(self) -> None:
        for problem in self.settings.problems:
            logger.warning("%s", problem)
        now = datetime.now(UTC)
        alone = self.store.opened_alone
        interrupted = self.store.messages.interrupt_dead(
            self.process_id, process_is_alone=alone, now=now
        )
        if interrupted:
            logger.info("%d answers were interrupted by the last end of the app", interrupted)
        self.store.leases.take_over(self.process_id, process_is_alone=alone, now=now)
        open_practice = self.store.generations.counts("practice").items()
        self.services.start(
            practice_pictures_are_open=any(
                count for status, count in open_practice if not status.is_final
            )
        )
        self.answers.start()
        self.loop.spawn(self._indexing.run(), name="indexing")
        self.loop.spawn(
            Housekeeping(self.store, self.archive, self.transfers.uploads).run(),
            name="housekeeping",
        )

    def _build_worker(
        self, provider: Provider, kling: Kling, fetcher: PictureFetcher
    ) -> GenerationWorker:
        return GenerationWorker(
            provider=provider,
            store=self.store,
            archive=self.archive,
            kling=kling,
            fetcher=fetcher,
            process_id=self.process_id,
            pace=self._pace,
        )


# -- one per process -------------------------------------------------------------------------------

_lock = threading.Lock()
_studio: Studio | None = None
_trouble: AppError | None = None


def open_studio(read_settings: Callable[[], Settings]) -> Studio:
    """Return the studio of this process, building it at the first call; raises AppError."""
    global _studio, _trouble  # one per process is the point
    with _lock:
        if _studio is None:
            try:
                _studio = Studio.open(read_settings())
                _trouble = None
            except AppError as error:
                _trouble = error
                logger.error("The studio cannot open: %s", error)
                raise
        return _studio


def current_studio() -> Studio | None:
    """Return the studio of this process if it is open; never waits."""
    return _studio


def opening_trouble() -> AppError | None:
    """Return why the studio could not open the last time; None once it is open."""
    return _trouble


def close_studio() -> None:
    """Close the studio of this process, if it is open."""
    global _studio
    with _lock:
        studio, _studio = _studio, None  # nobody may find it while it closes
        if studio is not None:
            studio.close()
