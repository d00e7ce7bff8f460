"""Request fields of a chat, and what becomes of each: the one table, which `/openapi.json` lists.

A field that stands nowhere here is left out, and named among the reply's `notices`.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from itertools import islice
from typing import Any


class Fate(StrEnum):
    """What becomes of a field."""

    PASSED = "passed"  # goes to the provider
    UNDERSTOOD = "understood"  # is read here, and goes on in other words
    ELSEWHERE = "elsewhere"  # goes to other servers; DeepSeek has none: named among the notices
    REFUSED = "refused"  # 400, with its name as `param`


FATES: Mapping[str, Fate] = {
    "model": Fate.PASSED,
    "messages": Fate.PASSED,
    "tools": Fate.PASSED,
    "tool_choice": Fate.PASSED,
    "response_format": Fate.PASSED,
    "stop": Fate.PASSED,
    "logprobs": Fate.PASSED,
    "top_logprobs": Fate.PASSED,
    "thinking": Fate.PASSED,
    "reasoning_effort": Fate.PASSED,
    "max_tokens": Fate.PASSED,
    "temperature": Fate.PASSED,
    "top_p": Fate.PASSED,
    "user_id": Fate.PASSED,
    "stream": Fate.UNDERSTOOD,
    "stream_options": Fate.UNDERSTOOD,
    "max_completion_tokens": Fate.UNDERSTOOD,
    "user": Fate.UNDERSTOOD,
    "safety_identifier": Fate.UNDERSTOOD,
    "n": Fate.UNDERSTOOD,
    "modalities": Fate.UNDERSTOOD,
    "web_search_options": Fate.UNDERSTOOD,
    "studio_tools": Fate.UNDERSTOOD,
    "frequency_penalty": Fate.ELSEWHERE,
    "presence_penalty": Fate.ELSEWHERE,
    "seed": Fate.ELSEWHERE,
    "logit_bias": Fate.ELSEWHERE,
    "parallel_tool_calls": Fate.ELSEWHERE,
    "prediction": Fate.ELSEWHERE,
    "verbosity": Fate.ELSEWHERE,
    "metadata": Fate.ELSEWHERE,
    "store": Fate.ELSEWHERE,
    "service_tier": Fate.ELSEWHERE,
    "prompt_cache_key": Fate.ELSEWHERE,
    "prompt_cache_retention": Fate.ELSEWHERE,
    "functions": Fate.REFUSED,
    "function_call": Fate.REFUSED,
    "audio": Fate.REFUSED,
}
# Our own, beside OpenAI's and DeepSeek's.
OWN = frozenset({"question", "system", "effort", "parameters"})
_NAME_MOST = 60
_NAMES_MOST = 32
_REFUSED = [name for name, fate in FATES.items() if fate is Fate.REFUSED]
# Said of as little as not given: what would be so anyway.
_AS_EVER: Mapping[str, tuple[object, ...]] = {
    "parallel_tool_calls": (True,),
    "service_tier": ("auto", "default"),
    "verbosity": ("medium",),
    "frequency_penalty": (0,),
    "presence_penalty": (0,),
}


def says_something(value: object) -> bool:
    """Tell whether a field's value asks for anything: 0 does, null and what is empty do not."""
    if isinstance(value, Mapping):
        return any(map(says_something, value.values()))
    return value is not None and value is not False and value not in ("", [])


def refused_field(fields: Mapping[str, Any]) -> str | None:
    """Return the first field that cannot be had at all."""
    return next((name for name in _REFUSED if fields.get(name)), None)


def others_in(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return OpenAI's own fields, for servers that know them."""
    return {
        name: value
        for name, value in fields.items()
        if value is not None and FATES.get(name) is Fate.ELSEWHERE
    }


def ignored_in(
    fields: Mapping[str, Any],
    *,
    speaks_deepseek: bool,
    fates: Mapping[str, Fate] = FATES,
    as_ever: Mapping[str, tuple[object, ...]] = _AS_EVER,
) -> tuple[str, ...]:
    """Return the fields that change nothing, and would have been meant to."""

    def is_ignored(name: str, value: object) -> bool:
        fate = fates.get(name)
        if name in OWN or fate not in (None, Fate.ELSEWHERE):
            return False
        if fate is Fate.ELSEWHERE and not speaks_deepseek:
            return False
        return says_something(value) and value not in as_ever.get(name, ())

    return tuple(name for name, value in fields.items() if is_ignored(name, value))


def shown_names(names: Iterable[str]) -> tuple[str, ...]:
    """Return names as a notice holds them: few, short, and fit to be read."""
    shown = (name if name.isprintable() else "…" for name in names)
    return tuple(name[:_NAME_MOST] for name in islice(shown, _NAMES_MOST))
