"""A task's history: notes as they are stored, and as a person reads them."""

import ast
import re
from pathlib import Path
from string import Formatter

import pytest

from core.models.generations import GenerationEvent, GenerationStatus, Note
from core.storage.generations import notes
from core.texts.catalogue import LANGUAGES, texts_of
from core.ui.gallery.large.task_history import note_text
from tests.conftest import Clock

ROOT = Path(__file__).parents[3]
WRITERS = ("core/work/generations", "core/storage/generations", "core/providers")


def note_ids() -> list[str]:
    """Return every text id that the writers of notes name, the providers' errors among them."""
    constants = (
        node.value
        for room in WRITERS
        for path in sorted((ROOT / room).rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )
    return sorted({one for one in constants if re.fullmatch(r"(note|error)\.[a-z_0-9]+", one)})


def test_the_writers_name_notes() -> None:
    assert {"note.sending", "note.send_again", "error.kling_content"} <= set(note_ids())


@pytest.mark.parametrize("text_id", note_ids())
def test_a_note_is_read_in_the_readers_language(text_id: str, clock: Clock) -> None:
    facts = {
        name: "42"
        for key in (text_id, text_id.replace("error.", "trouble."))
        for _, name, _, _ in Formatter().parse(texts_of("en").get(key, ""))
        if name
    }
    for status in GenerationStatus:
        event = GenerationEvent("g", clock.now, status, Note(text_id, facts))
        shown = note_text("zh", event)
        assert re.search(r"[\u4e00-\u9fff]", shown), shown
        assert text_id not in shown
        assert not re.search(r"[A-Za-z]+ [a-z]+ [a-z]+ [a-z]+", shown), shown
        assert "?" not in shown, "a fact is missing"
        assert not re.search(r"[\u4e00-\u9fff]", note_text("en", event))


def test_a_note_that_this_version_does_not_know_shows_no_id(clock: Clock) -> None:
    event = GenerationEvent("g", clock.now, GenerationStatus.FAILED, Note("note.of_tomorrow"))
    for language in LANGUAGES:
        assert note_text(language, event) == texts_of(language)["error.unexpected"]


@pytest.mark.parametrize(
    "note", [Note("note.sending"), Note("error.kling_rate", {"code": 1302, "host": "可灵"})]
)
def test_a_note_comes_back_as_it_was_written(note: Note) -> None:
    assert notes.read(notes.written(note)) == note


@pytest.mark.parametrize(
    ("stored", "read"),
    [
        ("", ""),
        ("the request goes out", "the request goes out"),
        ("refused for now: 1303", "refused for now: 1303"),
        ("error.kling_content 1301", Note("error.kling_content", {"code": "1301"})),
        ("error.task_failed", Note("error.task_failed")),
        ("{broken", "{broken"),
        ("{}", "{}"),
    ],
)
def test_what_an_earlier_version_wrote_is_read(stored: str, read: Note | str) -> None:
    assert notes.read(stored) == read
