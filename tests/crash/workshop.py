"""The picture side of the studio in this process: store, archive, worker, on a loop of its own."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any, Self
from uuid import uuid4

from core.archive.archive import Archive
from core.models.accounts import KlingApiKey
from core.models.generations import Generation, GenerationStatus, ImageRequest
from core.providers.kling.client import Kling
from core.providers.kling.downloads import PictureFetcher
from core.settings.money import MoneySettings
from core.storage.store import Store
from core.work.generations.generations import Generations, ImageService
from core.work.generations.timings import WorkerTimings
from core.work.generations.worker import GenerationWorker
from core.work.loop import LoopThread
from core.work.money.spending import Spending

# What lasts half a minute for real money lasts a second here; the order of things is the same. A
# lease is longer: a process that stands still for most of it on a busy machine lets its tasks go,
# which is right, and not what most tests are about. Where leases run out, they are SHORT.
QUICK = WorkerTimings(
    lease_s=10.0,
    claim_every_s=0.2,
    resend_after_s=1.0,
    resend_longest_s=2.0,
    lookup_every_s=0.15,
    duplicate_timeout_s=10.0,
    poll_shortest_s=0.05,
    poll_longest_s=0.2,
    retry_first_s=0.05,
    retry_longest_s=0.3,
    fetch_retry_longest_s=0.3,
    store_retry_longest_s=0.2,
    rest_first_s=0.1,
    rest_longest_s=0.4,
)
SHORT = replace(QUICK, lease_s=4.0)
OWNER = "local"
DEADLINE_S = 90.0


def wait_for(fact: Callable[[], Any], what: str, *, deadline_s: float = DEADLINE_S) -> Any:
    """Return what `fact` returns once it is true."""
    until = time.monotonic() + deadline_s
    while not (result := fact()):
        assert time.monotonic() < until, f"waited in vain for: {what}"
        time.sleep(0.01)
    return result


class Workshop:
    """Opens on a folder, works at an origin, and can be closed and opened again."""

    def __init__(
        self,
        folder: Path,
        origin: str,
        *,
        store_url: str | None = None,
        key: str = "one-account",
        timings: WorkerTimings = QUICK,
        busy_timeout_s: float = 15.0,
        archive: Path | None = None,
        **worker_options: Any,
    ) -> None:
        self._is_open = True
        self.loop = LoopThread()
        self.store = Store.open(store_url or folder / "inkling.db", busy_timeout_s=busy_timeout_s)
        self.archive = Archive.open(archive or folder / "pictures")
        self.kling = Kling(origin=origin, credentials=KlingApiKey(key))
        self._fetcher = PictureFetcher(origin)
        self.process_id = uuid4().hex
        self.worker = GenerationWorker(
            provider="kling",
            store=self.store,
            archive=self.archive,
            kling=self.kling,
            fetcher=self._fetcher,
            process_id=self.process_id,
            timings=timings,
            random=Random(1),
            **worker_options,
        )
        service = ImageService("kling", self.worker, self.kling)
        self.generations = Generations(
            loop=self.loop,
            store=self.store,
            service=lambda owner: service,
            spending=Spending(MoneySettings, lambda _provider: "CNY"),
            workers=lambda: (self.worker,),
        )

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> Self:
        """Begin to work, as a studio does: with what an earlier process left."""
        if self.store.opened_as_only_process:
            self.store.leases.take_over(self.process_id)
        self.loop.spawn(self.worker.run(), name="generations")
        return self

    def close(self) -> None:
        """Stop as the studio does; again is no error."""
        if not self._is_open:
            return
        self._is_open = False
        self.loop.call(self.worker.stop())
        self.loop.call(self.kling.aclose())
        self.loop.call(self._fetcher.aclose())
        self.loop.close()
        self.store.close()

    def ask(self, n: int = 1, prompt: str = "a hill", **more: Any) -> Generation:
        """Wish for pictures."""
        return self.generations.request(OWNER, ImageRequest(prompt, n=n), **more)

    def row(self, generation: Generation) -> Generation:
        """Return how the row stands now."""
        row = self.store.generations.load(generation.id)
        assert row is not None
        return row

    def wait_until(
        self, generation: Generation, *statuses: GenerationStatus, deadline_s: float = DEADLINE_S
    ) -> Generation:
        """Return the row once it has one of these statuses."""
        wait_for(
            lambda: self.row(generation).status in statuses,
            f"{statuses}, it is {self.row(generation)}",
            deadline_s=deadline_s,
        )
        return self.row(generation)

    def wait_until_all_done(self, *, deadline_s: float = DEADLINE_S) -> tuple[Generation, ...]:
        """Return all rows once none is open."""
        listing = self.store.generation_lists.list
        wait_for(
            lambda: not listing(OWNER, active_only=True, limit=1).items,
            "all generations to end",
            deadline_s=deadline_s,
        )
        return listing(OWNER, limit=500).items
