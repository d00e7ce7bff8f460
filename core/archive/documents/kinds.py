"""File type by content: what a file is called decides nothing."""

import re
from collections.abc import Set
from typing import Literal

from core.archive.documents.found import unread
from core.archive.documents.packages import entry_names

Kind = Literal["pdf", "word", "workbook", "other_workbook", "picture", "text"]

_HEAD = 1_024
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_PICTURES = (b"\xff\xd8\xff", b"\x89PNG\r\n", b"GIF8", b"BM", b"II*\0", b"MM\0*")
_ARCHIVES = (b"\x1f\x8b", b"BZh", b"7z\xbc\xaf", b"\xfd7zXZ", b"Rar!", b"(\xb5/\xfd")
# Streams of an old file, as its directory names them.
_WORD = re.compile(r"word/document\d*\.xml")
_ENCRYPTED, _WORKBOOKS = "EncryptedPackage", ("Workbook", "Book")


def kind_of(content: bytes) -> Kind:
    """Return what a file is; InputError for kinds that are not read, which it names."""
    head = content[:_HEAD]
    if b"%PDF-" in head:
        return "pdf"
    if head.startswith(b"PK\x03\x04") or head.startswith(b"PK\x05\x06"):
        return _of_package(entry_names(content))
    if head.startswith(_OLE):
        return _of_ole(content)
    if _is_picture(head):
        return "picture"
    if head.startswith(b"{\\rtf"):
        raise unread("error.file_old_office")
    if head.startswith(_ARCHIVES):
        raise unread("error.file_archive")
    return "text"


def _of_package(names: Set[str]) -> Kind:
    if any(_WORD.fullmatch(name) for name in names):
        return "word"
    if "xl/workbook.xml" in names:
        return "workbook"
    if "xl/workbook.bin" in names or {"content.xml", "mimetype"} <= names:
        return "other_workbook"  # xlsb, ods; a text of OpenDocument's is none, and is told so
    if any(name.startswith("ppt/") for name in names):
        raise unread("error.file_old_office")
    is_office = "[Content_Types].xml" in names
    raise unread("error.file_broken" if is_office else "error.file_archive")


def _of_ole(content: bytes) -> Kind:
    if _ENCRYPTED.encode("utf-16-le") in content:
        raise unread("error.file_encrypted")
    if any(f"{name}\0".encode("utf-16-le") in content for name in _WORKBOOKS):
        return "other_workbook"
    raise unread("error.file_old_office")


def _is_picture(head: bytes) -> bool:
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return True
    if head.startswith(b"BM"):  # two letters begin many a text: a bitmap has no size of none, too
        return len(head) > 26 and head[6:10] == b"\0\0\0\0"
    return head.startswith(_PICTURES) or head[4:8] == b"ftyp"
