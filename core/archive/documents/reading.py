"""Document text extraction: a file of whatever kind to its text, or to the picture that it is."""

from collections.abc import Callable, Mapping

from core.archive.documents.found import FILE_BYTES_MOST, READABLE, Found, unread
from core.archive.documents.kinds import Kind, kind_of
from core.errors import InputError

MB = 1 << 20


def read_file(content: bytes) -> Found:
    """Return what is in a file; InputError, which tells why, where nothing can be read of it.

    For hostile files too, yet in bounded memory and time only where a process of its own runs it.
    """
    if not content:
        raise unread("error.file_empty")
    if len(content) > FILE_BYTES_MOST:
        raise unread("error.file_too_large", most_mb=FILE_BYTES_MOST // MB)
    try:
        return _reader(kind_of(content))(content)
    except InputError as error:
        error.facts.setdefault("readable", READABLE)
        raise


def _reader(kind: Kind) -> Callable[[bytes], Found]:
    # Each brings its library: a process that reads one file loads one.
    if kind == "pdf":
        from core.archive.documents.pdf import read_pdf  # noqa: PLC0415

        return read_pdf
    if kind == "word":
        from core.archive.documents.word import read_word  # noqa: PLC0415

        return read_word
    if kind in ("workbook", "other_workbook"):
        from core.archive.documents import sheets  # noqa: PLC0415

        readers: Mapping[str, Callable[[bytes], Found]] = {
            "workbook": sheets.read_workbook,
            "other_workbook": sheets.read_other_workbook,
        }
        return readers[kind]
    if kind == "picture":
        from core.archive.documents.pictures import read_picture  # noqa: PLC0415

        return read_picture
    from core.archive.documents.plain import read_plain  # noqa: PLC0415

    return read_plain
