"""Tally of what providers answered with errors, by provider and code, since the process began."""

import re
import threading
from collections import Counter
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from core.errors import ProviderError
from core.wire.masking.secrets import known_secrets

_Parameters = ParamSpec("_Parameters")
_Error = TypeVar("_Error", bound=ProviderError | None)

# Codes are an upstream's own words: a strange one is to make no series without end.
_MOST = 200
_OTHERS = "other"
_CODE = re.compile(r"[A-Za-z0-9_.-]{1,40}")


def _plain(code: str) -> str:
    """Return a code as it is told: whatever else stands in its place may be anything, or a key."""
    return code if _CODE.fullmatch(code) and known_secrets.wash(code) == code else _OTHERS


class ErrorTally:
    """Counts errors by provider, code and kind. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[tuple[str, str, str]] = Counter()

    def add(self, error: ProviderError) -> None:
        """Count one."""
        code = error.code if error.code is not None else error.status_code
        kind = error.text_id.rpartition(".")[2]
        key = (error.provider, "" if code is None else _plain(str(code)), kind)
        with self._lock:
            if key not in self._counts and len(self._counts) >= _MOST:
                key = (error.provider, _OTHERS, kind)
            self._counts[key] += 1

    def counts(self) -> dict[tuple[str, str, str], int]:
        """Return how many there were of each."""
        with self._lock:
            return dict(self._counts)


TALLY = ErrorTally()


def tallied(make: Callable[_Parameters, _Error]) -> Callable[_Parameters, _Error]:
    """Count each error that a function makes of what came from a provider."""

    @wraps(make)
    def making(*arguments: _Parameters.args, **facts: _Parameters.kwargs) -> _Error:
        error = make(*arguments, **facts)
        if error is not None:
            TALLY.add(error)
        return error

    return making
