"""Hostile files: bombs, depths and wrong types are refused in our words, and memory stays flat."""

import io
import json
import random
import struct
import tracemalloc
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, cast

import pytest

from core.errors import InputError
from core.storage.store import Store
from core.storage.transfer import json_bytes, json_events
from core.storage.transfer.foreign import archives, model, shapes
from core.texts import catalogue
from tests.conftest import Clock
from tests.unit.foreign.samples import SAMPLES, chatgpt_zip, zipped
from tests.unit.foreign.test_kinds import bring_in, every_kind

MB = 1 << 20
# What is held at most of one conversation, and around it: the parser, a transaction.
FLAT_BYTES = 24 * MB


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[Store]:
    """A store in a file: what is refused never gets to either database."""
    store = Store.open(tmp_path / "inkling.db", clock=clock)
    yield store
    store.close()


@pytest.fixture(autouse=True)
def small_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the tests small: the bounds are what is looked at, not their size."""
    monkeypatch.setattr(json_bytes, "LONGEST_TEXT", 2 * MB)
    monkeypatch.setattr(shapes, "MOST_WEIGHT", 2 * MB)
    monkeypatch.setattr(archives, "SMALL_BYTES", 4 * MB)


class Endless(io.RawIOBase):
    """A file that is made while it is read: a beginning, one piece again and again, an end."""

    def __init__(self, begin: bytes, piece: bytes, times: int, end: bytes = b"") -> None:
        self._parts = (begin, piece, times, end)
        self._pieces = self._all()
        self._place = 0

    def _all(self) -> Iterator[bytes]:
        begin, piece, times, end = self._parts
        yield begin
        for _ in range(times):
            yield piece
        yield end

    def read(self, size: int = -1) -> bytes:
        data = b""
        while len(data) < size and (piece := next(self._pieces, b"")):
            data += piece
        self._place += len(data)
        return data

    def tell(self) -> int:
        return self._place

    def seek(self, place: int, whence: int = 0) -> int:
        assert (place, whence) == (0, 0)
        self._pieces, self._place = self._all(), 0
        return 0


def peak_of(store: Store, file: BinaryIO) -> tuple[int, InputError | None]:
    """Return how much memory an import took at most, and how it was refused."""
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        try:
            store.imports.import_file("ada", file)
            refusal = None
        except InputError as error:
            refusal = error
        return tracemalloc.get_traced_memory()[1] - before, refusal
    finally:
        tracemalloc.stop()


def in_our_words(error: InputError, problem: str) -> None:
    assert error.facts.get("problem") == problem
    for language in catalogue.LANGUAGES:
        assert catalogue.texts_of(language)[f"fact.problem.{problem}"] in error.sentence(language)


NODE = b'{"id": "n", "parent": null, "message": {"x": "' + b"x" * 900 + b'"}}, "k": '
BEGIN = b'[{"id": "big", "title": "Big", "mapping": {"k": '
DEEP = b'[{"title": "Big", "mapping": {"a": '
ENTRY = json.dumps(SAMPLES["chatgpt"].entries()[1]).encode()


@pytest.mark.parametrize(
    ("file", "problem"),
    [
        (Endless(b'[{"mapping": {}, "x": "', b"x" * 65536, 500), "a text in it is too long"),
        (Endless(b"[", b" " * 65536, 500), "a text in it is too long"),
        (Endless(b'{"format": "', b"\\u0041" * 9000, 500), "a text in it is too long"),
        (Endless(b'[{"mapping": {}, "x": ', b"[" * 65536, 12), None),
        (Endless(b"", b"[" * 65536, 12), None),
        (Endless(b"", b'{"a":' * 9000, 30), None),
        (Endless(b"[", b"9" * 65536, 100), None),
        (Endless(b'{"conversations": ', b"[" * 65536, 12), None),
    ],
    ids=["text", "blanks", "escapes", "depth", "depth at once", "objects", "number", "ours"],
)
def test_bombs_are_refused_and_memory_stays_flat(
    store: Store, file: BinaryIO, problem: str | None
) -> None:
    peak, refusal = peak_of(store, file)
    assert refusal is not None
    if problem:
        in_our_words(refusal, problem)
    assert peak < FLAT_BYTES
    assert store.conversations.count("ada") == 0


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ((BEGIN, NODE, 20_000, b"0}}]"), "too large"),
        ((DEEP, b"[" * 1000, 100, b"]" * 100_000 + b"}}]"), "nested too deeply"),
    ],
)  # fmt: skip
def test_an_entry_out_of_bounds_costs_itself(
    store: Store, entry: tuple[bytes, bytes, int, bytes], problem: str
) -> None:
    begin, piece, times, end = entry
    file = Endless(begin.replace(b"[", b"[" + ENTRY + b",", 1), piece, times, end)
    peak, refusal = peak_of(store, cast(BinaryIO, file))
    assert refusal is None
    assert peak < FLAT_BYTES
    file.seek(0)
    result = store.imports.import_file("eve", cast(BinaryIO, file))
    assert (result.added, result.failed) == (1, 1)
    assert [(one.number, one.problem) for one in result.problems] == [(2, problem)]


def test_a_file_of_many_conversations_takes_no_more_memory_than_of_few(store: Store) -> None:
    text = b"x" * 20_000
    entry = ENTRY.replace(b"Hello", text).replace(b'"id": "c2"', b'"id": "%d"')
    few, many = (
        peak_of(store, io.BytesIO(b"[" + b",".join(entry % at for at in range(count)) + b"]"))[0]
        for count in (100, 400)
    )
    assert many < few + 3 * MB  # 6 MB of text more


@pytest.mark.parametrize("read_at_once", [3, 1 << 16])
def test_long_numbers_stand_in_texts_alone(
    store: Store, read_at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_events, "_READ_AT_ONCE", read_at_once)
    number = "9" * 5000
    for before in ("", 'a \\" ', "\\\\", 'x\\\\\\" '):
        entry = ENTRY.decode().replace("Hello", before + number)
        assert bring_in(store, f"[{entry}]".encode()).failed == 0
        for end in ("", "]", "}", ', "x"]'):
            with pytest.raises(InputError):
                bring_in(store, f"[{entry}, {number}{end}".encode())


def deflated(size: int) -> bytes:
    out = io.BytesIO()
    with (
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("conversations.json", "w") as member,
    ):
        for piece in (b"[", *[b" " * MB] * (size // MB), b"]"):
            member.write(piece)
    return out.getvalue()


def encrypted() -> bytes:
    data = bytearray(zipped({"conversations.json": SAMPLES["chatgpt"].entries()}))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(signature) + offset] |= 1
    return bytes(data)


def with_directory(length: int) -> bytes:
    data = bytearray(zipped({"conversations.json": SAMPLES["chatgpt"].entries()}))
    struct.pack_into("<L", data, data.rindex(b"PK\x05\x06") + 12, length)
    return bytes(data)


def garbled() -> bytes:
    data = bytearray(zipped({"conversations.json": SAMPLES["chatgpt"].entries()}))
    middle = len(data) // 3
    data[middle : middle + 40] = b"\xff" * 40
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (deflated(64 * MB), "a zip that unpacks to far more than it is"),
        (encrypted(), "encrypted with a password"),
        (zipped({"../../conversations.json": []}), "a zip with names that lead out of it"),
        (zipped({"/etc/conversations.json": []}), "a zip with names that lead out of it"),
        (zipped({"C:/x.json": []}), "a zip with names that lead out of it"),
        (zipped({"..\\x.json": []}), "a zip with names that lead out of it"),
        (with_directory(archives.DIRECTORY_MOST + 1), "a zip with too many files in it"),
        (garbled(), "a damaged zip"),
        (b"PK\x03\x04" + b"\0" * 100, "a damaged zip"),
    ],
    ids=["bomb", "encrypted", "slip", "absolute", "drive", "backslash", "files", "garbled", "cut"],
)
def test_hostile_zips_are_refused(store: Store, data: bytes, problem: str) -> None:
    peak, refusal = peak_of(store, io.BytesIO(data))
    assert refusal is not None
    in_our_words(refusal, problem)
    assert peak < FLAT_BYTES
    assert store.conversations.count("ada") == 0


def test_the_true_bounds_hold_what_people_have() -> None:
    assert model.MOST_WEIGHT >= 32 * MB
    assert archives.RATIO_MOST >= 100


JUNK: list[Any] = [
    None, True, 0, -1, 1 << 70, 1e308, "", "x", "\ud800", "\0", "9" * 5000, [], [None], [[]], {},
    {"a": 1}, [{"id": {}}], {"": {"parent": ""}}, [1, "2", None, {}], {"type": [], "content": {}},
]  # fmt: skip


def spoiled(value: Any, dice: random.Random) -> Any:
    """Return a value of which some part, any, has become something else."""
    if dice.random() < 0.05 or not isinstance(value, dict | list) or not value:
        return dice.choice(JUNK)
    changed: Any = dict(value) if isinstance(value, dict) else list(value)
    key = dice.choice(list(changed) if isinstance(changed, dict) else range(len(changed)))
    changed[key] = spoiled(changed[key], dice)
    return changed


@every_kind
def test_any_value_may_be_of_any_type(store: Store, sample: Any) -> None:
    dice = random.Random(18)
    for number in range(60):
        entries = sample.entries()
        entries[0] = spoiled(spoiled(entries[0], dice), dice)
        try:
            result = bring_in(store, sample.file(entries), owner=f"o{number}")
        except InputError:
            continue
        # A file in a zip none of whose entries is known is one of those that are passed over.
        assert result.added + result.failed in ((1, 2) if sample.file is chatgpt_zip else (2,))
        for conversation in store.conversations.list(f"o{number}", limit=10).items:
            assert store.messages.path(f"o{number}", conversation.id)


@pytest.mark.parametrize(
    "sample", [SAMPLES["chatgpt"], SAMPLES["nextchat"], SAMPLES["cherry-studio"]]
)
def test_the_file_around_the_entries_may_be_anything(store: Store, sample: Any) -> None:
    whole = sample.file(sample.entries())
    dice = random.Random(7)
    for number in range(150):
        data = json.dumps(spoiled(whole, dice)).encode()
        with suppress(InputError):  # and no other error
            bring_in(store, data, owner=f"o{number}")


def test_nothing_is_left_on_disk(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    bring_in(store, SAMPLES["cherry-studio-zip"].file(SAMPLES["cherry-studio"].entries()))
    with pytest.raises(InputError):
        bring_in(store, b'{"indexedDB": {"message_blocks": [{"id": "x"}], "topics": [')
    assert not list((tmp_path / "temporary").iterdir())
