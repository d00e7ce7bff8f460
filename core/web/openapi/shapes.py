"""Building blocks of the OpenAPI description: replies, parameters, operations.

A schema is a type, of which `described` makes one in the end; those of bodies are the Structs that
the routes read and write.
"""

from collections.abc import Iterator
from typing import Annotated, Any

import msgspec

from core.web.http_errors import ErrorReply

Json = dict[str, Any]

Filled = Annotated[str, msgspec.Meta(min_length=1)]
HTML: Json = {"text/html": {"schema": str}}
PLAIN: Json = {"text/plain": {"schema": str}}
EVENTS: Json = {"text/event-stream": {}}


def described(tree: Json) -> Json:
    """Return the description with a schema in place of each type, and the Structs by name."""
    schemas, named = msgspec.json.schema_components(
        _types(tree), ref_template="#/components/schemas/{name}"
    )
    filled: Json = _filled(tree, iter(schemas))
    return {**filled, "components": {"schemas": named, **filled["components"]}}


def _types(tree: Any) -> Iterator[Any]:
    if isinstance(tree, dict | list):
        for one in tree.values() if isinstance(tree, dict) else tree:
            yield from _types(one)
    elif not isinstance(tree, str | bool | int):
        yield tree


def _filled(tree: Any, schemas: Iterator[Json]) -> Any:
    if isinstance(tree, dict):
        return {name: _filled(one, schemas) for name, one in tree.items()}
    if isinstance(tree, list):
        return [_filled(one, schemas) for one in tree]
    return tree if isinstance(tree, str | bool | int) else next(schemas)


def json_of(schema: Any = dict) -> Json:
    """Return the content of a JSON body of this type."""
    return {"application/json": {"schema": schema}}


def reply(description: str, *contents: Json) -> Json:
    """Return a reply of these contents."""
    content = {name: schema for one in contents for name, schema in one.items()}
    return {"description": description, **({"content": content} if content else {})}


def parameter(name: str, place: str, schema: Any = str, *, is_required: bool = False) -> Json:
    """Return a parameter of this type; those of a path are always required."""
    return {"name": name, "in": place, "required": is_required or place == "path", "schema": schema}


def query(kind: type[msgspec.Struct]) -> list[Json]:
    """Return the parameters that a Struct reads of a query."""
    return [
        parameter(one.encode_name, "query", one.type, is_required=one.required)
        for one in msgspec.structs.fields(kind)
    ]


def required(content: Json) -> Json:
    """Return what must be posted."""
    return {"requestBody": {"required": True, "content": content}}


def operation(
    summary: str, replies: Json, *parameters: Json, body: Any = None, description: str = ""
) -> Json:
    """Return what one method of a path takes and answers."""
    posted = required(json_of(body)) if body else {}
    told = {"summary": summary, **({"description": description} if description else {})}
    return {**told, "parameters": [*parameters], **posted, "responses": replies}


def open_path(summary: str, replies: Json, *parameters: Json) -> Json:
    """Return what a path without a caller serves: GET, and HEAD, which is told statuses alone."""
    get = {**operation(summary, replies, *parameters), "security": []}
    bare = {status: reply(one["description"]) for status, one in replies.items()}
    return {"get": get, "head": {**get, "responses": bare}}


def guarded(own: Json, error: Any = ErrorReply) -> Json:
    """Return the replies of a path behind the guard, with its own among them."""
    common = {
        "401": "The access token is not known",
        "403": "This caller, page or host may not call; says what to configure",
        "429": "Too much at once or in a minute; Retry-After tells when",
        "503": "The studio or its store is not open",
        "default": "The provider's own status, or a fault",
    }
    return {**{status: reply(one, json_of(error)) for status, one in common.items()}, **own}


def too_much(own: Json, error: Any, form: str) -> Json:
    """Return the replies to what is posted, the path's own among them."""
    common = {
        "408": "The body was too slow",
        "413": "The body is too large",
        "415": f"The body is not sent as {form}",
    }
    return {**own, **{status: reply(one, json_of(error)) for status, one in common.items()}}


def posted(own: Json, error: Any = ErrorReply) -> Json:
    """Return the replies to a posted JSON body, the path's own among them."""
    return too_much(guarded(own, error), error, "JSON")
