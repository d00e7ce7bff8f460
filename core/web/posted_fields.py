"""Validation of a posted body by a msgspec Struct, which `/openapi.json` describes it with."""

import json
from collections.abc import Mapping
from typing import Any, TypeVar

from msgspec import Struct, ValidationError, convert
from msgspec.structs import FieldInfo, fields

_Kind = TypeVar("_Kind", bound=Struct)


class FieldError(Exception):
    """A field is not as its Struct has it; `path` leads to the place in it, as in `[3].content`."""

    def __init__(self, field: str, path: str) -> None:
        super().__init__(field)
        self.field = field
        self.path = path


def validated(body: Mapping[str, Any], kind: type[_Kind]) -> _Kind:
    """Return a body's known fields; FieldError names the first one, as the Struct has them."""
    try:
        return convert(body, kind)
    except (ValidationError, UnicodeEncodeError):
        # In the order of the body; and a lone surrogate in a name that nobody reads is no fault.
        known = [field for field in fields(kind) if field.name in body]
        return kind(**{field.name: _value(body[field.name], field) for field in known})


def _value(value: object, field: FieldInfo) -> Any:
    try:
        try:
            return convert(value, field.type)
        except UnicodeEncodeError:
            readable = json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")
            return convert(json.loads(readable), field.type)
    except (ValidationError, RecursionError) as error:
        raise FieldError(field.name, str(error).partition(" - at `$")[2]) from error
