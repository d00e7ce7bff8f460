"""Numbers and moments as a reader expects them."""

import re
from datetime import datetime

from core.models.chat import Usage
from core.ui import clock
from core.ui.session import text


def duration(seconds: float) -> str:
    """Return a length of time such as `8.2 s` or `3 min 20 s`."""
    if seconds < 10:
        return text("format.seconds", s=f"{seconds:.1f}")
    if seconds < 60:
        return text("format.seconds", s=f"{seconds:.0f}")
    if seconds < 3600:
        return text("format.minutes", m=int(seconds // 60), s=int(seconds % 60))
    return text("format.hours", h=int(seconds // 3600), m=int(seconds % 3600 // 60))


def moment(at: datetime) -> str:
    """Return a moment as the reader's clock and calendar have it."""
    return at.astimezone(clock.zone()).strftime("%Y-%m-%d %H:%M")


def moment_to_the_second(at: datetime) -> str:
    """Return a moment with its seconds, where one follows close upon the other."""
    return at.astimezone(clock.zone()).strftime("%Y-%m-%d %H:%M:%S")


def size(size_bytes: int) -> str:
    """Return a file's size such as `1.4 MB`."""
    if size_bytes < 1 << 20:
        return text("format.kilobytes", n=f"{size_bytes / 1024:.0f}")
    return text("format.megabytes", n=f"{size_bytes / (1 << 20):.1f}")


def file_words(words: str, *, limit: int = 40) -> str:
    """Return the beginning of a text as a part of a file's name."""
    kept = "".join(sign if sign.isalnum() else "-" for sign in words[:limit])
    return "-".join(filter(None, kept.split("-"))) or "inkling"


def code_span(text: str) -> str:
    """Return somebody else's word as Markdown code, whatever backticks are in it."""
    word = " ".join(text.split())
    fence = "`" * (max((len(run) for run in re.findall("`+", word)), default=0) + 1)
    return f"{fence} {word} {fence}" if "`" in word else f"`{word}`"


def usage_line(usage: Usage | None) -> str:
    """Return the tokens of an answer, as far as the provider gave them."""
    if usage is None or (usage.prompt_tokens is None and usage.completion_tokens is None):
        return text("usage.not_given")
    parts = [
        text(
            "usage.tokens",
            prompt=_count(usage.prompt_tokens),
            completion=_count(usage.completion_tokens),
        )
    ]
    if usage.cache_hit_tokens:
        parts.append(text("usage.cached", hit=_count(usage.cache_hit_tokens)))
    if usage.reasoning_tokens:
        parts.append(text("usage.reasoning", reasoning=_count(usage.reasoning_tokens)))
    return " · ".join(parts)


def _count(tokens: int | None) -> str:
    return text("usage.unknown") if tokens is None else f"{tokens:,}"
