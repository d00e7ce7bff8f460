"""Text of a Word document: paragraphs, tables as rows, notes and comments. Links are not followed.

The tree is walked whole, not by its paragraphs alone: what stands in text boxes, in fields to be
filled in and in suggested changes is read, too; what was struck out is not.
"""

import io
import re
import zipfile
from collections.abc import Iterator
from typing import Any

from lxml import etree

from core.archive.documents.found import Found, TextRoom, left_out, unread

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_MAIN = re.compile(r"word/document\d*\.xml")
_NOTES = re.compile(r"word/(?:footnotes|endnotes|comments)\d*\.xml")
_SIGNS = {"tab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}
# The same once more, for programs that know no text boxes; and how a thing looks.
_PASSED_OVER = frozenset({"Fallback", "pPr", "rPr", "tblPr", "sectPr"})


def read_word(content: bytes) -> Found:
    """Return the text of a document; InputError where it is damaged or has none."""
    room, cut = TextRoom(), 0
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            names = sorted(package.namelist())
            parts = [name for name in names if _MAIN.fullmatch(name)]
            parts += [name for name in names if _NOTES.fullmatch(name)]
            for name in parts:
                for line in _lines(_tree(package.read(name))):
                    if not room.add(line):
                        cut += len(line)
    except (zipfile.BadZipFile, etree.LxmlError, EOFError, OSError, ValueError) as error:
        if getattr(error, "code", None) == etree.ErrorTypes.ERR_NO_MEMORY:
            raise MemoryError from error
        raise unread("error.file_broken") from error
    if not room.text().strip():
        raise unread("error.file_no_text")
    return Found(room.text(), media_type=MEDIA_TYPE, left_out=left_out(characters=cut))


def _tree(part: bytes) -> Any:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    return etree.fromstring(part, parser)


def _lines(element: Any) -> Iterator[str]:
    for child, name in _children(element):
        if name == "p":
            yield "".join(_signs(child))
        elif name == "tr":
            cells = (" ".join(_lines(cell)) for cell in _cells(child))
            yield " | ".join(" ".join(cell.split()) for cell in cells)
        else:
            yield from _lines(child)


def _cells(row: Any) -> Iterator[Any]:
    for child, name in _children(row):
        if name == "tc":
            yield child
        else:  # a field around a cell
            yield from _cells(child)


def _signs(element: Any) -> Iterator[str]:
    for child, name in _children(element):
        if name == "t":
            yield child.text or ""
        elif name in _SIGNS:
            yield _SIGNS[name]
        elif name == "p":  # of a text box
            yield "\n" + "".join(_signs(child))
        else:
            yield from _signs(child)


def _children(element: Any) -> Iterator[tuple[Any, str]]:
    for child in element.iterchildren(etree.Element):
        name = etree.QName(child).localname
        if name not in _PASSED_OVER:
            yield child, name
