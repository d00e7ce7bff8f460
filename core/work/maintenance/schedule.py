"""Schedule of backups: one every so many hours, by whichever process is there, told on Status."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from core.archive.archive import Archive
from core.archive.backup_places import BackupPlace
from core.errors import AppError
from core.settings.operations import BackupSettings
from core.storage.store import Store
from core.work.maintenance.backup import make_backup

logger = logging.getLogger(__name__)

LOOK_EVERY_S = 60.0
# One that was begun and not ended died with its process.
TAKES_MOST = timedelta(hours=6)
AGAIN_AFTER = timedelta(hours=1)
# Processes' clocks differ by less: what is further ahead was noted before a clock was set back.
AHEAD_MOST = timedelta(minutes=10)
_KEY = "backup.scheduled"


@dataclass(frozen=True, slots=True)
class LastBackup:
    """How the last backup that was due went."""

    begun_at: datetime
    state: str  # running, made, failed
    name: str = ""
    size_bytes: int = 0
    lost: int = 0
    error_text_id: str = ""  # of one that was made: why older ones are still there
    error_facts: tuple[tuple[str, object], ...] = ()
    made_at: datetime | None = None  # the last one that was made, this one or an earlier one


class BackupSchedule:
    """Makes backups that are due. Of several processes one makes each."""

    def __init__(
        self,
        store: Store,
        archive: Archive,
        settings: Callable[[], BackupSettings],
        *,
        work_dir: Path,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store = store
        self._archive = archive
        self._settings = settings
        self._work_dir = work_dir
        self._clock = clock

    async def run(self) -> None:
        """Look now and then whether one is due, until cancelled."""
        while True:
            if self._settings().place is not None:
                try:
                    await asyncio.to_thread(self.make_if_due)
                except AppError as error:
                    logger.warning("No backup was made: %s", error)
            await asyncio.sleep(LOOK_EVERY_S)

    def last(self) -> LastBackup | None:
        """Return how the last one went; None where there was none yet."""
        return _read(self._store.key_values.get(_KEY))

    def make_if_due(self) -> bool:
        """Make a backup if it is time, unless another process does; tell whether one was made."""
        settings, now = self._settings(), self._clock()
        known = self._store.key_values.get(_KEY)
        if settings.place is None or not self._is_due(_read(known), settings, now):
            return False
        mine = {"begun_at": now.isoformat(), "state": "running"}
        if (last := _read(known)) is not None and last.made_at is not None:
            mine["made_at"] = last.made_at.isoformat()
        if not self._store.key_values.swap(_KEY, known, mine):
            return False
        try:
            place = BackupPlace(settings.place)
            made = make_backup(self._store, self._archive, place, work_dir=self._work_dir, now=now)
        except Exception as blocking_error:
            if isinstance(blocking_error, AppError):
                error = blocking_error
            else:
                logger.exception("A backup ended with an unexpected error")
                error = AppError()
            self._store.key_values.set(_KEY, mine | {"state": "failed"} | _why(error))
            raise error from blocking_error
        told: dict[str, Any] = {"name": made.name, "size_bytes": made.size_bytes}
        told |= {"lost": len(made.lost), "made_at": now.isoformat()}
        try:
            place.prune(settings.keep, made=made.name)
        except AppError as blocking_error:  # one that was made is made, whoever may remove others
            logger.warning("Older backups could not be removed: %s", blocking_error)
            told |= _why(blocking_error)
        self._store.key_values.set(_KEY, mine | {"state": "made"} | told)
        logger.info("A backup was made: %s", made.name)
        return True

    @staticmethod
    def _is_due(last: LastBackup | None, settings: BackupSettings, now: datetime) -> bool:
        if last is None or last.begun_at > now + AHEAD_MOST:
            return True
        waits = {"running": TAKES_MOST, "failed": AGAIN_AFTER}
        usual = timedelta(hours=settings.hours)
        return now >= last.begun_at + min(usual, waits.get(last.state, usual))


def _why(error: AppError) -> dict[str, Any]:
    return {"error_text_id": error.text_id, "error_facts": error.facts}


def _read(value: Any) -> LastBackup | None:
    try:
        return LastBackup(
            datetime.fromisoformat(value["begun_at"]),
            str(value["state"]),
            str(value.get("name", "")),
            int(value.get("size_bytes", 0)),
            int(value.get("lost", 0)),
            str(value.get("error_text_id", "")),
            tuple(dict(value.get("error_facts", {})).items()),
            datetime.fromisoformat(value["made_at"]) if "made_at" in value else None,
        )
    except (KeyError, TypeError, ValueError):
        return None
