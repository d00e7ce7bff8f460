"""Files of the archive in a folder of this machine: whole or not at all, even after a crash."""

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from core.archive.file_ages import FileAges
from core.archive.file_streams import PlaceStream
from core.errors import InputError, StoreError
from core.settings.private_files import write_private
from core.storage.db.errors import file_errors, store_error

_NAME = re.compile(r"[A-Za-z0-9-]+(/[A-Za-z0-9-]+)*(\.[a-z0-9]+)+")
_PROBE = b"writable"
_PARTS = "parts"


class LocalFiles:
    """Named files below one folder."""

    def __init__(self, folder: str | Path) -> None:
        self.root = Path(folder).expanduser().absolute()
        self.place = str(self.root)
        with file_errors(self.place):
            (self.root / _PARTS).mkdir(parents=True, exist_ok=True)
            self.root = self.root.resolve()
        self._ages = FileAges(self.root / _PARTS)

    def new_part(self) -> Path:
        """Return a path for a file that is still arriving, on the same volume."""
        return self.root / _PARTS / f"{uuid4().hex}.part"

    def put(self, part: Path, name: str) -> None:
        """Move a part in place; once this returns it survives a power cut."""
        target = self.path(name)
        with file_errors(self.place):
            new_folders = [
                folder for folder in target.parents if not folder.exists() and folder != self.root
            ]
            target.parent.mkdir(parents=True, exist_ok=True)
            with part.open("r+b") as file:
                os.fsync(file.fileno())
            os.replace(part, target)
            for folder in [target.parent, *(folder.parent for folder in new_folders)]:
                _sync_folder(folder)

    def read(self, name: str) -> bytes:
        """Return a file's bytes."""
        with file_errors(self.place):
            try:
                return self.path(name).read_bytes()
            except FileNotFoundError as error:
                raise missing(self.place) from error

    def open(self, name: str) -> PlaceStream:
        """Open a file to be read by pieces."""
        path = self.path(name)
        return stream_of(self.place, lambda: path.open("rb"))

    def exists(self, name: str) -> bool:
        """Return whether there is such a file."""
        with file_errors(self.place):
            return self.path(name).is_file()

    def names(self) -> Iterator[str]:
        """Yield the names of all files that are there, thumbnails too."""
        with file_errors(self.place):
            for folder, folders, files in os.walk(self.root):
                if Path(folder) == self.root and _PARTS in folders:
                    folders.remove(_PARTS)
                for file in files:
                    yield (Path(folder) / file).relative_to(self.root).as_posix()

    def size(self, name: str) -> int | None:
        """Return how many bytes a file has; None where there is none."""
        with file_errors(self.place):
            try:
                return self.path(name).stat().st_size
            except FileNotFoundError:
                return None

    def remove(self, name: str) -> None:
        """Remove a file; one that is not there is no error."""
        with file_errors(self.place):
            self.path(name).unlink(missing_ok=True)

    def path(self, name: str) -> Path:
        """Return where a file is; a name that leads out of the folder is refused."""
        path = self.root / checked_name(name)
        if not path.resolve().is_relative_to(self.root):
            raise _no_such_name()
        return path

    def check_writable(self) -> None:
        """Write something small, read it back and remove it again."""
        part = self.new_part()
        with file_errors(self.place):
            write_private(part, _PROBE)
            is_same = part.read_bytes() == _PROBE
            part.unlink()
        if not is_same:
            raise store_error("error.store_broken", self.place)

    def sweep_parts(self, *, older_than_s: float) -> int:
        """Remove parts nobody has written to for so long; return how many."""
        swept = 0
        with file_errors(self.place):
            for part in (self.root / _PARTS).glob("*.part"):
                try:
                    if self._ages.age_s(part) > older_than_s:
                        part.unlink()
                        swept += 1
                except FileNotFoundError:
                    continue  # it has just arrived
            self._ages.forget_gone()
        return swept


def stream_of(place: str, opened: Callable[[], BinaryIO]) -> PlaceStream:
    """Return an opened file of a place; where there is none, that is told as such."""
    try:
        return PlaceStream(place, opened)
    except StoreError as error:
        if isinstance(error.__cause__, FileNotFoundError):
            raise missing(place) from error
        raise


def missing(place: str) -> StoreError:
    """Return the error for a picture whose row is there and whose file is not."""
    return StoreError("error.picture_missing", facts={"place": place})


def checked_name(name: str) -> str:
    """Return a file's name as it is; one that could lead elsewhere is refused."""
    if not _NAME.fullmatch(name):
        raise _no_such_name()
    return name


def _no_such_name() -> InputError:
    return InputError("name", "error.picture_gone")


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":  # Windows cannot open a folder, and needs no telling
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
