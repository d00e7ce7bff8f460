"""The OpenAPI description of the HTTP layer; its bodies are the Structs that validate them."""

from functools import cache
from typing import Any

import msgspec

from core.access.invitations import CODE_PARAMETER
from core.web.chat.request import ChatBody, OpenAIChatBody
from core.web.kling.create import IDEMPOTENCY_HEADER, KEY_MOST
from core.web.kling.request import PictureBody
from core.web.money.routes import KINDS, LIMIT_MOST

_Json = dict[str, Any]

_TEXT: _Json = {"type": "string"}
_TEXT_OR_NULL: _Json = {"type": ["string", "null"]}
_OBJECT: _Json = {"type": "object"}
_HTML: _Json = {"text/html": {"schema": _TEXT}}
_PLAIN: _Json = {"text/plain": {"schema": _TEXT}}
_EVENTS: _Json = {"text/event-stream": {}}
(_CHAT, _OPENAI_CHAT, _PICTURE), _SCHEMAS = msgspec.json.schema_components(
    (ChatBody, OpenAIChatBody, PictureBody), ref_template="#/components/schemas/{name}"
)


def _shape(*required: str, **more: _Json) -> _Json:
    """Return the schema of an object: the texts that it holds, and what else it may hold."""
    properties = {**dict.fromkeys(required, _TEXT), **more}
    return {"type": "object", "required": [*required], "properties": properties}


_ERROR = _shape("error", body=_TEXT)


def _json(schema: _Json = _OBJECT) -> _Json:
    return {"application/json": {"schema": schema}}


def _reply(description: str, *contents: _Json) -> _Json:
    content = {name: schema for one in contents for name, schema in one.items()}
    return {"description": description, **({"content": content} if content else {})}


def _parameter(name: str, place: str, description: str = "", **schema: object) -> _Json:
    is_required = place == "path" or "minLength" in schema
    about = {"description": description} if description else {}
    return {
        "name": name,
        "in": place,
        "required": is_required,
        **about,
        "schema": {**_TEXT, **schema},
    }


def _operation(
    summary: str, replies: _Json, *parameters: _Json, body: _Json | None = None
) -> _Json:
    posted = {"requestBody": {"required": True, "content": _json(body)}} if body else {}
    return {"summary": summary, "parameters": [*parameters], **posted, "responses": replies}


def _open(summary: str, replies: _Json, *parameters: _Json) -> _Json:
    """Return what a path without a caller serves: GET, and HEAD, which is told statuses alone."""
    get = {**_operation(summary, replies, *parameters), "security": []}
    bare = {status: _reply(one["description"]) for status, one in replies.items()}
    return {"get": get, "head": {**get, "responses": bare}}


def _guarded(own: _Json, error: _Json = _ERROR) -> _Json:
    """Return the replies of a path behind the guard, with its own among them."""
    common = {
        "401": "The access token is not known",
        "403": "This caller, page or host may not call; says what to configure",
        "429": "Too much at once or in a minute; Retry-After tells when",
        "503": "The studio or its store is not open",
        "default": "The provider's own status, or a fault",
    }
    return {**{status: _reply(one, _json(error)) for status, one in common.items()}, **own}


def _too_much(own: _Json, error: _Json, form: str) -> _Json:
    """Return the replies to what is posted, the path's own among them."""
    common = {
        "408": "The body was too slow",
        "413": "The body is too large",
        "415": f"The body is not sent as {form}",
    }
    return {**own, **{status: _reply(one, _json(error)) for status, one in common.items()}}


def _posted(own: _Json, error: _Json = _ERROR) -> _Json:
    return _too_much(_guarded(own, error), error, "JSON")


_OPENAI_ERROR = {
    **_shape("error"),
    "properties": {"error": _shape("message", "type", param=_TEXT_OR_NULL, code=_TEXT_OR_NULL)},
}
_ENVELOPE = {
    **_shape(code={"type": "integer"}, message=_TEXT, request_id=_TEXT),
    "description": "Kling's own envelope; code 0 means success.",
}
_QUESTION = _parameter("question", "query", minLength=1, pattern="\\S")
_LAST_EVENT_ID = _parameter(
    "Last-Event-ID",
    "header",
    "The id of the last event that was read: the rest of that answer follows.",
)
_KEY = _parameter(
    IDEMPOTENCY_HEADER, "header", "Repeats under one key buy once.", maxLength=KEY_MOST
)
_PAGING = [_parameter(name, "query", type="integer") for name in ("pageNum", "pageSize")]
_CODE = _parameter(
    CODE_PARAMETER, "query", "What a one-time link carries. Reading the page does not redeem it."
)
_NOTICES: _Json = {"type": "array", "items": _shape("id", "message")}
_NO_MONEY = "A budget has no room for it; nothing was sent. Retry-After tells when it starts anew"
_NO_QUESTION = "The question is missing, or the body is not as described"
_STREAM = {
    "200": _reply(
        "Each piece one event, data a JSON string; `event: notice` tells what is to be said beside"
        " them; the end is `event: end`",
        _EVENTS,
    ),
    "204": _reply("Nothing follows the event that was named"),
    "400": _reply(_NO_QUESTION, _PLAIN),
    "402": _reply(_NO_MONEY, _json(_ERROR)),
}
_COMPLETE = {
    "200": _reply("The whole answer", _json(_shape("content", notices=_NOTICES))),
    "400": _reply(_NO_QUESTION, _json(_ERROR)),
    "402": _reply(_NO_MONEY, _json(_ERROR)),
}
_COMPLETION = {
    "200": _reply("The completion, or its chunks", _json(), _EVENTS),
    "400": _reply("The body is not as described", _json(_OPENAI_ERROR)),
    "402": _reply(_NO_MONEY, _json(_OPENAI_ERROR)),
}
_TASK = {"200": _reply("The task", _json(_ENVELOPE))}
_BOUGHT = {
    **_TASK,
    "400": _reply("Refused; nothing was bought", _json(_ENVELOPE)),
    "402": _reply(_NO_MONEY, _json({**_ENVELOPE, "required": ["error"]})),
}
_AMOUNT: _Json = {**_TEXT_OR_NULL, "description": "A decimal; null where it is unknown"}
_COUNT: _Json = {"type": ["integer", "null"]}
_LINE = _shape(
    "id",
    "at",
    "kind",
    "state",
    "provider",
    "model",
    "currency",
    "caller",
    amount=_AMOUNT,
    units=_AMOUNT,
    tokens=_shape(hit=_COUNT, miss=_COUNT, completion=_COUNT, reasoning=_COUNT),
    conversation_id=_TEXT_OR_NULL,
    message_id=_TEXT_OR_NULL,
    generation_id=_TEXT_OR_NULL,
    task_id=_TEXT_OR_NULL,
)
_LEDGER = {
    "200": _reply(
        "Lines, newest first, and where the next ones begin; with format=csv all of them",
        _json(_shape(lines={"type": "array", "items": _LINE}, next=_TEXT_OR_NULL)),
        {"text/csv": {"schema": _TEXT}},
    ),
    "400": _reply("A parameter is not as described", _json(_ERROR)),
}
_DAY = "A day of the owner's zone, or a moment in ISO 8601"
_ENTER_FORM = _shape(
    **{
        CODE_PARAMETER: {**_TEXT, "description": "A one-time link's code"},
        "token": {**_TEXT, "description": "An access token, where there is no code"},
    }
)
_LET_IN = {
    "303": {
        **_reply("Let in: the cookie, and where the pages are"),
        "headers": {name: {"schema": _TEXT} for name in ("Location", "Set-Cookie")},
    },
    "400": _reply("Neither a code nor a token, or too many fields", _HTML, _json(_ERROR)),
    "403": _reply("Not good, used, or sent from a foreign page", _HTML),
    "429": _reply("Too many guesses; Retry-After tells when", _HTML),
    "503": _reply("The studio or its store is not open", _HTML),
}

_PATHS: _Json = {
    "/stream": {
        "get": _operation(
            "Answer a question piece by piece", _guarded(_STREAM), _QUESTION, _LAST_EVENT_ID
        ),
        "post": _operation(
            "Answer a posted chat piece by piece", _posted(_STREAM), _LAST_EVENT_ID, body=_CHAT
        ),
    },
    "/complete": {
        "get": _operation("Answer a question whole", _guarded(_COMPLETE), _QUESTION),
        "post": _operation("Answer a posted chat whole", _posted(_COMPLETE), body=_CHAT),
    },
    "/v1/chat/completions": {
        "post": _operation(
            "OpenAI's chat completions", _posted(_COMPLETION, _OPENAI_ERROR), body=_OPENAI_CHAT
        )
    },
    "/v1/models": {
        "get": _operation(
            "The models that may be asked for",
            _guarded({"200": _reply("The list", _json())}, _OPENAI_ERROR),
        )
    },
    "/kling/v1/images/generations": {
        "post": _operation(
            "Buy pictures: once, archived, in the gallery",
            _posted(_BOUGHT, _OBJECT),
            _KEY,
            body={**_PICTURE, "required": ["prompt"]},
        ),
        "get": _operation(
            "Kling's list of tasks, forwarded",
            _guarded({"200": _reply("The list", _json(_ENVELOPE))}, _OBJECT),
            *_PAGING,
        ),
    },
    "/kling/v1/images/generations/{task_id}": {
        "get": _operation(
            "How a task is; with links once it has succeeded",
            _guarded(_TASK, _OBJECT),
            _parameter("task_id", "path"),
        )
    },
    "/ledger": {
        "get": _operation(
            "What calls cost; a token sees its own lines",
            _guarded(_LEDGER),
            _parameter("from", "query", _DAY),
            _parameter("to", "query", f"{_DAY}; a day is included"),
            _parameter("kind", "query", enum=[*KINDS]),
            _parameter("format", "query", enum=["json", "csv"]),
            _parameter("limit", "query", type="integer", minimum=1, maximum=LIMIT_MOST),
            _parameter("cursor", "query", "`next` of the page before"),
        )
    },
    "/enter": {
        **_open(
            "The login page: a form for an access token, or a one-time link's button",
            {
                "200": _reply("The page", _HTML),
                "503": _reply("The studio is still opening", _HTML),
            },
            _CODE,
        ),
        "post": {
            **_operation(
                "Log in: a code or a token for a cookie", _too_much(_LET_IN, _ERROR, "a form")
            ),
            "requestBody": {
                "required": True,
                "content": {"application/x-www-form-urlencoded": {"schema": _ENTER_FORM}},
            },
            "security": [],
        },
    },
    "/healthz": _open("The process lives", {"200": _reply("It does", _json())}),
    "/readyz": _open(
        "It can work; never spends",
        {"200": _reply("It can", _json()), "503": _reply("It cannot, and why", _json())},
    ),
    "/openapi.json": {
        "get": {
            **_operation("This description", {"200": _reply("OpenAPI 3.1", _json())}),
            "security": [],
        }
    },
}

DESCRIPTION: _Json = {
    "openapi": "3.1.0",
    "info": {
        "title": "墨灵 Inkling",
        "version": "1",
        "description": (
            "The HTTP layer beside the pages. Callers on this machine need nothing; others need "
            "an access token. Other paths and methods under /kling/v1/ are forwarded to Kling."
        ),
    },
    "security": [{}, {"bearer": []}, {"query": []}],
    "components": {
        "schemas": _SCHEMAS,
        "securitySchemes": {
            "bearer": {"type": "http", "scheme": "bearer"},
            "query": {"type": "apiKey", "in": "query", "name": "access_token"},
        },
    },
    "paths": _PATHS,
}


@cache
def openapi_json(base: str = "") -> bytes:
    """Return the description as JSON; `base` is where the paths are served, if not at the root."""
    servers = {"servers": [{"url": base}]} if base else {}
    return msgspec.json.encode({**DESCRIPTION, **servers})
