"""Removes for good what was deleted long ago, and what strangers left behind."""

import asyncio
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from core.access.owners import VISITORS
from core.archive.archive import Archive
from core.errors import AppError
from core.storage.store import Store
from core.work.transfer.uploads import Uploads
from core.work.xray.keeping import forget_orphans

logger = logging.getLogger(__name__)

DELETED_KEPT_FOR = timedelta(days=30)
# A stranger's session cannot be found again once it has ended; this is long enough for one.
VISITORS_KEPT_FOR = timedelta(days=1)
EVERY_S = 3600.0
OFF_MOST = timedelta(days=7)
_LAST_KEY = "housekeeping.counted_until"


class Housekeeping:
    """Keeps database and archive from growing with what nobody can see any more."""

    def __init__(
        self,
        store: Store,
        archive: Archive,
        uploads: Uploads | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._archive = archive
        self._uploads = uploads
        self._clock = clock
        self._last: tuple[datetime, float] | None = None  # counted up to here, at that moment

    async def run(self) -> None:
        """Tidy now and then, until cancelled."""
        while True:
            try:
                await asyncio.to_thread(lambda: self.tidy(self._ages_from()))
            except AppError as error:
                logger.warning("Tidying up waits: %s", error)
            await asyncio.sleep(EVERY_S)

    def _ages_from(self) -> datetime:
        """Return the moment that ages are counted from: never further on than is known to be so.

        A clock that jumps weeks ahead must delete nothing. While the app runs, the monotonic clock
        tells how much time went by; while it was off the other one is believed up to OFF_MOST.
        """
        now, monotonic = datetime.now(UTC), self._clock()
        if self._last is not None:
            moment, at = self._last
            passed = moment + timedelta(seconds=monotonic - at)
        else:
            moment, wall = _noted(self._store.key_values.get(_LAST_KEY), now)
            if now < wall:
                # Behind what it was, as where no battery keeps it: how much time went by is known
                # once it is right again. What is counted from a wrong start stays wrong.
                return min(now, moment)
            # By what the other clock went on since the last note: one that is wrong is so from
            # start to start, and each of them would add as much again.
            passed = moment + min(OFF_MOST, now - wall)
        self._last = (passed, monotonic)
        if passed <= now:
            note = {"counted": passed.isoformat(), "wall": now.isoformat()}
            self._store.key_values.set(_LAST_KEY, note)
        return min(now, passed)

    def tidy(self, now: datetime, *, deleted_kept_for: timedelta = DELETED_KEPT_FOR) -> None:
        """Remove what is due; harmless to repeat, and in several processes at once."""
        long_ago = now - deleted_kept_for
        self._archive.sweep_parts()
        if self._uploads is not None:
            self._uploads.sweep()
        self._store.expiry.expire(
            VISITORS, before=now - VISITORS_KEPT_FOR, deleted_at=long_ago - timedelta(seconds=1)
        )
        self._store.conversations.purge(long_ago)
        while expired := self._store.gallery.deleted_pictures(long_ago):
            for picture in expired:
                self._archive.remove(picture.name)
            self._store.gallery.forget_pictures([picture.id for picture in expired])
        self._store.generation_lists.purge(long_ago)
        self._store.lineage.purge()
        forget_orphans(self._store)


def _noted(note: object, now: datetime) -> tuple[datetime, datetime]:
    """Return up to where was counted, and what the wall clock told then; once it was the former."""
    if isinstance(note, str):
        moment = datetime.fromisoformat(note)
        return moment, min(moment, now - OFF_MOST)
    if not isinstance(note, dict):
        return now, now
    return datetime.fromisoformat(note["counted"]), datetime.fromisoformat(note["wall"])
