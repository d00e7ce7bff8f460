"""Backup places: a folder, or an fsspec URL (S3 and the like), in which backups lie side by side.

A backup has its name only once it is whole; of each place the newest few are kept.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO, cast
from uuid import uuid4

from core.archive.file_streams import PlaceStream
from core.archive.remote_files import without_secrets
from core.errors import StoreError
from core.storage.db.errors import remote_errors

_NAME = re.compile(r"inkling-(?P<made_at>\d{8}T\d{6}Z)\.tar")
_ARRIVING = ".part"
_LEFT = re.compile(_NAME.pattern + r"\.[0-9a-f]{32}" + re.escape(_ARRIVING))
# So much older than the newest backup, a part that is still there is nobody's.
_LEFT_FOR = timedelta(days=1)


def backup_name(made_at: datetime) -> str:
    """Return a backup's name; names sort by time."""
    return f"inkling-{made_at.astimezone(UTC):%Y%m%dT%H%M%SZ}.tar"


class BackupPlace:
    """Where backups lie. StoreError names the place, without its password."""

    def __init__(self, folder_or_url: str) -> None:
        self._is_local = "://" not in folder_or_url
        place = str(Path(folder_or_url).expanduser().absolute())
        self.place = place if self._is_local else without_secrets(folder_or_url)
        from fsspec.core import url_to_fs  # noqa: PLC0415 - for who has such a place

        try:
            self._files, root = url_to_fs(place if self._is_local else folder_or_url)
        except (ImportError, ValueError) as error:
            # The message may quote the URL, and that may hold a key.
            raise StoreError("error.archive_backend", facts={"place": self.place}) from error
        self._root = root.rstrip("/")

    @contextmanager
    def new(self, name: str) -> Iterator[BinaryIO]:
        """Open a backup for writing: it is there once the block has ended, or not at all."""
        arriving = f"{self._root}/{name}.{uuid4().hex}{_ARRIVING}"
        with remote_errors(self.place):
            self._files.makedirs(self._root, exist_ok=True)
        try:
            file = PlaceStream(self.place, lambda: self._open(arriving))
            try:
                yield cast(BinaryIO, file)
            finally:
                file.close()
            with remote_errors(self.place):
                self._files.mv(arriving, f"{self._root}/{name}")
        except BaseException:
            with suppress(StoreError), remote_errors(self.place):
                if self._files.exists(arriving):
                    self._files.rm_file(arriving)
            raise

    @contextmanager
    def open(self, name: str) -> Iterator[BinaryIO]:
        """Open a backup for reading, from its beginning."""
        path = f"{self._root}/{name}"
        with remote_errors(self.place):
            try:
                is_file = self._files.info(path)["type"] == "file"
            except FileNotFoundError:
                is_file = False
            if not is_file:
                raise StoreError("error.backup_none", facts={"place": f"{self.place}/{name}"})
        file = PlaceStream(self.place, lambda: self._files.open(path, "rb"))
        try:
            yield cast(BinaryIO, file)
        finally:
            file.close()

    def names(self) -> list[str]:
        """Return the backups that are there, newest first."""
        return sorted(filter(_NAME.fullmatch, self._listed()), reverse=True)

    def prune(self, keep: int, *, made: str) -> int:
        """Remove all but the newest, and parts of backups that were killed; return how many.

        `made` is the backup that has just been made: it stays, whatever names a clock that was
        wrong has given others. Beside `keep` the last of those with later names stays, too: nobody
        can tell whether it was made by a clock that was ahead, or `made` by one that is behind.
        """
        names = self.names()
        later = [name for name in names if name > made]
        may_go = later[:0:-1] + [name for name in names[::-1] if name < made]
        old = may_go[: max(0, len(names) - max(1, keep) - bool(later))]
        if names:
            newest = _made_at(_NAME, made)
            parts = filter(_LEFT.fullmatch, self._listed())
            old += [one for one in parts if _made_at(_LEFT, one) < newest - _LEFT_FOR]
        with remote_errors(self.place):
            for name in old:
                self._files.rm_file(f"{self._root}/{name}")
        return len(old)

    def _listed(self) -> list[str]:
        with remote_errors(self.place):
            self._files.invalidate_cache()
            if not self._files.exists(self._root):
                return []
            return [str(path).rpartition("/")[2] for path in self._files.ls(self._root, False)]

    def _open(self, path: str) -> BinaryIO:
        if not self._is_local:
            return cast(BinaryIO, self._files.open(path, "wb"))
        # Others on this machine need not read what is in it.
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        return os.fdopen(descriptor, "wb")


def _made_at(shape: re.Pattern[str], name: str) -> datetime:
    found = shape.fullmatch(name)
    return datetime.strptime(found["made_at"] if found else "", "%Y%m%dT%H%M%S%z")


def split_place(path_or_url: str) -> tuple[str, str]:
    """Return where one backup lies, and its name."""
    place, _, name = path_or_url.rpartition("/")
    return (place or ("/" if path_or_url.startswith("/") else ".")), name
