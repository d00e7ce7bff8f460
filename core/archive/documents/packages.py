"""Zip packages of Office: what they unpack to is judged before anything of them is."""

import io
import re
import zipfile

from core.archive.documents.found import UNPACKED_MOST, unread

_ENTRIES_MOST = 20_000
# Office writes no document type: entities that blow up, or that name other files, stand in one.
_DOCTYPE = re.compile(rb"<!\s*(?:DOCTYPE|ENTITY)", re.I)
_DOCTYPE_16 = re.compile("<!(?:DOCTYPE|ENTITY)".encode("utf-16-le"), re.I)
_HEAD = 65_536
_ENCRYPTED = 0x1


def entry_names(content: bytes) -> frozenset[str]:
    """Return what a package holds; InputError where it is damaged, locked, or far too much."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            entries = package.infolist()
            if len(entries) > _ENTRIES_MOST or sum(e.file_size for e in entries) > UNPACKED_MOST:
                raise unread("error.file_bomb", most_mb=UNPACKED_MOST >> 20)
            if any(entry.flag_bits & _ENCRYPTED for entry in entries):
                raise unread("error.file_encrypted")
            for entry in entries:
                if entry.filename.lower().endswith((".xml", ".rels")):
                    _check_head(package, entry)
            return frozenset(entry.filename for entry in entries)
    except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError, ValueError) as error:
        raise unread("error.file_broken") from error


def _check_head(package: zipfile.ZipFile, entry: zipfile.ZipInfo) -> None:
    with package.open(entry) as member:
        head = member.read(_HEAD)
    if _DOCTYPE.search(head) or _DOCTYPE_16.search(head):
        raise unread("error.file_broken")
