"""Files of the archive at an fsspec URL (S3 and the like), so that several machines see the same.

Parts still arrive on this machine's disk; a finished one is uploaded under a name of its own and
then moved in place, where the store knows moving, or uploaded whole, where it writes whole objects.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast
from urllib.parse import urlsplit
from uuid import uuid4

from core.archive.file_streams import PlaceStream
from core.archive.local_files import LocalFiles, checked_name, missing, stream_of
from core.errors import StoreError
from core.storage.db.errors import remote_errors, store_error

# Backends that write an object in one piece, or not at all.
_WHOLE_OBJECTS = frozenset({"s3", "s3a", "gs", "gcs", "abfs", "az", "oss", "oci", "memory"})


class RemoteFiles:
    """Named files below one URL; the same few methods as LocalFiles."""

    def __init__(self, url: str, *, parts: LocalFiles) -> None:
        self.place = without_secrets(url)
        self._parts = parts
        self._is_whole = urlsplit(url).scheme in _WHOLE_OBJECTS
        from fsspec.core import url_to_fs  # noqa: PLC0415 - for who has such a place

        try:
            self._files, root = url_to_fs(url)
        except (ImportError, ValueError) as error:
            # The message may quote the URL, and that may hold a key.
            raise StoreError("error.archive_backend", facts={"place": self.place}) from error
        self._root = root.rstrip("/")

    def new_part(self) -> Path:
        """Return a path on this machine for a file that is still arriving."""
        return self._parts.new_part()

    def put(self, part: Path, name: str) -> None:
        """Upload a part under its name, whole or not at all, and remove it here."""
        target = self._path(name)
        with remote_errors(self.place):
            self._files.makedirs(target.rpartition("/")[0], exist_ok=True)
            if self._is_whole:
                self._files.put_file(str(part), target)
            else:
                arriving = f"{target}.{uuid4().hex}.part"
                self._files.put_file(str(part), arriving)
                self._files.mv(arriving, target)
            part.unlink(missing_ok=True)

    def read(self, name: str) -> bytes:
        """Return a file's bytes."""
        with remote_errors(self.place):
            try:
                return bytes(self._files.cat_file(self._path(name)))
            except FileNotFoundError as error:
                raise missing(self.place) from error

    def open(self, name: str) -> PlaceStream:
        """Open a file to be read by pieces."""
        path = self._path(name)
        return stream_of(self.place, lambda: cast(BinaryIO, self._files.open(path, "rb")))

    def exists(self, name: str) -> bool:
        """Return whether there is such a file."""
        with remote_errors(self.place):
            return bool(self._files.exists(self._path(name)))

    def names(self) -> Iterator[str]:
        """Yield the names of all files that are there, thumbnails too."""
        root = f"{self._root.lstrip('/')}/"
        with remote_errors(self.place):
            for path in self._files.find(self._root):
                name = str(path).lstrip("/").removeprefix(root)
                if not name.startswith("parts/"):
                    yield name

    def size(self, name: str) -> int | None:
        """Return how many bytes a file has; None where there is none."""
        with remote_errors(self.place):
            try:
                return int(self._files.info(self._path(name))["size"])
            except FileNotFoundError:
                return None

    def remove(self, name: str) -> None:
        """Remove a file; one that is not there is no error."""
        with remote_errors(self.place):
            try:
                self._files.rm_file(self._path(name))
            except FileNotFoundError:
                return

    def check_writable(self) -> None:
        """Write something small, read it back and remove it again."""
        probe = f"{self._root}/parts/{uuid4().hex}.part"
        with remote_errors(self.place):
            self._files.makedirs(probe.rpartition("/")[0], exist_ok=True)
            self._files.pipe_file(probe, b"writable")
            is_same = self._files.cat_file(probe) == b"writable"
            self._files.rm_file(probe)
        if not is_same:
            raise store_error("error.store_broken", self.place)

    def sweep_parts(self, *, older_than_s: float) -> int:
        """Remove parts on this machine that nobody has written to for so long; return how many."""
        return self._parts.sweep_parts(older_than_s=older_than_s)

    def _path(self, name: str) -> str:
        return f"{self._root}/{checked_name(name)}"


def without_secrets(url: str) -> str:
    """Return an address as it may be shown."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
