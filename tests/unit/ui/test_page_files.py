"""Scripts and styles by address: all are served, once each; a run without a server has them."""

import json
import re
from pathlib import Path

import pytest

import core.ui
from core.texts.catalogue import LANGUAGES
from core.ui.frame import page_files

ROOMS = Path(core.ui.__file__).parent
FILES = {file.name: file for file in ROOMS.rglob("components/*")}


@pytest.fixture(autouse=True)
def _as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_files, "_is_served", False)


def test_every_script_and_style_of_the_pages_is_served() -> None:
    served = b"\n".join(page_files.serve().values())
    assert FILES
    assert [name for name, file in FILES.items() if file.read_bytes() not in served] == []


def test_a_script_has_one_entry() -> None:
    scripts = {name: words for name, words in page_files.serve().items() if name.endswith(".js")}
    for name, words in scripts.items():
        assert len(re.findall(rb"^export default (?:async )?function", words, re.MULTILINE)) == 1, (
            name
        )
        assert not re.search(rb"^import ", words, re.MULTILINE), name  # its parts are put together


def test_no_style_looks_like_tags() -> None:
    # What cleans HTML for the page would drop it, where it stands in the page.
    styles = {name: words for name, words in page_files.serve().items() if name.endswith(".css")}
    assert [name for name, words in styles.items() if b"<" in words] == []


def test_the_words_of_both_languages_are_served_alike() -> None:
    files = page_files.serve()
    zh, en = (json.loads(files[f"words.{language}.json"]) for language in LANGUAGES)
    assert zh.keys() == en.keys()
    assert zh != en


def test_an_address_changes_with_its_content(monkeypatch: pytest.MonkeyPatch) -> None:
    before = page_files.address("copying.js")
    assert re.fullmatch(r"assets/copying\.[0-9a-f]{16}\.js", before)
    monkeypatch.setattr(page_files, "_content", lambda _name: b"another")
    assert page_files.address("copying.js") != before
