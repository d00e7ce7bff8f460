"""Validation of posted bodies and queries by msgspec Structs, of which `/openapi.json` is made."""

import json
from collections.abc import Mapping
from typing import Any, Literal, TypeVar, get_args, get_origin

import msgspec
from msgspec import Struct, ValidationError, convert
from msgspec.structs import FieldInfo, fields

from core.web.http_call import HttpCall, HttpCallError

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


async def posted_body(call: HttpCall, kind: type[_Kind]) -> _Kind:
    """Return what a call posts; HttpCallError names the first field that is not as described."""
    body = await call.json_object()
    try:
        for field in fields(kind):
            if field.required and field.name not in body:
                raise FieldError(field.name, "")
        return validated(body, kind)
    except FieldError as error:
        name = error.field
        raise HttpCallError(400, "http.want_described", facts={"field": name}, field=name) from None


def queried(query: Mapping[str, str], kind: type[_Kind]) -> _Kind:
    """Return a query's known parameters; HttpCallError says what the first wrong one must be.

    What is empty is not asked for.
    """
    found = {}
    for field in fields(kind):
        if words := query.get(field.encode_name):
            try:
                found[field.name] = convert(_written(words, field), field.type, strict=False)
            except ValidationError as error:
                raise _expected(field) from error
    return kind(**found)


def _expected(field: FieldInfo) -> HttpCallError:
    name = field.encode_name
    facts: dict[str, object] = {"field": name}
    if offered := _offered(field.type):
        facts["offered"] = ", ".join(offered)
        return HttpCallError(400, "http.want_one_of", facts=facts, field=name)
    most = msgspec.json.schema(field.type)["maximum"]
    return HttpCallError(400, "http.want_limit", facts={**facts, "most": most}, field=name)


def _written(words: str, field: FieldInfo) -> str:
    """Return words as they are converted; of numbers only digits count, whatever zeros lead."""
    if msgspec.json.schema(field.type).get("type") != "integer":
        return words
    if not (words.isascii() and words.isdigit()):
        raise ValidationError(words)
    return words.lstrip("0") or "0"


def _offered(kind: Any) -> tuple[str, ...]:
    """Return the words of a Literal, also one that may be left out, in their own order."""
    if get_origin(kind) is Literal:
        return get_args(kind)
    return next((words for one in get_args(kind) if (words := _offered(one))), ())


def _value(value: object, field: FieldInfo) -> Any:
    try:
        try:
            return convert(value, field.type)
        except UnicodeEncodeError:
            readable = json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")
            return convert(json.loads(readable), field.type)
    except (ValidationError, RecursionError) as error:
        raise FieldError(field.name, str(error).partition(" - at `$")[2]) from error
