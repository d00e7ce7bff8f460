"""Citing: an answer from what a question brought along from the web, told as the pages tell it.

The practice model is a gullible one: it repeats what a page says, tricks and all.
"""

import re

from core.practice.chat.texts import Language

_ENTRY = re.compile(r"^\[(\d+)\]\n((?:\| .*\n|\|\s*\n)+)", re.MULTILINE)
_QUOTED = 6_000


def cited(block: str, language: Language) -> str:
    """Return an answer that names every page of the block by its number."""
    found = _ENTRY.findall(block)
    count = len(found)
    head = f"联网找到了 {count} 个来源：" if language == "zh" else f"The web has {count} sources:"
    lines = [head, ""]
    for number, entry in found:
        told = dict(_told(entry))
        said = " ".join(told.get("", "").split())[:_QUOTED]
        lines.append(f"- {told.get('title', '')}: {said} [{number}]")
    return "\n".join(lines)


def _told(entry: str) -> list[tuple[str, str]]:
    words: list[str] = []
    named: list[tuple[str, str]] = []
    for line in entry.splitlines():
        name, colon, value = line.removeprefix("| ").partition(": ")
        if colon and not words and name in ("title", "address", "date", "shortened"):
            named.append((name, value))
        else:
            words.append(line.removeprefix("| "))
    return [*named, ("", " ".join(words))]
