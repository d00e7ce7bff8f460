"""Removes for good what was deleted long ago, and what strangers left behind."""

import asyncio
import logging
from datetime import UTC, datetime, timedelta

from core.errors import AppError
from core.storage.pictures import Archive
from core.storage.store import Store
from core.work.owners import VISITORS
from core.work.uploads import Uploads

logger = logging.getLogger(__name__)

DELETED_KEPT_FOR = timedelta(days=30)
# A stranger's session cannot be found again once it has ended; this is long enough for one.
VISITORS_KEPT_FOR = timedelta(days=1)
EVERY_S = 3600.0


class Housekeeping:
    """Keeps database and archive from growing with what nobody can see any more."""

    def __init__(self, store: Store, archive: Archive, uploads: Uploads | None = None) -> None:
        self._store = store
        self._archive = archive
        self._uploads = uploads

    async def run(self) -> None:
        """Tidy now and then, until cancelled."""
        while True:
            try:
                await asyncio.to_thread(self.tidy, datetime.now(UTC))
            except AppError as error:
                logger.warning("Tidying up waits: %s", error)
            await asyncio.sleep(EVERY_S)

    def tidy(self, now: datetime) -> None:
        """Remove what is due; harmless to repeat, and in several processes at once."""
        long_ago = now - DELETED_KEPT_FOR
        self._archive.sweep_parts(now=now)
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
        self._store.generations.purge(long_ago)
