"""Cells of a workbook as rows of text: values, and the formula where no value was kept with it.

Macros do not run, links to other workbooks are not followed. New workbooks are read row by row, so
that one of a million costs no more than what is taken of it; old and other ones at once.
"""

import io
from collections.abc import Iterable, Iterator
from contextlib import closing

import openpyxl
import python_calamine

from core.archive.documents.found import Found, TextRoom, left_out, unread

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
OTHER_MEDIA_TYPE = "application/vnd.ms-excel"
_CELL_MOST = 2_000
Rows = Iterable[Iterable[object]]


def read_workbook(content: bytes) -> Found:
    """Return the cells of an .xlsx or .xlsm."""
    try:
        with (
            closing(_opened(content, values=True)) as valued,
            closing(_opened(content, values=False)) as written,
        ):
            sheets = (
                (sheet.title, _rows(sheet, written[sheet.title]), sheet.max_row or 0)
                for sheet in valued.worksheets
            )
            return _found(sheets, len(valued.worksheets), MEDIA_TYPE)
    except (MemoryError, RecursionError):
        raise
    except Exception as error:
        raise _refusal(error) from error


def read_other_workbook(content: bytes) -> Found:
    """Return the cells of an .xls, .xlsb or .ods."""
    try:
        with closing(python_calamine.load_workbook(io.BytesIO(content))) as book:
            names = book.sheet_names
            opened = map(book.get_sheet_by_name, names)
            sheets = ((one.name, one.iter_rows(), one.total_height) for one in opened)
            return _found(sheets, len(names), OTHER_MEDIA_TYPE)
    except python_calamine.PasswordError as error:
        raise unread("error.file_encrypted") from error
    except (MemoryError, RecursionError):
        raise
    except Exception as error:
        raise _refusal(error) from error


def _opened(content: bytes, *, values: bool) -> openpyxl.Workbook:
    return openpyxl.load_workbook(
        io.BytesIO(content), read_only=True, data_only=values, keep_links=False
    )


def _rows(valued: Rows, written: Rows) -> Iterator[list[object]]:
    """Yield the rows of a sheet: where a formula has no value, the formula."""
    for values, formulas in zip(_values(valued), _values(written), strict=False):
        yield [
            formula if value is None else value
            for value, formula in zip(values, formulas, strict=False)
        ]


def _values(sheet: Rows) -> Iterator[tuple[object, ...]]:
    return sheet.iter_rows(values_only=True)  # type: ignore[attr-defined, no-any-return]


def _found(sheets: Iterable[tuple[str, Rows, int]], count: int, media_type: str) -> Found:
    room, seen, cut, has_cells = TextRoom(), 0, 0, False
    for title, rows, height in sheets:
        if not room.add(f"[sheet {title}]"):
            break
        seen += 1
        done = 0
        for row in rows:
            cells = "\t".join(map(_words, row)).rstrip()
            if not cells:
                done += 1
                continue
            has_cells = True
            if not room.add(cells):
                cut += max(height - done, 1)
                break
            done += 1
    if not has_cells:
        raise unread("error.file_no_text")
    left = left_out(rows=cut, sheets=count - seen)
    return Found(room.text(), media_type=media_type, left_out=left)


def _words(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        value = int(value)
    return " ".join(str(value)[:_CELL_MOST].split())


def _refusal(error: Exception) -> Exception:
    return error if hasattr(error, "text_id") else unread("error.file_broken")
