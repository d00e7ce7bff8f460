"""Both catalogues say the same things, and the code names what stands in them, with all facts."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from string import Formatter

import pytest

from core import errors
from core.errors import AppError, ProviderError
from core.texts import catalogue

ROOT = Path(__file__).parents[2]
ZH, EN = catalogue.texts_of("zh"), catalogue.texts_of("en")
CODE = [ROOT / "app.py", *sorted(ROOT.glob("core/**/*.py")), *sorted(ROOT.glob("pages/*.py"))]
SECTIONS = sorted({key.partition(".")[0] for key in ZH})
TEXT_ID = re.compile(rf"(?:{'|'.join(SECTIONS)})\.[a-z_0-9]+")
# Names of other things that look like ours.
FOREIGN = {
    "chat.completion",
    "http.disconnect",
    "http.request",
    "money.deepseek_balance",
    "money.totals_zone",
    "practice.jsonl",
    "reading.js",
}

ERRORS = {
    name: kind
    for name, kind in vars(errors).items()
    if isinstance(kind, type) and issubclass(kind, AppError)
}
PROVIDERS_FACTS = {"provider", "status_code", "code"}
# What fills a text in: the call that names it, and the facts that are there without being named.
TELLERS: dict[str, set[str]] = {
    "text": set(),
    "button": set(),
    "download": set(),
    "Note": set(),
    "_refuse": set(),
    "HttpCallError": set(),
    "_wrong": {"field"},
    "ErrorRule": {*PROVIDERS_FACTS, "host"},
    "Limit": {*PROVIDERS_FACTS, "host", "seconds"},
    "ConfigurationError": {"key", "source"},
    **{
        name: set(PROVIDERS_FACTS) if issubclass(kind, ProviderError) else set()
        for name, kind in ERRORS.items()
        if name != "ConfigurationError"
    },
}


def placeholders(template: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(template) if name}


@cache
def trees() -> dict[Path, ast.Module]:
    return {path: ast.parse(path.read_text(encoding="utf-8")) for path in CODE}


def nodes() -> Iterator[tuple[Path, ast.AST]]:
    for path, tree in trees().items():
        yield from ((path, node) for node in ast.walk(tree))


@cache
def strings() -> set[str]:
    """Return every text in the code, whole or the beginning of one that is put together."""
    return {
        node.value
        for _, node in nodes()
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


@cache
def fronts() -> set[str]:
    """Return the beginnings of the ids that the code puts together, such as `images.state_`."""
    found = set()
    for _, node in nodes():
        first = node.values[0] if isinstance(node, ast.JoinedStr) and node.values else None
        if isinstance(first, ast.Constant) and isinstance(first.value, str):
            found.add(first.value)
    sections = tuple(f"{section}." for section in SECTIONS)
    return {front for front in found if front.startswith(sections) and " " not in front}


def is_used(key: str) -> bool:
    section, _, name = key.partition(".")
    if section == "trouble":  # the same errors, told of what goes on by itself
        return is_used(f"error.{name}")
    if section == "fact":  # a fact that is a word: its value stands in the code
        return name.partition(".")[2] in strings()
    if key in strings():
        return True
    tails = (key.removeprefix(front) for front in fronts() if key.startswith(front))
    return any(tail in strings() or tail.isdecimal() for tail in tails)


def test_both_languages_have_the_same_keys() -> None:
    assert ZH.keys() == EN.keys()


@pytest.mark.parametrize("key", sorted(ZH))
def test_both_languages_fill_the_same_placeholders(key: str) -> None:
    assert placeholders(ZH[key]) == placeholders(EN[key])


@pytest.mark.parametrize("key", sorted(EN))
def test_english_holds_no_chinese_but_the_name(key: str) -> None:
    assert not re.search(r"[\u4e00-\u9fff]", EN[key].replace("墨灵", "").replace("中文", ""))


def test_every_text_that_the_code_names_exists() -> None:
    named = {
        one for one in strings() if TEXT_ID.fullmatch(one) and not one.endswith((".py", ".css"))
    }
    unknown = named - ZH.keys() - FOREIGN - fronts()
    assert not [one for one in sorted(unknown) if not one.endswith("_")]
    assert not [front for front in fronts() if not any(key.startswith(front) for key in ZH)]


def test_every_text_is_used() -> None:
    assert [key for key in sorted(ZH) if not is_used(key)] == []


def told() -> Iterator[tuple[str, str, set[str]]]:
    """Yield each place that names a text: where, which, and the facts that fill it."""
    for path, node in nodes():
        if not isinstance(node, ast.Call):
            continue
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        ids = [one.value for one in node.args if isinstance(one, ast.Constant) and one.value in ZH]
        if name not in TELLERS or not ids:
            continue
        keywords = {one.arg: one.value for one in node.keywords}
        dicts = [one for one in (*node.args, keywords.get("facts")) if isinstance(one, ast.Dict)]
        is_open = None in keywords or ("facts" in keywords and not dicts)
        if is_open or any(None in one.keys for one in dicts):
            continue  # filled from elsewhere
        keys = {
            str(key.value) for one in dicts for key in one.keys if isinstance(key, ast.Constant)
        }
        where = f"{path.relative_to(ROOT)}:{node.lineno}"
        yield where, str(ids[0]), keys | {str(one) for one in keywords} | TELLERS[name]


def test_every_text_gets_all_its_facts() -> None:
    calls = list(told())
    assert len(calls) > 400
    assert [
        (where, text_id, lacking)
        for where, text_id, facts in calls
        if (lacking := placeholders(ZH[text_id]) - facts)
    ] == []


@pytest.mark.parametrize("key", sorted(key for key in ZH if key.startswith("trouble.")))
def test_what_goes_on_by_itself_is_told_from_the_errors_own_facts(key: str) -> None:
    error = ZH[key.replace("trouble.", "error.", 1)]
    assert placeholders(ZH[key]) <= placeholders(error) | PROVIDERS_FACTS | {"host"}


@pytest.mark.parametrize(
    ("room", "callers", "fact"),
    [
        ("core/storage/transfer", {"malformed", "wrong"}, "problem"),
        ("core/web/kling", {"refuse"}, "expected"),
    ],
)
def test_a_fact_that_is_a_word_stands_in_the_catalogue(
    room: str, callers: set[str], fact: str
) -> None:
    words: set[str] = set()
    for path, node in nodes():
        if isinstance(node, ast.Call) and path.is_relative_to(ROOT / room):
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            if name in callers and len(node.args) == 2:
                words |= {
                    str(one.value)
                    for one in ast.walk(node.args[1])
                    if isinstance(one, ast.Constant)
                }
    assert len(words) > 5
    assert sorted(word for word in words if f"fact.{fact}.{word}" not in ZH) == []


def test_no_error_brings_a_sentence_of_its_own() -> None:
    """An error's text is an id: whatever is given in its place is no sentence."""
    for path, node in nodes():
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            texts = [one for one in node.args if isinstance(one, ast.Constant)]
            if node.func.id in ERRORS or node.func.id == "HttpCallError":
                spoken = [one.value for one in texts if " " in str(one.value)]
                assert spoken == [], f"{path.relative_to(ROOT)}:{node.lineno}"


def test_a_stored_error_of_another_version_still_reads() -> None:
    sentence = catalogue.sentence("en", "error.prompt_too_long", {"count": 2501})
    assert sentence is not None
    assert "2501" in sentence
    assert catalogue.sentence("en", "error.never_heard_of", {}) is None
    assert str(AppError("error.never_heard_of")) == EN["error.unexpected"]


def test_an_error_says_the_same_in_both_languages() -> None:
    error = AppError("error.reference_too_large", facts={"size_mb": "12.0", "limit_mb": 10})
    assert str(error) == error.sentence("en")
    for language in catalogue.LANGUAGES:
        assert "12.0" in error.sentence(language)
    assert error.sentence("zh") != error.sentence("en")


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


def test_practice_is_called_in_the_readers_language_where_a_sentence_names_the_server() -> None:
    """Every error that names its server names practice, too, which has no address to tell."""
    named = [key for key in ZH if key.startswith("error.") and "{host}" in ZH[key]]
    assert len(named) > 20
    for key in named:
        facts = dict.fromkeys(placeholders(ZH[key]), "1") | {"host": "practice"}
        assert "练习服务" in (catalogue.sentence("zh", key, facts) or "")
        assert "practice" in (catalogue.sentence("en", key, facts) or "")
