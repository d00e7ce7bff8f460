"""The practice answers' texts, and which language a question is in."""

import functools
from pathlib import Path
from typing import Literal

Language = Literal["zh", "en"]

_FOLDER = Path(__file__).parent / "texts"


def language_of(text: str) -> Language:
    """Return Chinese for any text that holds Chinese characters, else English."""
    return "zh" if any("\u4e00" <= character <= "\u9fff" for character in text) else "en"


@functools.cache
def text(language: Language, name: str) -> str:
    """Return one text of the package."""
    return (_FOLDER / language / f"{name}.md").read_text(encoding="utf-8").strip()


def passages(language: Language, name: str) -> list[str]:
    """Return a text's parts, which are set apart by lines of `---`."""
    return [part.strip() for part in text(language, name).split("\n---\n")]
