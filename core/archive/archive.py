"""The archive: every picture exactly as Kling sent it, with a thumbnail beside it."""

import hashlib
import io
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import IO

from core.archive.file_streams import Checksum, PlaceStream, SummingReader, checksum_of
from core.archive.inspection import MAX_PICTURE_BYTES, decode_image
from core.archive.local_files import LocalFiles
from core.archive.picture_texts import wash_picture
from core.archive.png_metadata import write_metadata
from core.archive.remote_files import RemoteFiles
from core.archive.thumbnails import make_thumbnail
from core.errors import InputError, PictureError, StoreError
from core.models.generations import Generation, Picture
from core.settings.private_files import private, write_private
from core.storage.db.errors import file_errors
from core.wire.audio import Mp3Error, pcm_from_mp3
from core.wire.masking.secrets import known_secrets

_SUFFIXES = {"PNG": "png", "JPEG": "jpg", "WEBP": "webp", "AVIF": "avif"}
_THUMBNAILS = "thumbnails/"
_ID = re.compile(r"[A-Za-z0-9]{12,}")
_OWN_NAME = re.compile(r"\d{4}/\d\d/\d\d/(?P<at>\d{8}T\d{6}Z)-[A-Za-z0-9]{12}-\d+\.[a-z0-9]+")


@dataclass(frozen=True, slots=True)
class ArchivedFile:
    """A picture's file in the archive."""

    name: str
    media_type: str
    width: int
    height: int
    size_bytes: int
    sha256: str


class Archive:
    """Keeps pictures in `files`. Downloads arrive as parts, and are adopted when they are whole."""

    def __init__(self, files: LocalFiles | RemoteFiles) -> None:
        self._files = files
        self.place = files.place
        self.note_time: Callable[[float, str], None] | None = None  # told how long a file took

    @classmethod
    def open(cls, folder: str | Path, *, url: str | None = None) -> "Archive":
        """Open the archive in a folder, made if need be and tried for writing.

        With `url`, an fsspec URL, pictures are kept there, and the folder only holds downloads
        under way.
        """
        local = LocalFiles(folder)
        archive = cls(local if url is None else RemoteFiles(url, parts=local))
        archive.check_writable()
        return archive

    def new_part(self) -> Path:
        """Return a path to download into."""
        return self._files.new_part()

    def adopt(
        self, part_file: Path, *, created_at: datetime, generation_id: str, index: int
    ) -> ArchivedFile:
        """Take over a download that is one whole picture, its pixels unchanged.

        Its bytes are too, unless its texts tell a secret of ours.

        PictureError, and the part is gone, when it is not; after a StoreError the part is still
        there. The same picture again takes the same place.
        """
        with file_errors(self.place):
            size_bytes = part_file.stat().st_size
            content = part_file.read_bytes() if size_bytes <= MAX_PICTURE_BYTES else b""
        try:
            facts, image = decode_image(content)
        except InputError as error:
            with file_errors(self.place):
                part_file.unlink(missing_ok=True)
            raise PictureError("error.picture_broken") from error
        name = name_for(created_at, generation_id, index, _SUFFIXES[facts.format])
        washed = wash_picture(content)
        if washed is not content:
            content, size_bytes = washed, len(washed)
            with file_errors(self.place), open(part_file, "wb", opener=private) as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        with image:
            self._put_thumbnail(name, make_thumbnail(image))
        begun = perf_counter()
        self._files.put(part_file, name)
        self._tell("put", begun)
        return ArchivedFile(
            name=name,
            media_type=facts.media_type,
            width=facts.width,
            height=facts.height,
            size_bytes=facts.size_bytes,
            sha256=hashlib.sha256(content).hexdigest(),
        )

    def adopt_sound(self, part_file: Path, name: str) -> None:
        """Take over a download that is one whole sound; PictureError when it is none."""
        with file_errors(self.place):
            content = part_file.read_bytes()
            try:
                pcm_from_mp3(content)
            except Mp3Error as error:
                part_file.unlink(missing_ok=True)
                raise PictureError("error.sound_not_sound") from error
            if (washed := known_secrets.blank_bytes(content)) != content:
                write_private(part_file, washed)
        self._files.put(part_file, name)

    def original_bytes(self, name: str) -> bytes:
        """Return the picture as Kling sent it."""
        begun = perf_counter()
        content = self._files.read(name)
        self._tell("read", begun)
        return content

    @contextmanager
    def reading(self, name: str) -> Iterator[PlaceStream]:
        """Open an original to be read by pieces."""
        file = self._files.open(name)
        try:
            yield file
        finally:
            file.close()

    def checksum(self, name: str) -> Checksum | None:
        """Return size and SHA-256 of an original, read by pieces; None where there is none."""
        try:
            with self.reading(name) as file:
                return checksum_of(file)
        except StoreError as error:
            if error.text_id != "error.picture_missing":
                raise
            return None

    def thumbnail_bytes(self, name: str) -> bytes:
        """Return the thumbnail (WebP); a missing one is made again."""
        if self._files.exists(_thumbnail_of(name)):
            return self._files.read(_thumbnail_of(name))
        _facts, image = decode_image(self.original_bytes(name))
        with image:
            thumbnail = make_thumbnail(image)
        try:
            self._put_thumbnail(name, thumbnail)
        except StoreError:
            return thumbnail  # a full disk is no reason to show nothing
        return thumbnail

    def download_bytes(self, picture: Picture, generation: Generation) -> bytes:
        """Return a copy to hand out: a PNG tells how it was made, other formats go as they are."""
        content = self.original_bytes(picture.name)
        if picture.media_type != "image/png":
            return content
        return write_metadata(content, generation)

    def exists(self, name: str) -> bool:
        """Return whether the original is there."""
        return self._files.exists(name)

    def names(self) -> Iterator[str]:
        """Yield the names of all originals that are there."""
        return (one for one in self._files.names() if not one.startswith(_THUMBNAILS))

    def orphaned_thumbnails(self) -> Iterator[str]:
        """Yield the names of originals that are gone and whose thumbnails are still there."""
        thumbnails = (one for one in self._files.names() if one.startswith(_THUMBNAILS))
        for thumbnail in thumbnails:
            name = thumbnail.removeprefix(_THUMBNAILS).removesuffix(".webp")
            if asked_at(name) is not None and not self._files.exists(name):
                yield name

    def size(self, name: str) -> int | None:
        """Return how many bytes an original has; None where there is none."""
        return self._files.size(name)

    def keep(self, name: str, content: bytes) -> None:
        """Keep an original under the name that it had elsewhere; its thumbnail is made later."""
        self.keep_from(name, io.BytesIO(content))

    def keep_from(self, name: str, source: IO[bytes] | PlaceStream) -> Checksum:
        """Keep what is read from `source` by pieces, as `keep` does; return its checksum."""
        part, reader = self.new_part(), SummingReader(source)
        with file_errors(self.place):
            try:
                with open(part, "wb", opener=private) as file:
                    while some := reader.read():
                        file.write(some)
                self._files.put(part, name)
            except (OSError, StoreError):
                part.unlink(missing_ok=True)
                raise
        return reader.checksum

    def remove(self, name: str) -> None:
        """Remove a picture and its thumbnail; what is not there is no error."""
        self._files.remove(_thumbnail_of(name))
        self._files.remove(name)

    def sweep_parts(self, *, older_than_s: float = 3600.0) -> int:
        """Remove downloads that ended with their process; return how many."""
        return self._files.sweep_parts(older_than_s=older_than_s)

    def check_writable(self) -> None:
        """Write something small; StoreError names the folder when that is not possible."""
        self._files.check_writable()

    def _tell(self, operation: str, begun: float) -> None:
        if self.note_time is not None:
            self.note_time(perf_counter() - begun, operation)

    def _put_thumbnail(self, name: str, thumbnail: bytes) -> None:
        self.keep(_thumbnail_of(name), thumbnail)


def name_for(created_at: datetime, generation_id: str, index: int, suffix: str) -> str:
    """Return a file's name inside the archive; names sort by time."""
    if not _ID.match(generation_id):
        raise ValueError("a generation's id begins with twelve letters or digits")
    at = created_at.astimezone(UTC)
    return f"{at:%Y/%m/%d}/{at:%Y%m%dT%H%M%SZ}-{generation_id[:12]}-{index}.{suffix}"


def asked_at(name: str) -> str | None:
    """Return the time in a file's name, as it is written there; None for a name not of ours."""
    own = _OWN_NAME.fullmatch(name)
    return own["at"] if own else None


def sound_name(generation: Generation) -> str:
    """Return the name of the sound that a generation of speech brought."""
    return name_for(generation.created_at, generation.id, 0, "mp3")


def _thumbnail_of(name: str) -> str:
    return f"{_THUMBNAILS}{name}.webp"
