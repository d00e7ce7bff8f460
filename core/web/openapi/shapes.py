"""Building blocks of the OpenAPI description: schemas, replies, parameters, operations."""

from typing import Any

Json = dict[str, Any]

TEXT: Json = {"type": "string"}
TEXT_OR_NULL: Json = {"type": ["string", "null"]}
OBJECT: Json = {"type": "object"}
HTML: Json = {"text/html": {"schema": TEXT}}
PLAIN: Json = {"text/plain": {"schema": TEXT}}
EVENTS: Json = {"text/event-stream": {}}


def shape(*required: str, **more: Json) -> Json:
    """Return the schema of an object: the texts that it holds, and what else it may hold."""
    properties = {**dict.fromkeys(required, TEXT), **more}
    return {"type": "object", "required": [*required], "properties": properties}


ERROR = shape("error", body=TEXT)


def json_of(schema: Json = OBJECT) -> Json:
    """Return the content of a JSON body of this schema."""
    return {"application/json": {"schema": schema}}


def reply(description: str, *contents: Json) -> Json:
    """Return a reply of these contents."""
    content = {name: schema for one in contents for name, schema in one.items()}
    return {"description": description, **({"content": content} if content else {})}


def parameter(name: str, place: str, description: str = "", **schema: object) -> Json:
    """Return a parameter: a text, unless its schema says otherwise."""
    is_required = place == "path" or "minLength" in schema
    about = {"description": description} if description else {}
    return {
        "name": name,
        "in": place,
        "required": is_required,
        **about,
        "schema": {**TEXT, **schema},
    }


def operation(summary: str, replies: Json, *parameters: Json, body: Json | None = None) -> Json:
    """Return what one method of a path takes and answers."""
    posted = {"requestBody": {"required": True, "content": json_of(body)}} if body else {}
    return {"summary": summary, "parameters": [*parameters], **posted, "responses": replies}


def open_path(summary: str, replies: Json, *parameters: Json) -> Json:
    """Return what a path without a caller serves: GET, and HEAD, which is told statuses alone."""
    get = {**operation(summary, replies, *parameters), "security": []}
    bare = {status: reply(one["description"]) for status, one in replies.items()}
    return {"get": get, "head": {**get, "responses": bare}}


def guarded(own: Json, error: Json = ERROR) -> Json:
    """Return the replies of a path behind the guard, with its own among them."""
    common = {
        "401": "The access token is not known",
        "403": "This caller, page or host may not call; says what to configure",
        "429": "Too much at once or in a minute; Retry-After tells when",
        "503": "The studio or its store is not open",
        "default": "The provider's own status, or a fault",
    }
    return {**{status: reply(one, json_of(error)) for status, one in common.items()}, **own}


def too_much(own: Json, error: Json, form: str) -> Json:
    """Return the replies to what is posted, the path's own among them."""
    common = {
        "408": "The body was too slow",
        "413": "The body is too large",
        "415": f"The body is not sent as {form}",
    }
    return {**own, **{status: reply(one, json_of(error)) for status, one in common.items()}}


def posted(own: Json, error: Json = ERROR) -> Json:
    """Return the replies to a posted JSON body, the path's own among them."""
    return too_much(guarded(own, error), error, "JSON")
