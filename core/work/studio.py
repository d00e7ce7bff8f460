"""The studio: built once per process, it owns the loop thread, the clients, the store and all work.

Pages and HTTP routes reach everything through it. It opens with whatever is configured: a provider
without a key is served by the practice server, one whose configuration is unusable says so when it
is asked, and a store that cannot be opened is an error the page shows and tries again.
"""

import logging
import os
import threading
import uuid
from collections.abc import Sequence
from dataclasses import replace

from core.access.invitations import Invitations
from core.access.issued_tokens import IssuedToken, IssuedTokens
from core.access.passes import Passes
from core.access.standing import still_may
from core.archive.archive import Archive
from core.models.access_scopes import AccessScopes
from core.models.generations import Provider
from core.providers.kling.client import Kling
from core.providers.kling.downloads import PictureFetcher
from core.settings import Settings
from core.settings.values import secrets_of
from core.storage.store import Store
from core.wire.masking.secrets import known_secrets
from core.work.chat.answers import Answers
from core.work.chat.indexing import Indexing
from core.work.chat.timings import AnswerTimings
from core.work.checkup.live import Checkups
from core.work.drawing.proposals import Proposals
from core.work.generations.generations import Generations
from core.work.generations.timings import WorkerTimings
from core.work.generations.worker import GenerationWorker
from core.work.housekeeping import Housekeeping
from core.work.loop import LoopThread
from core.work.maintenance.schedule import BackupSchedule
from core.work.metrics.exposition import Scraped, exposition
from core.work.metrics.meters import Meters
from core.work.money.accounts import Accounts
from core.work.money.budgets import Budgets, token_budgets
from core.work.money.spending import Spending
from core.work.money.upkeep import Currencies, LedgerUpkeep
from core.work.services import Services
from core.work.speech.speech import Speech
from core.work.speech.voices import Voices
from core.work.transfer.transfers import Transfers
from core.work.xray.watch import ExchangeWatch

logger = logging.getLogger(__name__)


# Where things are kept is settled when the store opens, sign-in when Streamlit starts.
_FIXED = {
    "INKLING_DATA_DIR": "data_dir",
    "DATABASE_URL": "database_url",
    "INKLING_ARCHIVE_URL": "archive_url",
    "[auth]": "sign_in",
}


class Studio:
    """Everything that outlives a page. Open it with `Studio.open`, end it with `close`."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        archive: Archive,
        *,
        timings: WorkerTimings | None = None,
        answer_timings: AnswerTimings = AnswerTimings(),  # noqa: B008 - frozen
    ) -> None:
        self.settings = settings
        self._timings = timings
        self.store = store
        self.archive = archive
        self.passes = Passes(store.key_values, lambda: self.settings.access.page_tokens)
        self.tokens = IssuedTokens(store.key_values, lambda: self.settings.access.tokens)
        self.invitations = Invitations(store.key_values)
        self.xray = ExchangeWatch()
        self._closing = threading.Event()
        self.process_id = uuid.uuid4().hex
        self.transfers = Transfers(store, settings.data_dir)
        self.meters = Meters()
        store.note_times(self.meters.store.add)
        archive.note_time = self.meters.archive.add
        self.loop = LoopThread()
        self.checkups = Checkups(self.loop, lambda: self.settings, archive, os.environ)
        self.budgets = Budgets(
            store, lambda: self.settings.money.plan, lambda: token_budgets(self.tokens)
        )
        self.currencies = Currencies(store)
        self.spending = Spending(
            lambda: self.settings.money,
            self.currencies.of,
            ahead_of=lambda provider: self.services.ahead_of(provider),
        )
        self.services = Services(settings, self.loop, self._build_worker)
        self.accounts = Accounts(self.loop, self.store, self.services, self.currencies)
        self.backups = BackupSchedule(
            store, archive, lambda: self.settings.backup, work_dir=settings.data_dir
        )
        self._indexing = Indexing(
            store.search_index, is_busy=lambda: bool(self.answers.running_conversations())
        )
        self.answers = Answers(
            loop=self.loop,
            store=store,
            process_id=self.process_id,
            service=self.services.chat,
            spending=self.spending,
            models=lambda: self.services.models,
            timings=answer_timings,
            on_saved=self._indexing.wake,
            on_ended=self.meters.answer_ended,
        )
        self.proposals = Proposals(
            loop=self.loop,
            store=store,
            service=self.services.chat,
            spending=self.spending,
            models=lambda: self.services.models,
        )
        self.voices = Voices(lambda: self.settings, self.loop)
        self.speech = Speech(
            store=store,
            archive=archive,
            voices=self.voices,
            spending=self.spending,
            request=lambda: self.generations.request,
        )
        self.generations = Generations(
            loop=self.loop,
            store=store,
            service=self.services.images,
            spending=self.spending,
            workers=self.services.workers,
        )

    @classmethod
    def open(
        cls,
        settings: Settings,
        *,
        timings: WorkerTimings | None = None,
        answer_timings: AnswerTimings = AnswerTimings(),  # noqa: B008 - frozen
    ) -> "Studio":
        """Open store and archive, settle what an earlier process left, and begin to work.

        `timings` are the picture workers'; None is as patient as real money asks for.
        """
        known_secrets.replace(secrets_of(settings))
        archive = Archive.open(settings.data_dir / "pictures", url=settings.archive_url)
        database = settings.database_url
        store = Store.open(database.reveal() if database else settings.data_dir / "inkling.sqlite3")
        try:
            studio = cls(settings, store, archive, timings=timings, answer_timings=answer_timings)
        except BaseException:
            store.close()
            raise
        try:
            studio._start()
        except BaseException:
            studio.close()
            raise
        return studio

    def chat_models(self) -> tuple[str, ...]:
        """Return the models to choose from, as far as the provider has told by now."""
        return self.services.models.names()

    def metrics(self) -> bytes:
        """Return what Prometheus scrapes. It reads the store: not from an event loop."""
        running = len(self.answers.running_conversations())
        return exposition(Scraped(self.meters, self.store, self.backups, running))

    def apply(self, settings: Settings) -> tuple[str, ...]:
        """Go on with other settings; return the names of those that only a new start changes.

        What runs ends as it began: under the key it was asked with.
        """
        kept = {name: getattr(self.settings, field) for name, field in _FIXED.items()}
        fixed = tuple(
            name for name, field in _FIXED.items() if getattr(settings, field) != kept[name]
        )
        settings = replace(settings, **{_FIXED[name]: kept[name] for name in kept})
        known_secrets.replace(secrets_of(settings))
        self.services.apply(settings, running=self.answers.running_conversations)
        self.settings = settings  # one assignment: whoever reads sees the old or the new ones
        self.budgets.apply()
        self.xray.set(on=settings.xray)
        for problem in settings.problems:
            logger.warning("%s", problem)
        return fixed

    def issued_token(self, presented: Sequence[str]) -> IssuedToken | None:
        """Return the token made on the page that is among those presented; StoreError.

        What its bearer may spend holds from now on, whichever process made it.
        """
        if (found := self.tokens.find(presented)) is not None:
            self.budgets.know(found.budget)
        return found

    def still_may(self, caller: str, wanted: AccessScopes) -> bool:
        """Tell whether somebody who was given a signed link would still be let in; StoreError."""
        access = self.settings.access
        return still_may(caller, wanted, access=access, passes=self.passes, issued=self.tokens)

    @property
    def is_closing(self) -> bool:
        """Whether it is being closed: whoever waits for its work is to stop waiting."""
        return self._closing.is_set()

    def close(self) -> None:
        """Stop all work; what was running is kept as it stands and goes on at the next start."""
        self._closing.set()
        self.xray.set(on=False)
        self.transfers.close()
        try:
            self.answers.close()
        except TimeoutError:
            logger.warning("Some answers did not end in time")
        self.services.close()
        self.loop.call(self.voices.aclose())
        self.loop.close()
        self.answers.end_late()
        self.services.close_practice()
        self.store.close()

    def _start(self) -> None:
        for problem in self.settings.problems:
            logger.warning("%s", problem)
        if self.store.opened_as_only_process:
            interrupted = self.store.running_answers.interrupt_others(self.process_id)
            if interrupted:
                logger.info("%d answers were interrupted by the last end of the app", interrupted)
            self.store.leases.take_over(self.process_id)
        self.xray.set(on=self.settings.xray)
        self.currencies.load()
        self.budgets.load()
        self.services.start()
        self.loop.spawn(
            self.services.look_after_practice(are_open=self._has_open_practice), name="practice"
        )
        self.answers.start()
        self.passes.refresh()
        self.loop.spawn(self.passes.run(), name="passes")
        self.loop.spawn(self._indexing.run(), name="indexing")
        self.loop.spawn(
            LedgerUpkeep(self.store, self.spending, refresh=self.budgets.load).run(), name="ledger"
        )
        if self.settings.chat is not None:
            self.accounts.learn_currency()
        self.loop.spawn(self.meters.watch_loop("studio"), name="loop-lag")
        self.loop.spawn(self.backups.run(), name="backups")
        self.loop.spawn(
            Housekeeping(self.store, self.archive, self.transfers.uploads).run(),
            name="housekeeping",
        )

    def _has_open_practice(self) -> bool:
        counts = self.store.generation_lists.counts("practice")
        return any(count for status, count in counts.items() if not status.is_final)

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
            timings=self._timings,
        )
