"""What becomes of attached files: text, a picture, or a sentence that says why there is neither."""

import io
import resource
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from PIL import Image

from core.archive.documents.found import TEXT_MOST
from core.errors import InputError
from core.models.parts import FilePart, PicturePart
from core.texts.catalogue import LANGUAGES
from core.work.attachments import extraction
from core.work.attachments.extraction import ReadFile, plain_name, read
from tests.picture_cases import metadata_bytes
from tests.unit.attachments.files import Case, cases, docx, million_rows, paragraph, pdf

PATIENCE_S = 240.0  # a machine that tests has more to do
LARGE = ("heavy.docx", "million.xlsx", "thousand.pdf", "long.log", "large.jpg", "bomb.png")
ALL = {case.name: case for case in cases()}


def outcome(case: Case) -> ReadFile | InputError:
    try:
        return read(case.name, case.content, time_limit_s=PATIENCE_S).result()
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
    for name in LARGE:
        outcome(ALL[name])
    grown_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown_kb < 64 << 10


def test_a_file_that_takes_too_long_is_given_up() -> None:
    with pytest.raises(InputError) as raised:
        read("a.pdf", ALL["thousand.pdf"].content, time_limit_s=0.01).result()
    assert raised.value.text_id == "error.file_slow"


@pytest.mark.parametrize(
    ("program", "text_id"),
    [
        ("import os; os.abort()", "error.file_heavy"),
        ("import os; os.kill(os.getpid(), 9)", "error.file_heavy"),
        ("while True: pass", "error.file_slow"),
        ("import sys; sys.stdin.close(); import time; time.sleep(60)", "error.file_slow"),
        (
            "import sys; sys.stdin.buffer.read(); sys.stdout.buffer.write(bytes(50 << 20))",
            "error.file_heavy",
        ),
        ("print('no json')", "error.file_heavy"),
        ("print('[1]')", "error.file_heavy"),
        ("print('{}')", "error.file_heavy"),
        ('print(\'{"error": 5, "facts": {"name": "x"}}\')', "5"),
        (
            'import sys; sys.stdout.buffer.write(b\'{"media_type": "a", "left_out": "",'
            ' "is_picture": false}\\n\\xff\')',
            "error.file_heavy",
        ),
    ],
)
def test_whatever_becomes_of_a_parser_the_studio_goes_on(
    program: str, text_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.work.attachments.extraction._PROGRAM", ("-c", program))
    with pytest.raises(InputError) as raised:
        read("a.pdf", bytes(1 << 20), time_limit_s=2).result()
    assert raised.value.text_id == text_id
    assert raised.value.facts["name"] == "a.pdf"


def test_a_parser_that_was_taken_over_reaches_nothing(tmp_path: Path) -> None:
    program = """
import os, socket, subprocess, sys
from core.work.attachments import child
sys.addaudithook(child._refuse)
path = sys.argv[1]
tries = [
    lambda: socket.create_connection(("127.0.0.1", 9)),
    lambda: socket.getaddrinfo("example.com", 80),
    lambda: subprocess.run(["true"]),
    lambda: os.system("true"),
    lambda: os.fork(),
    lambda: os.execv("/bin/true", ["true"]),
    lambda: os.posix_spawn("/bin/true", ["true"], {}),
    lambda: open(path, "w"),
    lambda: os.open(path, os.O_CREAT | os.O_WRONLY),
]
for one in tries:
    try:
        one()
    except PermissionError:
        print("refused")
"""
    tried = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "written")],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[3],
    )
    assert tried.stdout.split() == ["refused"] * 9


def test_no_key_goes_along(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEEPSEEK_API_KEY", "sk-of-somebody")
    program = "import os; print(os.environ); raise SystemExit"
    monkeypatch.setattr("core.work.attachments.extraction._PROGRAM", ("-c", program))
    told = extraction._answer("a", b"x", 10)
    assert b"PYTHONUTF8" in told
    assert b"sk-of-somebody" not in told


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
