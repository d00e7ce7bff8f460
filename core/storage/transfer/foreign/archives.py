"""Zip archives of a stranger: which of their files may be JSON, and what no archive may do.

Nothing is unpacked to disk, so a name leads nowhere; one that tries to makes the file suspect.
"""

import struct
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import BinaryIO, cast

from core.storage.transfer.checked_fields import malformed

Opener = Callable[[], BinaryIO]

# JSON of conversations shrinks to a tenth or so, seldom to a fiftieth; deflate's most is 1:1032.
RATIO_MOST = 200
SMALL_BYTES = 64 << 20
# The list of an archive's files is held in memory: some 20,000 pictures with long names.
DIRECTORY_MOST = 4 << 20

_MAGIC = (b"PK\x03\x04", b"PK\x05\x06")
_END, _END_SIZE, _COMMENT_MOST = b"PK\x05\x06", 22, 0xFFFF
_END64_LOCATOR, _END64 = b"PK\x06\x07", b"PK\x06\x06"
_PEEK = 64
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 1


def is_archive(file: BinaryIO) -> bool:
    """Tell by its first bytes whether a file is a zip."""
    file.seek(0)
    return file.read(4) in _MAGIC


@contextmanager
def json_members(file: BinaryIO) -> Iterator[list[Opener]]:
    """Open an archive; yield what opens each of its files that may be JSON."""
    _check_directory(file)
    with archive_errors(), zipfile.ZipFile(file) as archive:
        infos = [info for info in archive.infolist() if not info.is_dir()]
        _check(infos, _size(file))
        yield [_opener(archive, info) for info in infos if _may_be_json(archive, info)]


@contextmanager
def archive_errors() -> Iterator[None]:
    """Raise what a damaged archive raises inside as InputError."""
    try:
        yield
    except (zipfile.BadZipFile, EOFError, NotImplementedError, struct.error) as error:
        raise malformed("file", "a damaged zip") from error
    except zipfile.zlib.error as error:  # type: ignore[attr-defined]
        raise malformed("file", "a damaged zip") from error


def _check(infos: list[zipfile.ZipInfo], size: int) -> None:
    if any(info.flag_bits & _ENCRYPTED for info in infos):
        raise malformed("file", "encrypted with a password")
    for info in infos:
        steps = info.filename.replace("\\", "/").split("/")
        if ".." in steps or steps[0] == "" or steps[0].endswith(":"):
            raise malformed("file", "a zip with names that lead out of it")
    total = sum(info.file_size for info in infos)
    if total > SMALL_BYTES and total > RATIO_MOST * size:
        raise malformed("file", "a zip that unpacks to far more than it is")


def _may_be_json(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bool:
    """Tell by its beginning whether a file may be JSON, in any Unicode encoding."""
    if info.compress_type not in _METHODS:
        return False
    with archive.open(info) as member:
        begin = member.read(_PEEK)
    return begin.lstrip(b"\xef\xbb\xbf\xfe\xff\0 \t\r\n")[:1] in (b"{", b"[")


def _opener(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Opener:
    return lambda: cast(BinaryIO, archive.open(info))


def _size(file: BinaryIO) -> int:
    return file.seek(0, 2)


def _check_directory(file: BinaryIO) -> None:
    """Refuse a list of files that is too long to be read, before it is."""
    size = _size(file)
    begin = max(0, size - _END_SIZE - _COMMENT_MOST)
    file.seek(begin)
    tail = file.read()
    at = tail.rfind(_END)
    if at < 0 or len(tail) - at < _END_SIZE:
        raise malformed("file", "a damaged zip")
    (length,) = struct.unpack_from("<L", tail, at + 12)
    if tail[at - 20 : at - 16] == _END64_LOCATOR:
        (place,) = struct.unpack_from("<Q", tail, at - 20 + 8)
        file.seek(min(place, size))
        record = file.read(56)
        if len(record) == 56 and record.startswith(_END64):
            (length,) = struct.unpack_from("<Q", record, 40)
    if length > DIRECTORY_MOST:
        raise malformed("file", "a zip with too many files in it")
