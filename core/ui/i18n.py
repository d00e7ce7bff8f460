"""Every word a person reads: two catalogues (texts/zh.toml, texts/en.toml) with the same keys."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any, Literal

from core.errors import AppError

Language = Literal["zh", "en"]
LANGUAGES: tuple[Language, ...] = ("zh", "en")
LANGUAGE_NAMES: dict[Language, str] = {"zh": "中文", "en": "English"}

_FOLDER = Path(__file__).parent / "texts"


def language_of(locale: str | None) -> Language:
    """Return the catalogue for a browser's locale such as `zh-CN`: Chinese, or else English."""
    return "zh" if (locale or "").lower().startswith("zh") else "en"


@cache
def catalogue(language: Language) -> dict[str, str]:
    """Return all texts of one language, keyed `section.name`."""
    with (_FOLDER / f"{language}.toml").open("rb") as file:
        return dict(_flatten(tomllib.load(file)))


def text(language: Language, key: str, /, **facts: object) -> str:
    """Return the text named `key` with its {placeholders} filled from `facts`."""
    return catalogue(language)[key].format_map(facts)


def error_text(language: Language, error: AppError) -> str:
    """Return what happened and what to do about it, as one sentence for a person."""
    return stored_error_text(language, error.text_id, error.facts) or str(error)


def stored_error_text(language: Language, text_id: str, facts: dict[str, object]) -> str | None:
    """Return the sentence of an error that was written down; None when the catalogue lacks it."""
    template = catalogue(language).get(text_id)
    if template is None:
        return None
    localised = {
        name: catalogue(language).get(f"fact.{name}.{value}", value)
        for name, value in facts.items()
    }
    return template.format_map(_Facts(localised))


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
