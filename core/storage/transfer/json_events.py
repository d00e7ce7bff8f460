"""Incremental JSON parsing: the events of a file of any size, and single values within bounds."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any, BinaryIO

import ijson  # type: ignore[import-untyped]
from ijson.common import ObjectBuilder  # type: ignore[import-untyped]

from core.storage.transfer.checked_fields import malformed
from core.storage.transfer.json_bytes import JsonBytes

_READ_AT_ONCE = 1 << 16
_NODE_WEIGHT = 100  # bytes that a value takes beside its characters, about
_OPENING = ("start_map", "start_array")
_CLOSING = ("end_map", "end_array")

Events = Iterator[tuple[str, Any]]


def events_of(file: BinaryIO, tell: Callable[[int], None]) -> Events:
    """Yield what stands in a JSON file from its beginning; InputError where it is none."""
    file.seek(0)
    source = JsonBytes(file, tell)
    try:
        for event in ijson.basic_parse(source, buf_size=_READ_AT_ONCE):
            source.quiet = 0
            yield event
    except (ijson.JSONError, ValueError, ArithmeticError) as error:  # UnicodeError is one
        raise malformed("file", "not JSON") from error


class ValueRefusedError(Exception):
    """A value is larger or deeper than it may be; it has been read to its end all the same."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem


def whole(
    event: str, value: Any, events: Events, *, most: int | None = None, deepest: int = 64
) -> Any:
    """Return the value that begins with an event; ValueRefusedError when it is out of bounds."""
    builder: ObjectBuilder | None = ObjectBuilder()
    problem = ""
    depth = weight = 0
    while True:
        depth += (event in _OPENING) - (event in _CLOSING)
        weight += _NODE_WEIGHT + (len(value) if isinstance(value, str) else 0)
        if depth > deepest or (most is not None and weight > most):
            problem = problem or ("nested too deeply" if depth > deepest else "too large")
            builder = None  # what there is of it need not be held any longer
        if builder is not None:
            builder.event(event, float(value) if isinstance(value, Decimal) else value)
        if depth == 0:
            if builder is None:
                raise ValueRefusedError(problem)
            return builder.value
        event, value = next(events)


def skip(event: str, events: Events) -> None:
    """Read the value that begins with an event to its end, however large or deep."""
    depth = (event in _OPENING) - (event in _CLOSING)
    while depth:
        event, _ = next(events)
        depth += (event in _OPENING) - (event in _CLOSING)
