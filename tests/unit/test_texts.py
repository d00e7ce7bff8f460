"""Both catalogues say the same things, and everything the code says stands in them."""

import ast
import re
from pathlib import Path
from string import Formatter

import pytest

from core.texts import catalogue

ROOT = Path(__file__).parents[2]
ZH, EN = catalogue.texts_of("zh"), catalogue.texts_of("en")
CODE = [*sorted(ROOT.glob("core/**/*.py")), *sorted(ROOT.glob("pages/*.py"))]


def placeholders(template: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(template) if name}


def strings(path: Path) -> set[str]:
    return {
        node.value
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def missing(named: set[str]) -> list[str]:
    """Return the names without a text; one that ends in `_` is the front of several."""
    return sorted(
        name
        for name in named - ZH.keys()
        if not (name.endswith("_") and any(key.startswith(name) for key in ZH))
    )


def test_both_languages_have_the_same_keys() -> None:
    assert ZH.keys() == EN.keys()


@pytest.mark.parametrize("key", sorted(ZH))
def test_both_languages_fill_the_same_placeholders(key: str) -> None:
    assert placeholders(ZH[key]) == placeholders(EN[key])


@pytest.mark.parametrize("key", sorted(EN))
def test_english_holds_no_chinese_but_the_name(key: str) -> None:
    assert not re.search(r"[\u4e00-\u9fff]", EN[key].replace("墨灵", "").replace("中文", ""))


def test_every_error_in_the_code_has_its_sentence() -> None:
    named = {
        name for path in CODE for name in strings(path) if re.fullmatch(r"error\.[a-z_0-9]+", name)
    }
    assert named
    assert missing(named) == []


def test_every_text_the_pages_name_exists() -> None:
    sections = {key.partition(".")[0] for key in ZH} - {"error"}
    pattern = re.compile(rf"(?:{'|'.join(sorted(sections))})\.[a-z_0-9]+")
    named = {
        name
        for path in (*ROOT.glob("core/ui/*.py"), *ROOT.glob("pages/*.py"))
        for name in strings(path)
        if pattern.fullmatch(name) and not name.endswith(".py")
    }
    assert missing(named) == []


def test_a_stored_error_of_another_version_still_reads() -> None:
    sentence = catalogue.sentence("en", "error.prompt_too_long", {"count": 2501})
    assert sentence is not None
    assert "2501" in sentence
    assert catalogue.sentence("en", "error.never_heard_of", {}) is None


@pytest.mark.parametrize(
    ("locale", "language"),
    [
        ("zh-CN", "zh"),
        ("zh", "zh"),
        ("zh-Hant-TW", "zh"),
        ("en-US", "en"),
        ("fr", "en"),
        (None, "en"),
    ],
)
def test_the_browsers_locale_chooses_the_language(locale: str | None, language: str) -> None:
    assert catalogue.language_of(locale) == language
