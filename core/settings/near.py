"""Near misses (did you mean): names in files of settings that are almost ours, and read by nobody.

A misspelled name would leave the studio in practice mode, or its door open, without a word.
"""

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

# What the section of access may hold; one of these above the first [section] has no effect.
ACCESS_NAMES = ("users", "origins", "hosts", "open", "behind_proxy", "proxies", "user_header")
# What people call in that section what has another name of its own.
_ACCESS_ALIASES = {"tokens": "INKLING_TOKENS", "token": "INKLING_TOKENS"}
# AWS_ACCESS_KEY_ID and DEEPSEEK_MODEL_NAME are further from ours than DEEPSEEK_KEY is.
_LIKENESS = 0.85
BEHIND_PROXY = "[access] behind_proxy"


def near_misses(
    table: Mapping[str, Any], names: Iterable[str], *, has_sections: bool
) -> Iterator[tuple[str, str, Any]]:
    """Yield each name in a file that is almost ours, the name that was meant, and the value.

    Where the right name stands beside it, the other one is thought to be meant as it is.
    """
    known = tuple(names)
    for key, value in table.items():
        if isinstance(value, Mapping) and has_sections:
            yield from _near_in_section(key, value, known)
        elif key not in known and (meant := _nearest(key, known)) and meant not in table:
            yield key, meant, value
        elif has_sections and key != "behind_proxy" and (name := _same(key, ACCESS_NAMES)):
            yield key, f"[access] {name}", value


def _near_in_section(
    section: str, table: Mapping[str, Any], known: tuple[str, ...]
) -> Iterator[tuple[str, str, Any]]:
    is_access = _plain(section) == _plain("access")
    for key, value in table.items():
        if key.upper() in known:
            continue  # told as misplaced
        meant: str | None
        if not is_access:
            meant = _same(f"{section}_{key}", known)
        elif key in ACCESS_NAMES and section == "access":
            continue
        else:
            meant = _ACCESS_ALIASES.get(key.lower())
            if meant is None and (name := _nearest(key, ACCESS_NAMES)):
                meant = None if section == "access" and name in table else f"[access] {name}"
        if meant is not None and meant not in table:
            yield f"[{section}] {key}", meant, value


def _same(key: str, names: tuple[str, ...]) -> str | None:
    return next((name for name in names if _plain(name) == _plain(key)), None)


def _nearest(key: str, names: tuple[str, ...]) -> str | None:
    if (same := _same(key, names)) is not None:
        return same
    upper = {name.upper(): name for name in names}
    written = key.upper().replace("-", "_")
    for name in difflib.get_close_matches(written, upper, n=1, cutoff=_LIKENESS):
        # Another program's: AWS_ACCESS_KEY_ID, S3_ACCESS_KEY_ID.
        if not written.endswith(f"_{name}"):
            return upper[name]
    return None


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
