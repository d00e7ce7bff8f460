"""Resumable uploads: files that arrive in pieces, each in the data folder until it is imported."""

import hashlib
import json
import os
import shutil
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.archive.file_ages import FileAges
from core.errors import InputError
from core.settings.private_files import private, write_private
from core.storage.db.errors import file_errors, store_error

# What an upload leaves free on its disk, for the database and everyone else.
DISK_RESERVE = 256 << 20
ABANDONED_S = 24 * 3600.0
# A note that says "importing" is written again more often than this while that is so.
STALE_S = 15.0


@dataclass(frozen=True, slots=True)
class UploadState:
    """How far one is: `phase` is receiving, importing, done or failed."""

    phase: str = "receiving"
    received: int = 0
    facts: Mapping[str, Any] = field(default_factory=dict)


class WrongPlaceError(Exception):
    """A piece does not follow what is there."""

    def __init__(self, received: int) -> None:
        super().__init__(str(received))
        self.received = received


class Uploads:
    """The uploads of one data folder. A file is found again by its owner and its name there."""

    def __init__(
        self,
        folder: Path,
        *,
        free_bytes: Callable[[Path], int] = lambda at: shutil.disk_usage(at).free,
    ) -> None:
        self._folder = folder
        self._free_bytes = free_bytes
        self._ages = FileAges(folder)
        self._lock = threading.Lock()

    def path(self, owner: str, name: str) -> Path:
        """Return where the file is, or would be."""
        digest = hashlib.sha256(f"{owner}\0{name}".encode("utf-8", "replace")).hexdigest()
        return self._folder / f"{digest[:32]}.part"

    def state(self, owner: str, name: str) -> UploadState:
        """Return how far the file is."""
        path = self.path(owner, name)
        note = _note(path)
        try:
            received = path.stat().st_size
        except FileNotFoundError:
            received = 0
        try:
            told = json.loads(note.read_text(encoding="utf-8"))
            age_s = self._ages.age_s(note)
        except (FileNotFoundError, ValueError):
            return UploadState("receiving", received)
        if told["phase"] == "importing" and age_s > STALE_S:  # whoever did it has died
            return UploadState("receiving", received)
        return UploadState(told["phase"], received, told["facts"])

    def receive(self, owner: str, name: str, place: int, total: int, piece: bytes) -> int:
        """Append a piece; return how much is there now."""
        path = self.path(owner, name)
        self.check_room(owner, name, total)
        with self._lock, file_errors(str(self._folder)):
            received = path.stat().st_size if path.exists() else 0
            if place != received or place + len(piece) > total:
                raise WrongPlaceError(received)
            with open(path, "ab", opener=private) as file:
                file.write(piece)
            self._ages.touched(path)
            return received + len(piece)

    def check_room(self, owner: str, name: str, total: int) -> None:
        """Refuse a file that the disk cannot hold, before it is sent."""
        with file_errors(str(self._folder)):
            self._folder.mkdir(parents=True, exist_ok=True)
            missing = total - self.state(owner, name).received
            if missing > 0 and missing + DISK_RESERVE > self._free_bytes(self._folder):
                raise store_error("error.store_full", str(self._folder))

    def note(self, owner: str, name: str, phase: str, facts: Mapping[str, Any]) -> None:
        """Write down what is being done with a file, for whoever asks, in any process."""
        note = _note(self.path(owner, name))
        with file_errors(str(self._folder)):
            fresh = note.with_suffix(f".{threading.get_ident()}")
            told = json.dumps({"phase": phase, "facts": facts}, default=str)
            write_private(fresh, told.encode())
            os.replace(fresh, note)

    def begin(self, owner: str, name: str, total: int) -> bool:
        """Note that a file is being imported; False when it is already. InputError: not whole."""
        with self._lock:
            state = self.state(owner, name)
            if state.phase in ("importing", "done"):
                return False
            if state.received != total or total == 0:
                raise InputError("file", "error.upload_incomplete")
            self._ages.touched(self.path(owner, name))
            self.note(owner, name, "importing", {"share": 0.0})
            return True

    def remove(self, owner: str, name: str) -> None:
        """Remove a file; what is known of it stays."""
        with file_errors(str(self._folder)):
            self.path(owner, name).unlink(missing_ok=True)

    def forget_note(self, owner: str, name: str) -> None:
        """Forget what is known of a file, but for how much of it is there."""
        with file_errors(str(self._folder)):
            _note(self.path(owner, name)).unlink(missing_ok=True)

    def sweep(self) -> None:
        """Remove what nobody has gone on with for a day."""
        if not self._folder.exists():
            return
        with file_errors(str(self._folder)):
            for path in self._folder.iterdir():
                try:
                    if self._ages.age_s(path) > ABANDONED_S:
                        path.unlink()
                except FileNotFoundError:
                    continue
            self._ages.forget_gone()


def _note(path: Path) -> Path:
    return path.with_suffix(".json")
