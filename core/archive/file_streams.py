"""File streams: the archive's and the backups' files by pieces, with their SHA-256."""

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from io import BufferedWriter
from typing import IO, BinaryIO

from core.storage.db.errors import remote_errors

BYTES_AT_ONCE = 1 << 20


@dataclass(frozen=True, slots=True)
class Checksum:
    """What tells whether two files are the same: an equal size alone does not."""

    size_bytes: int
    sha256: str


class PlaceStream:
    """A file of a place: what goes wrong with it is told of the place, and nothing else is."""

    def __init__(self, place: str, opened: Callable[[], BinaryIO]) -> None:
        self._place = place
        with remote_errors(place):
            self._file = opened()

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes."""
        with remote_errors(self._place):
            return self._file.read(size)

    def write(self, content: bytes) -> int:
        """Add bytes."""
        with remote_errors(self._place):
            return self._file.write(content)

    def close(self) -> None:
        """Close it; of this machine's disk: down to the disk."""
        with remote_errors(self._place):
            if isinstance(self._file, BufferedWriter):
                self._file.flush()
                os.fsync(self._file.fileno())
            self._file.close()


class SummingReader:
    """Reads from a file and sums up what went through."""

    def __init__(self, file: IO[bytes] | PlaceStream) -> None:
        self._file = file
        self._digest = hashlib.sha256()
        self._size = 0

    def read(self, size: int = BYTES_AT_ONCE) -> bytes:
        """Return the next bytes."""
        some = self._file.read(size)
        self._digest.update(some)
        self._size += len(some)
        return some

    @property
    def checksum(self) -> Checksum:
        """Return the checksum of what was read so far."""
        return Checksum(self._size, self._digest.hexdigest())


def checksum_of(file: IO[bytes] | PlaceStream) -> Checksum:
    """Return the checksum of the rest of a file, of which a piece at a time is held."""
    reader = SummingReader(file)
    while reader.read():
        pass
    return reader.checksum
