"""Rules that requests of every kind of picture share; each refusal names its field."""

import re
from collections.abc import Iterable
from typing import NoReturn

from core.errors import InputError

PROMPT_LIMIT = 2500
COUNT_LEAST = 1
COUNT_MOST = 9
REFERENCES_MOST = 10
_MODEL_NAME = re.compile(r"[a-z][a-z0-9._-]{2,59}")


def refuse(name: str, text_id: str, /, **facts: object) -> NoReturn:
    """Raise the InputError of a field."""
    raise InputError(name, text_id, facts=facts)


def listed(names: Iterable[str]) -> str:
    """Return names as a refusal lists them."""
    return ", ".join(names)


def count_characters(text: str) -> int:
    """Return the length of `text` as Kling counts it.

    The docs limit "characters" without saying which; code points are the plain reading, and none
    of the stored material contradicts it. One Chinese character counts as one either way; only an
    emoji would differ (two in UTF-16).
    """
    return len(text)


def is_plausible_model(name: str) -> bool:
    """Tell whether a model may be called so: plain signs, as all of Kling's names have."""
    return _MODEL_NAME.fullmatch(name) is not None


def check_prompt(prompt: str, *, is_needed: bool = True) -> None:
    """Refuse a prompt that is too long, or empty where words are needed."""
    if is_needed and not prompt.strip():
        refuse("prompt", "error.prompt_empty")
    if (count := count_characters(prompt)) > PROMPT_LIMIT:
        refuse("prompt", "error.prompt_too_long", count=count, limit=PROMPT_LIMIT)


def check_count(n: int) -> None:
    """Refuse a number of pictures that cannot be asked for at once."""
    if isinstance(n, bool) or not COUNT_LEAST <= n <= COUNT_MOST:
        refuse("n", "error.image_count", n=n, least=COUNT_LEAST, most=COUNT_MOST)


def check_choice(name: str, text_id: str, model: str, chosen: str, offered: Iterable[str]) -> None:
    """Refuse a ratio or resolution that a model does not draw; the fact is named as the field."""
    offered = tuple(offered)
    if chosen not in offered:
        fact = {"aspect_ratio": "ratio"}.get(name, name)
        refuse(name, text_id, model=model, offered=listed(offered), **{fact: chosen})


def check_callback(url: str | None) -> None:
    """Refuse what is no address to call back."""
    if url is not None and not url.startswith(("https://", "http://")):
        refuse("callback_url", "error.callback_url")
