"""Lenient readers of JSON values: what is not of the expected type counts as not there."""

import math
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

_TITLE_MOST = 400
_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC).timestamp()
_LATEST = datetime(2200, 1, 1, tzinfo=UTC).timestamp()
_THINKING = re.compile(r"\A\s*<think(?:ing)?>(.*?)</think(?:ing)?>", re.DOTALL | re.IGNORECASE)


def mapping(value: object) -> Mapping[str, Any]:
    """Return the object, or an empty one."""
    return value if isinstance(value, Mapping) else {}


def entries(value: object) -> list[Any]:
    """Return the list, or an empty one."""
    return value if isinstance(value, list) else []


def objects(value: object) -> Iterator[Mapping[str, Any]]:
    """Yield the objects of a list."""
    return (one for one in entries(value) if isinstance(one, Mapping))


def text(value: object) -> str:
    """Return the text, or an empty one."""
    return value if isinstance(value, str) else ""


def identifier(value: object) -> str:
    """Return an id, which some apps write as a number."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return text(value)


def title(value: object) -> str:
    """Return a title on one line."""
    return " ".join(text(value)[: 4 * _TITLE_MOST].split())[:_TITLE_MOST]


def seconds(value: object) -> float | None:
    """Return a sane length of time."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) and 0 <= value < 1e7 else None


def moment(value: object) -> datetime | None:
    """Return a moment: ISO 8601, or seconds since 1970 with or without a finer unit's zeros."""
    if isinstance(value, str):
        try:
            at = datetime.fromisoformat(value.strip())
            return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, OverflowError):
            return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    for unit in (1, 10**3, 10**6, 10**9):
        if _EARLIEST <= value / unit < _LATEST:
            return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=value / unit)
    return None


def split_thinking(content: str) -> tuple[str, str]:
    """Return reasoning and content of an answer that begins with its thinking in tags."""
    match = _THINKING.match(content)
    return (match[1].strip(), content[match.end() :].lstrip()) if match else ("", content)


def joined(pieces: list[str], separator: str = "\n\n") -> str:
    """Return the pieces that hold anything as one text."""
    return separator.join(piece for piece in pieces if piece.strip())


def picture_note(name: object = "") -> str:
    """Return what stands for a picture whose bytes did not come along."""
    return f"🖼 {title(name)}".rstrip()


def file_note(name: object = "") -> str:
    """Return what stands for a file whose bytes did not come along."""
    return f"📎 {title(name)}".rstrip()


def parts_text(value: object) -> str:
    """Return the words of a content that is a text, or a list of parts as OpenAI's API has it."""
    if isinstance(value, str):
        return value
    pieces = []
    for part in entries(value):
        if isinstance(part, str):
            pieces.append(part)
            continue
        part = mapping(part)
        kind = text(part.get("type"))
        if kind in ("text", "input_text", "output_text", ""):
            pieces.append(text(part.get("text")))
        elif "image" in kind:
            pieces.append(picture_note(part.get("name")))
        else:
            pieces.append(file_note(part.get("name") or kind))
    return joined(pieces, "\n")
