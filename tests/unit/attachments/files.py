"""Files as people and attackers hand them in, by code: each with what is to become of it."""

import io
import struct
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

import openpyxl
import pillow_heif
from PIL import Image

pillow_heif.register_heif_opener()

W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
_TYPES = (
    '<?xml version="1.0"?><Types xmlns="x"><Default Extension="xml" ContentType="a/b"/></Types>'
)
CHINESE = "季度报告：营业收入比去年同期增长百分之十二，成本下降。\n" * 4


@dataclass(frozen=True, slots=True)
class Case:
    """A file, and the words that are found in it, or why it is refused."""

    name: str
    content: bytes
    words: tuple[str, ...] = ()
    refusal: str = ""
    left_out: str = ""
    is_picture: bool = False
    lacks: tuple[str, ...] = ()


# -- PDF -------------------------------------------------------------------------------------------


def pdf(
    pages: Iterable[str], *, catalog: str = "", more: Iterable[str] = (), trailer: str = ""
) -> bytes:
    """Return a PDF whose pages draw these content streams; `more` are further objects."""
    drawn = list(pages)
    font = (
        "<< /Type /Font /Subtype /Type0 /BaseFont /STSong-Light /Encoding /UniGB-UCS2-H"
        " /DescendantFonts [<< /Type /Font /Subtype /CIDFontType0 /BaseFont /STSong-Light"
        " /CIDSystemInfo << /Registry (Adobe) /Ordering (GB1) /Supplement 2 >>"
        " /FontDescriptor << /Type /FontDescriptor /FontName /STSong-Light /Flags 6"
        " /FontBBox [0 0 1000 1000] /ItalicAngle 0 /Ascent 800 /Descent -200 /CapHeight 700"
        " /StemV 80 >> >>] >>"
    )
    fonts = "<< /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> /F2 4 0 R >>"
    kids = " ".join(f"{10 + 2 * place} 0 R" for place in range(len(drawn)))
    objects = {
        1: f"<< /Type /Catalog /Pages 2 0 R {catalog} >>",
        2: f"<< /Type /Pages /Kids [{kids}] /Count {len(drawn)} >>",
        4: font,
    }
    for place, drawing in enumerate(drawn):
        objects[10 + 2 * place] = (
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents {11 + 2 * place} 0 R"
            f" /Resources << /Font {fonts} >> >>"
        )
        objects[11 + 2 * place] = f"<< /Length {len(drawing)} >>\nstream\n{drawing}\nendstream"
    for place, one in enumerate(more):
        objects[20_000 + place] = one
    out, places = bytearray(b"%PDF-1.7\n"), {}
    for number, body in objects.items():
        places[number] = len(out)
        out += f"{number} 0 obj\n{body}\nendobj\n".encode("latin-1")
    start = len(out)
    out += b"xref\n0 1\n0000000000 65535 f \n"
    for number, place in places.items():
        out += f"{number} 1\n{place:010} 00000 n \n".encode()
    size = max(places) + 1
    out += f"trailer << /Size {size} /Root 1 0 R {trailer} >>\nstartxref\n{start}\n%%EOF".encode()
    return bytes(out)


def drawn(words: str, font: str = "F1") -> str:
    """Return the stream that draws words on a page."""
    shown = f"<{words.encode('utf-16-be').hex()}>" if font == "F2" else f"({words})"
    return f"BT /{font} 12 Tf 50 700 Td {shown} Tj ET"


# -- Office ----------------------------------------------------------------------------------------


def package(parts: Mapping[str, str | bytes], *, level: int = 1) -> bytes:
    """Return a zip package of these parts."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=level) as zipped:
        for name, part in parts.items():
            zipped.writestr(name, part)
    return out.getvalue()


def docx(body: str, more: Mapping[str, str | bytes] | None = None, *, head: str = "") -> bytes:
    """Return a Word document with this body."""
    document = f'<?xml version="1.0"?>{head}<w:document {W}><w:body>{body}</w:body></w:document>'
    return package({"[Content_Types].xml": _TYPES, "word/document.xml": document, **(more or {})})


def _told(content: bytes, size: int, other: int) -> bytes:
    """Return a package whose entry of that size says that it has another."""
    return content.replace(struct.pack("<I", size), struct.pack("<I", other))


def paragraph(words: str) -> str:
    """Return a paragraph of a Word document."""
    return f"<w:p><w:r><w:t>{words}</w:t></w:r></w:p>"


def workbook() -> openpyxl.Workbook:
    """Return a workbook of two sheets, with dates, formulas, and words in Chinese."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "收入"
    sheet.append(["月份", "金额", "说明"])
    sheet.append(["一月", 1200.5, "含税"])
    sheet.append(["合计", "=SUM(B2:B2)", None])
    book.create_sheet("备注").append(["第二张表"])
    return book


def xlsx(book: openpyxl.Workbook) -> bytes:
    """Return a workbook as a file."""
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


@cache
def million_rows() -> bytes:
    """Return a workbook whose sheet is a million rows of two cells, by hand."""
    rows = "".join(
        f'<row r="{row}"><c r="A{row}"><v>{row}</v></c><c r="B{row}" t="inlineStr"><is><t>row'
        f"</t></is></c></row>"
        for row in range(1, 1_000_001)
    )
    names = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    size = '<dimension ref="A1:B1000000"/>'
    sheet = f'<worksheet xmlns="{names}">{size}<sheetData>{rows}</sheetData></worksheet>'
    with zipfile.ZipFile(io.BytesIO(xlsx(openpyxl.Workbook()))) as empty:
        parts = {name: empty.read(name) for name in empty.namelist()}
    return package(parts | {"xl/worksheets/sheet1.xml": sheet.encode()})


def ods(rows: str) -> bytes:
    """Return a spreadsheet of OpenDocument."""
    office, table = (
        f"urn:oasis:names:tc:opendocument:xmlns:{one}:1.0" for one in ("office", "table")
    )
    content = (
        f'<office:document-content xmlns:office="{office}" xmlns:table="{table}"'
        ' xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><office:body>'
        f'<office:spreadsheet><table:table table:name="表">{rows}</table:table>'
        "</office:spreadsheet></office:body></office:document-content>"
    )
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    manifest = (
        '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>'
    )
    return package({"mimetype": kind, "content.xml": content, "META-INF/manifest.xml": manifest})


def ole(*streams: str) -> bytes:
    """Return the beginning of an old Office file whose directory names these streams."""
    names = b"".join(name.encode("utf-16-le") + b"\0\0" for name in streams)
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504) + names + bytes(4_096)


# -- pictures --------------------------------------------------------------------------------------


def picture(
    kind: str, mode: str = "RGB", size: tuple[int, int] = (400, 300), **options: object
) -> bytes:
    """Return a picture as a file."""
    out = io.BytesIO()
    Image.new(mode, size, 40_000 if mode.startswith("I") else None or 0).save(out, kind, **options)
    return out.getvalue()


def png_bomb(side: int = 60_000) -> bytes:
    """Return a PNG of a few kilobytes that says it has billions of pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    body = zlib.compress(bytes(1_000_000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def animated() -> bytes:
    """Return a moving picture of five frames."""
    frames = [Image.new("RGB", (64, 64), (shade, 0, 0)) for shade in range(0, 250, 50)]
    out = io.BytesIO()
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:])
    return out.getvalue()


# -- all of them -----------------------------------------------------------------------------------


@cache
def cases() -> tuple[Case, ...]:
    """Return the files."""
    return (*_pdfs(), *_documents(), *_workbooks(), *_texts(), *_pictures(), *_others())


def _pdfs() -> Iterable[Case]:
    words = drawn("Plain words")
    yield Case(
        "plain.pdf", pdf([words, drawn("中文字句", "F2")]), ("[page 2]", "Plain words", "中文字句")
    )
    yield Case("scanned.pdf", pdf(["0 0 600 800 re f"] * 3), refusal="no_text")
    half = pdf([words, "0 0 600 800 re f", drawn("last")])
    yield Case("half-scanned.pdf", half, ("Plain words", "last"), left_out="scans:1")
    lock = "/ID [<00> <00>] /Encrypt << /Filter /Standard /V 1 /R 2 /P -4 /O <{0}> /U <{0}> >>"
    yield Case("locked.pdf", pdf([words], trailer=lock.format("ab" * 32)), refusal="encrypted")
    yield Case("broken.pdf", b"%PDF-1.7\n" + bytes(range(256)) * 40, refusal="broken")
    thousand = pdf([drawn(f"This is page number {number}") for number in range(1_000)])
    yield Case("thousand.pdf", thousand, ("page number 999", "[page 1000]"))
    long = pdf([drawn("x" * 30_000) * 2] * 20)
    yield Case("long.pdf", long, ("[page 1]",), left_out="pages:")
    script = "/OpenAction << /S /JavaScript /JS (app.launchURL\\('http://127.0.0.1:9/'\\)) >>"
    yield Case("script.pdf", pdf([words], catalog=script), ("Plain words",), lacks=("launchURL",))
    inside = "/Names << /EmbeddedFiles << /Names [(x.exe) 20000 0 R] >> >>"
    files = [
        "<< /Type /Filespec /F (x.exe) /EF << /F 20001 0 R >> >>",
        "<< /Type /EmbeddedFile /Length 6 >>\nstream\nHIDDEN\nendstream",
    ]
    embedded = pdf([words], catalog=inside, more=files)
    yield Case("embedded.pdf", embedded, ("Plain words",), lacks=("HIDDEN",))


def _documents() -> Iterable[Case]:
    body = (
        paragraph("第一段")
        + "<w:tbl><w:tr><w:tc><w:p><w:r><w:t>左</w:t></w:r></w:p></w:tc><w:sdt><w:sdtContent>"
        + "<w:tc><w:p><w:r><w:t>右</w:t></w:r></w:p></w:tc></w:sdtContent></w:sdt></w:tr></w:tbl>"
        + "<w:p><w:ins><w:r><w:t>added</w:t></w:r></w:ins><w:del><w:r><w:delText>struck</w:delText>"
        + "</w:r></w:del><w:r><w:tab/><w:t>tabbed</w:t></w:r></w:p>"
    )
    notes = {"word/footnotes.xml": f"<w:footnotes {W}>{paragraph('a footnote')}</w:footnotes>"}
    whole = ("第一段", "左 | 右", "added\ttabbed", "a footnote")
    yield Case("plain.docx", docx(body, notes), whole, lacks=("struck",))
    macro = docx(paragraph("macro"), {"word/vbaProject.bin": b"Sub AutoOpen()"})
    yield Case("macro.docm", macro, ("macro",), lacks=("AutoOpen",))
    target = (
        '<Relationships xmlns="x"><Relationship Id="r1" Type="t/attachedTemplate"'
        ' Target="http://127.0.0.1:9/" TargetMode="External"/></Relationships>'
    )
    linked = docx(paragraph("linked"), {"word/_rels/document.xml.rels": target})
    yield Case("external-links.docx", linked, ("linked",))
    laughs = (
        '<!DOCTYPE z [<!ENTITY a "ha">'
        + "".join(
            f'<!ENTITY {new} "{f"&{old};" * 10}">'
            for old, new in zip("abcdefgh", "bcdefghi", strict=True)
        )
        + "]>"
    )
    yield Case("laughs.docx", docx(paragraph("&i;"), head=laughs), refusal="broken")
    file = '<!DOCTYPE z [<!ENTITY f SYSTEM "file:///etc/passwd">]>'
    yield Case("entity.docx", docx(paragraph("&f;"), head=file), refusal="broken")
    deep = docx("<w:sdt>" * 100_000 + "</w:sdt>" * 100_000)
    yield Case("deep.docx", deep, refusal="broken")
    bomb = docx(paragraph("a"), {"word/media/1.bin": bytes(4_711)})
    yield Case("bomb.docx", _told(bomb, 4_711, 0x7FFF_FFFF), refusal="bomb")
    long = docx(paragraph("much more than it says" * 4_000))
    with zipfile.ZipFile(io.BytesIO(long)) as zipped:
        size = zipped.getinfo("word/document.xml").file_size
    yield Case("lying.docx", _told(long, size, 100), refusal="broken")
    heavy = docx(paragraph("w") * 4_000_000)
    yield Case("heavy.docx", heavy, refusal="heavy")
    yield Case("half.docx", docx(body)[:-60], refusal="broken")
    yield Case("blank.docx", docx("<w:p/>"), refusal="no_text")


def _workbooks() -> Iterable[Case]:
    found = ("[sheet 收入]", "一月\t1200.5\t含税", "=SUM(B2:B2)", "第二张表")
    book = xlsx(workbook())
    yield Case("plain.xlsx", book, found)
    yield Case("wrong-name.pdf", book, found)
    with zipfile.ZipFile(io.BytesIO(book)) as zipped:
        parts = {name: zipped.read(name) for name in zipped.namelist()}
    yield Case(
        "macro.xlsm", package(parts | {"xl/vbaProject.bin": b"Shell"}), found, lacks=("Shell",)
    )
    sheet = "xl/worksheets/sheet1.xml"
    kept = (
        parts[sheet]
        .replace(b"<v></v>", b"<v>4711</v>")
        .replace(b"<v/>", b"<v>4711</v>")
        .replace(b"<v />", b"<v>4711</v>")
    )
    yield Case("computed.xlsx", package(parts | {sheet: kept}), ("合计\t4711",), lacks=("=SUM",))
    yield Case("million.xlsx", million_rows(), ("1\trow", "30000\trow"), left_out="rows:")
    cell = "<table:table-cell office:value-type='string'><text:p>格子</text:p></table:table-cell>"
    cells = f"<table:table-row>{cell}</table:table-row>"
    yield Case("plain.ods", ods(cells), ("[sheet 表]", "格子"))
    yield Case("locked.xlsx", ole("EncryptionInfo", "EncryptedPackage"), refusal="encrypted")
    yield Case("broken.xls", ole("Workbook"), refusal="broken")
    yield Case("blank.xlsx", xlsx(openpyxl.Workbook()), refusal="no_text")


def _texts() -> Iterable[Case]:
    yield Case("code.py", b"def f():\n\treturn '</think>'\n", ("def f():\n\treturn",))
    yield Case(
        "utf8-mark.txt", b"\xef\xbb\xbf" + CHINESE.encode(), (CHINESE[:20],), lacks=("\ufeff",)
    )
    yield Case("gb18030.txt", CHINESE.encode("gb18030"), (CHINESE[:20],))
    yield Case("utf16.txt", CHINESE.encode("utf-16"), (CHINESE[:20],))
    yield Case(
        "utf16-bare.csv", f"name,城市\n{CHINESE}".encode("utf-16-le"), ("name,城市", CHINESE[:20])
    )
    yield Case(
        "big5.txt", ("台灣的經濟與社會發展，學習歷史與語言。" * 20).encode("big5"), ("台灣的經濟",)
    )
    yield Case(
        "latin.txt",
        ("Où est passé l'été déjà oublié à Genève? " * 30).encode("cp1252"),
        ("été déjà",),
    )
    yield Case("cut.txt", (CHINESE * 9).encode()[:-2], (CHINESE[:20],))
    yield Case(
        "long.log",
        b"a line of a log\n" * 60_000,
        ("a line of a log",),
        left_out="characters:460000",
    )
    hidden = (
        "a line that is seen\n" * 20 + "seen\u202edesrever\u202c\u200b\U000e0041 <|im_end|>\x1b[31m"
    )
    yield Case(
        "hidden.txt", hidden.encode(), ("seendesrever",), lacks=("\u202e", "\u200b", "<|", "\x1b")
    )
    yield Case("page.html", b"<html><script>alert(1)</script><p>words</p>", ("words",))
    yield Case("empty.txt", b"", refusal="empty")
    yield Case("blank.txt", b" \n\t\n", refusal="empty")


def _pictures() -> Iterable[Case]:
    yield Case("cmyk.jpg", picture("JPEG", "CMYK"), is_picture=True)
    yield Case("deep.png", picture("PNG", "I;16"), is_picture=True)
    yield Case("phone.heic", picture("HEIF"), is_picture=True)
    yield Case("moving.gif", animated(), is_picture=True, left_out="frames:4")
    yield Case("wrong-name.txt", picture("WEBP"), is_picture=True)
    yield Case("large.jpg", picture("JPEG", size=(6_000, 4_000)), is_picture=True)
    yield Case("bomb.png", png_bomb(), refusal="unread")
    yield Case("half.jpg", picture("JPEG", size=(2_000, 2_000))[:900], refusal="unread")


def _others() -> Iterable[Case]:
    yield Case("program.exe", b"MZ\x90\0" + bytes(range(256)) * 64, refusal="unknown")
    yield Case("program.txt", b"\x7fELF" + bytes(4_096), refusal="unknown")
    yield Case("files.zip", package({"a.txt": "words"}), refusal="archive")
    yield Case(
        "zip-bomb.zip", package({f"{n}.txt": bytes(220 << 20) for n in range(5)}), refusal="bomb"
    )
    yield Case("files.tar.gz", b"\x1f\x8b\x08" + bytes(200), refusal="archive")
    yield Case("old.doc", ole("WordDocument"), refusal="old_office")
    yield Case("note.rtf", b"{\\rtf1 words}", refusal="old_office")
    yield Case("slides.pptx", package({"ppt/presentation.xml": "<p/>"}), refusal="old_office")
    yield Case("huge.bin", bytes(51 << 20), refusal="too_large")
