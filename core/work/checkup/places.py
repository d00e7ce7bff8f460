"""Disk, database and archive: room left, and something written and read back in each."""

import asyncio
import errno
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

from core.archive.archive import Archive
from core.errors import AppError, StoreError
from core.settings.private_files import write_private
from core.storage.db.health import database_health, is_damage
from core.work.checkup.asked import Asked
from core.work.checkup.finding import Finding, found

_FULL = (errno.ENOSPC, errno.EDQUOT)
_CLOSED = (errno.EACCES, errno.EPERM, errno.EROFS)
_WRITTEN = b"written" * 1024
_BUSY_MOST_S = 2.0
_KINDS = {
    "error.store_full": "full",
    "error.store_readonly": "readonly",
    "error.store_locked": "locked",
    "error.store_gone": "gone",
}


async def look_at_places(asked: Asked) -> AsyncIterator[Finding]:
    """Yield how each place is where things are kept; the work is done in threads."""
    yield await asyncio.to_thread(_disk, asked.settings.data_dir, asked.disk_low_bytes)
    yield await asyncio.to_thread(_database, asked)
    yield await asyncio.to_thread(_archive, asked)


def _disk(folder: Path, low_bytes: int) -> Finding:
    probe = folder / f"checkup-{uuid4().hex}.part"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            write_private(probe, _WRITTEN)
            is_same = probe.read_bytes() == _WRITTEN
        finally:
            probe.unlink(missing_ok=True)
        free = shutil.disk_usage(folder).free
    except OSError as error:
        kind = (
            "full" if error.errno in _FULL else "readonly" if error.errno in _CLOSED else "broken"
        )
        detail = errno.errorcode.get(error.errno or 0, "-")
        return found(f"disk_{kind}", place=str(folder), detail=detail)
    if not is_same:
        return found("disk_broken", place=str(folder), detail="-")
    id = "disk_low" if free < low_bytes else "disk_good"
    return found(id, place=str(folder), free=f"{free / 1024**3:.1f}")


def _database(asked: Asked) -> Finding:
    settings = asked.settings
    url = settings.database_url
    try:
        health, place = database_health(
            url.reveal() if url else str(settings.data_dir / "inkling.sqlite3"),
            busy_timeout_s=min(asked.timeout_s, _BUSY_MOST_S),
        )
    except StoreError as error:
        place = str(error.facts.get("place", "-"))
        if is_damage(error):
            return found("database_damaged", place=place)
        kind = _KINDS.get(error.text_id, "broken")
        return found(f"database_{kind}", place=place, detail=error.detail or "-")
    except AppError as error:
        return found("database_broken", place="-", detail=error.text_id)
    return found(f"database_{health}", place=place)


def _archive(asked: Asked) -> Finding:
    settings = asked.settings
    try:
        archive = asked.archive or Archive.open(
            settings.data_dir / "pictures", url=settings.archive_url
        )
        archive.check_writable()
        return found("archive_good", place=archive.place)
    except AppError as error:
        kind = _KINDS.get(error.text_id, "broken")
        kind = kind if kind in ("full", "readonly") else "broken"
        place = str(error.facts.get("place", "-"))
        return found(f"archive_{kind}", place=place, detail=error.detail or "-")
