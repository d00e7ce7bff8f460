"""Text of a PDF by PDFium, page by page: scripts do not run, embedded files stay where they are."""

import pypdfium2
from pypdfium2 import raw

from core.archive.documents.found import Found, TextRoom, left_out, unread


def read_pdf(content: bytes) -> Found:
    """Return the text of all pages; InputError where it is locked, damaged, or has none."""
    try:
        document = pypdfium2.PdfDocument(content)
        count = len(document)
    except pypdfium2.PdfiumError as error:
        is_locked = getattr(error, "err_code", None) == raw.FPDF_ERR_PASSWORD
        raise unread("error.file_encrypted" if is_locked else "error.file_broken") from error
    room, scans, read, has_text = TextRoom(), 0, 0, False
    for number in range(count):
        words = _page_text(document, number)
        if words.strip():
            has_text = True
        else:
            scans += 1
        whole = room.add(f"[page {number + 1}]") and room.add(words)
        if not whole:
            break
        read += 1
    if not has_text:
        raise unread("error.file_no_text")
    return Found(
        room.text(),
        media_type="application/pdf",
        left_out=left_out(pages=count - read, scans=scans),
    )


def _page_text(document: pypdfium2.PdfDocument, number: int) -> str:
    try:
        page = document[number]
        try:
            return str(page.get_textpage().get_text_range()).replace("\r\n", "\n")
        finally:
            page.close()
    except pypdfium2.PdfiumError:  # one page is damaged: the others are read
        return ""
