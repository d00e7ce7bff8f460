"""Sandboxed text extraction: each file by a child process with limits of time and memory.

Two at once, whoever asks: memory stays what it is, however many files come.
"""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from core.archive.documents.found import FILE_BYTES_MOST, READABLE, TEXT_MOST
from core.errors import InputError
from core.models.parts import Blob, FilePart, Part, PicturePart
from core.wire.web.washing import plain_words

NAME_MOST = 120
TIME_LIMIT_S = 45.0
AT_ONCE = 2
_PROGRAM = ("-B", "-m", "core.work.attachments.child")
_ROOT = Path(__file__).parents[3]
_PICTURES = ("image/jpeg", "image/png")
_REPLY_MOST = 4 * TEXT_MOST + (4 << 20)
_executor = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="attachments")
# What a program needs to start; keys and tokens of the environment stay outside.
_ENVIRONMENT = ("PATH", "LANG", "LC_ALL", "SYSTEMROOT", "LD_LIBRARY_PATH", "VIRTUAL_ENV")


@dataclass(frozen=True, slots=True)
class ReadFile:
    """A file as it goes with a question: its part, and the bytes of a picture."""

    part: FilePart | PicturePart
    blob: Blob | None = None

    @property
    def name(self) -> str:
        """What it is called."""
        return self.part.name


def read(name: str, content: bytes, *, time_limit_s: float = TIME_LIMIT_S) -> Future[ReadFile]:
    """Return, once it is made, what a question brings along of a file.

    InputError, with the file's name, for one that cannot be read.
    """
    return _executor.submit(_read, plain_name(name), content, time_limit_s)


def plain_name(name: str) -> str:
    """Return a file's name without folders, and without signs that are not seen or turn others."""
    last = name.replace("\\", "/").rstrip("/").rpartition("/")[2]
    plain = plain_words(last, NAME_MOST, is_line=True)
    return plain if plain.strip(". ") else "file"


def _read(name: str, content: bytes, time_limit_s: float) -> ReadFile:
    if len(content) > FILE_BYTES_MOST:  # not even handed over
        raise _refusal("error.file_too_large", name, most_mb=FILE_BYTES_MOST >> 20)
    if not content:
        raise _refusal("error.file_empty", name)
    reply = _answer(name, content, time_limit_s)
    try:
        return _read_file(name, reply)
    except (ValueError, KeyError, TypeError, AttributeError) as error:  # it broke off, or worse
        raise _refusal("error.file_heavy", name) from error


def _read_file(name: str, reply: bytes) -> ReadFile:
    """Return what a child told. A parser that was taken over may tell anything."""
    if len(reply) > _REPLY_MOST:
        raise ValueError
    line, _, body = reply.partition(b"\n")
    head = json.loads(line)
    if "error" in head:
        facts = {key: one for key, one in head["facts"].items() if isinstance(one, int)}
        raise _refusal(str(head["error"]), name, **facts)
    kind, left_out = plain_words(head["media_type"], 100), plain_words(head["left_out"], 200)
    if head["is_picture"] is True and kind in _PICTURES:
        blob = Blob(body, kind)
        picture = PicturePart(sha256=blob.sha256, media_type=kind, name=name, left_out=left_out)
        return ReadFile(picture, blob)
    return ReadFile(FilePart(name, body.decode("utf-8"), kind, left_out=left_out))


def _answer(name: str, content: bytes, time_limit_s: float) -> bytes:
    """Return what the child tells; InputError where it takes too long."""
    environment = {key: os.environ[key] for key in _ENVIRONMENT if key in os.environ}
    process = subprocess.Popen(
        [sys.executable, *_PROGRAM],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=_ROOT,
        env=environment | {"PYTHONPATH": str(_ROOT), "PYTHONUTF8": "1"},
    )
    is_late = threading.Event()

    def end() -> None:
        is_late.set()
        process.kill()

    alarm = threading.Timer(time_limit_s, end)
    alarm.daemon = True
    alarm.start()
    try:
        reply = _exchange(process, content)
    finally:
        alarm.cancel()
        process.kill()
        process.wait()
    if is_late.is_set():
        raise _refusal("error.file_slow", name, seconds=round(time_limit_s))
    return reply


def _exchange(process: subprocess.Popen[bytes], content: bytes) -> bytes:
    # All of it is read before anything is answered: neither side waits for the other.
    assert process.stdin is not None
    assert process.stdout is not None
    with suppress(OSError):  # it has ended: what it said before that tells why
        process.stdin.write(content)
    with suppress(OSError):
        process.stdin.close()
    with process.stdout as output:
        return output.read(_REPLY_MOST + 1)


def _refusal(text_id: str, name: str, **facts: object) -> InputError:
    return InputError("file", text_id, facts={"readable": READABLE, **facts, "name": name})


def parts_of(files: Sequence[ReadFile]) -> tuple[tuple[Part, ...], tuple[Blob, ...]]:
    """Return what files are in a turn, and the bytes that go with it."""
    return (
        tuple(file.part for file in files),
        tuple(file.blob for file in files if file.blob is not None),
    )
