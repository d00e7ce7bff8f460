"""What becomes of attached files: text, a picture, or a sentence that says why there is neither."""

import io
import resource
import socket
import threading

import pytest
from PIL import Image

from core.archive.documents.found import TEXT_MOST
from core.errors import InputError
from core.models.parts import FilePart, PicturePart
from core.texts.catalogue import LANGUAGES
from core.work.attachments.extraction import ReadFile, plain_name, read
from tests.picture_cases import metadata_bytes
from tests.unit.attachments.files import Case, cases, docx, million_rows, paragraph, pdf

ALL = {case.name: case for case in cases()}


def outcome(case: Case) -> ReadFile | InputError:
    try:
        return read(case.name, case.content).result()
    except InputError as error:
        return error


@pytest.mark.parametrize("name", ALL)
def test_a_file_gives_its_text_or_a_clear_sentence(name: str) -> None:
    case = ALL[name]
    found = outcome(case)
    if case.refusal:
        assert isinstance(found, InputError), found
        assert found.text_id == f"error.file_{case.refusal}"
        for language in LANGUAGES:
            sentence = found.sentence(language)
            assert name in sentence
            assert "{" not in sentence
        return
    assert isinstance(found, ReadFile), f"{found}"
    assert found.name == name
    assert found.part.left_out.startswith(case.left_out)
    assert bool(found.part.left_out) == bool(case.left_out)
    if case.is_picture:
        assert isinstance(found.part, PicturePart)
        assert found.blob is not None
        assert found.part.sha256 == found.blob.sha256
        assert not metadata_bytes(found.blob.content)
        with Image.open(io.BytesIO(found.blob.content)) as image:
            assert image.format in ("JPEG", "PNG")
            assert max(image.size) <= 2_048
        return
    assert isinstance(found.part, FilePart)
    assert [words for words in case.words if words not in found.part.text] == []
    assert [words for words in case.lacks if words in found.part.text] == []
    assert len(found.part.text) <= TEXT_MOST


def test_there_are_files_of_every_kind() -> None:
    refusals = {case.refusal for case in cases()}
    assert len(ALL) >= 50
    assert refusals == {
        *("", "archive", "bomb", "broken", "empty", "encrypted", "heavy", "no_text"),
        *("old_office", "too_large", "unknown", "unread"),
    }


def test_memory_stays_what_it_is_whatever_comes() -> None:
    million_rows()
    outcome(ALL["plain.pdf"])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for case in ALL.values():
        outcome(case)
    grown_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown_kb < 64 << 10


def test_a_file_that_takes_too_long_is_given_up() -> None:
    with pytest.raises(InputError) as raised:
        read("a.pdf", ALL["thousand.pdf"].content, time_limit_s=0.01).result()
    assert raised.value.text_id == "error.file_slow"


def test_nothing_that_a_file_names_is_fetched() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        asked = threading.Event()

        def serve() -> None:
            try:
                server.accept()
            except OSError:
                return
            asked.set()

        waiting = threading.Thread(target=serve)
        waiting.start()
        address = f"http://127.0.0.1:{port}/"
        relations = (
            '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
            f'<Relationship Id="r1" Type="t/image" Target="{address}" TargetMode="External"/>'
            "</Relationships>"
        )
        parts: dict[str, str | bytes] = {"word/_rels/document.xml.rels": relations}
        script = f"/OpenAction << /S /URI /URI ({address}) >>"
        for content in (
            docx(paragraph("linked"), parts),
            docx(paragraph("x"), head=f'<!DOCTYPE w SYSTEM "{address}">'),
            pdf(["BT /F1 12 Tf (words) Tj ET"], catalog=script),
        ):
            outcome(Case("file", content))
        server.shutdown(socket.SHUT_RDWR)
        waiting.join()
    assert not asked.is_set()


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\报告.docx", "报告.docx"),
        ("photo\u202egpj.exe", "photogpj.exe"),
        ("a\x00b\nc\x1b[31m.txt", "ab c[31m.txt"),
        ("..", "file"),
        ("", "file"),
        ("/", "file"),
        ("x" * 500 + ".pdf", "x" * 119 + "…"),
        pytest.param("\udcff.txt", "\ufffd.txt", id="half a sign"),
        (".gitignore", ".gitignore"),
    ],
)
def test_a_name_is_plain_words_without_folders(name: str, plain: str) -> None:
    assert plain_name(name) == plain
