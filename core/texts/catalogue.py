"""The two catalogues of texts, zh.toml and en.toml, with the same keys: loading and formatting."""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal

Language = Literal["zh", "en"]
LANGUAGES: tuple[Language, ...] = ("zh", "en")
LANGUAGE_TAGS: dict[Language, str] = {"zh": "zh-CN", "en": "en"}  # for a page's `lang`
LANGUAGE_NAMES: dict[Language, str] = {"zh": "中文", "en": "English"}

_FOLDER = Path(__file__).parent
_HEADER_LIMIT = 200


def language_of(accepted: str | None) -> Language:
    """Return which of both a locale or an Accept-Language (RFC 9110, 12.5.4) likes better.

    English where it names neither, as a program's does.
    """
    best: Language = "en"
    most = 0.0
    for preference in (accepted or "")[:_HEADER_LIMIT].lower().split(","):
        tag, _, parameter = preference.partition(";")
        name = tag.strip().partition("-")[0]
        language: Language | None = "zh" if name == "zh" else "en" if name == "en" else None
        weight = _weight(parameter)
        if language is not None and weight > most:
            best, most = language, weight
    return best


def _weight(parameter: str) -> float:
    name, _, value = parameter.partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0


@cache
def texts_of(language: Language) -> dict[str, str]:
    """Return all texts of one language, keyed `section.name`."""
    with (_FOLDER / f"{language}.toml").open("rb") as file:
        return dict(_flatten(tomllib.load(file)))


def text(language: Language, key: str, /, **facts: object) -> str:
    """Return the text named `key` with its {placeholders} filled from `facts`."""
    return texts_of(language)[key].format_map(facts)


def sentence(language: Language, text_id: str, facts: Mapping[str, object]) -> str | None:
    """Return the sentence of an error or a note; None when the catalogue lacks it."""
    texts = texts_of(language)
    template = texts.get(text_id)
    if template is None:
        return None
    localised = {name: texts.get(f"fact.{name}.{value}", value) for name, value in facts.items()}
    return template.format_map(_Facts(localised))


def waiting_sentence(language: Language, text_id: str, facts: Mapping[str, object]) -> str | None:
    """Return what holds up a task that goes on by itself.

    An error's own sentence may end in "try again", which there would mean: pay twice.
    """
    waiting_id = text_id.replace("error.", "trouble.", 1)
    return sentence(language, waiting_id, facts) or sentence(language, text_id, facts)


class _Facts(dict[str, object]):
    # An error written down by an older version may lack a fact: show the sentence all the same.
    def __missing__(self, key: str) -> str:
        return "?"


def _flatten(table: dict[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    entries: list[tuple[str, str]] = []
    for name, value in table.items():
        if isinstance(value, dict):
            entries += _flatten(value, f"{prefix}{name}.")
        else:
            entries.append((f"{prefix}{name}", value))
    return entries
