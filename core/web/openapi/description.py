"""The OpenAPI description of the HTTP layer; its bodies are the Structs that validate them."""

from functools import cache

import msgspec

from core import __version__
from core.access.invitations import CODE_PARAMETER
from core.models.money.ledger import LINE_KINDS
from core.web.chat.posted.bodies import ChatBody, OpenAIChatBody
from core.web.drawing.bodies import DrawingBody, MilderBody
from core.web.kling.creates import CREATES
from core.web.money.routes import LIMIT_MOST
from core.web.openai.audio.request import SpeechBody
from core.web.openai.images.request import OpenAIImageBody
from core.web.openai.web_tools import FetchBody, SearchBody
from core.web.openapi.diagnostics_paths import diagnostics_paths
from core.web.openapi.drawing_paths import drawing_paths
from core.web.openapi.kling_paths import create_paths
from core.web.openapi.openai_paths import KEY, NO_MONEY, openai_paths
from core.web.openapi.shapes import (
    ERROR,
    EVENTS,
    HTML,
    OBJECT,
    PLAIN,
    TEXT,
    TEXT_OR_NULL,
    Json,
    guarded,
    json_of,
    open_path,
    operation,
    parameter,
    posted,
    reply,
    shape,
    too_much,
)

_NAMED, _SCHEMAS = msgspec.json.schema_components(
    (
        *(ChatBody, OpenAIChatBody, OpenAIImageBody, SpeechBody, SearchBody, FetchBody),
        *(DrawingBody, MilderBody),
        *(create.body for create in CREATES.values()),
    ),
    ref_template="#/components/schemas/{name}",
)


_CHAT, _OPENAI_CHAT, _OPENAI_PICTURE, _OPENAI_SPEECH, _SEARCH, _FETCH, *_REST = _NAMED
_DRAWING, _MILDER, *_CREATES = _REST

_ENVELOPE = {
    **shape(code={"type": "integer"}, message=TEXT, request_id=TEXT),
    "description": "Kling's own envelope; code 0 means success.",
}
_QUESTION = parameter("question", "query", minLength=1, pattern="\\S")
_LAST_EVENT_ID = parameter(
    "Last-Event-ID",
    "header",
    "The id of the last event that was read: the rest of that answer follows.",
)
_CODE = parameter(
    CODE_PARAMETER, "query", "What a one-time link carries. Reading the page does not redeem it."
)
_NOTICES: Json = {"type": "array", "items": shape("id", "message")}
_NO_QUESTION = "The question is missing, or the body is not as described"
_STREAM = {
    "200": reply(
        "Each piece one event, data a JSON string; `event: step` tells of the studio's tools,"
        " `event: tool_calls`, `event: sources` and `event: notice` what is to be called, cited,"
        " and said beside them;"
        " the end is `event: end`",
        EVENTS,
    ),
    "204": reply("Nothing follows the event that was named"),
    "400": reply(_NO_QUESTION, PLAIN),
    "402": reply(NO_MONEY, json_of(ERROR)),
}
_COMPLETE = {
    "200": reply("The whole answer", json_of(shape("content", notices=_NOTICES))),
    "400": reply(_NO_QUESTION, json_of(ERROR)),
    "402": reply(NO_MONEY, json_of(ERROR)),
}
_TASK = {"200": reply("The task", json_of(_ENVELOPE))}
_BOUGHT = {
    **_TASK,
    "400": reply("Refused; nothing was bought", json_of(_ENVELOPE)),
    "402": reply(NO_MONEY, json_of({**_ENVELOPE, "required": ["error"]})),
}
_AMOUNT: Json = {**TEXT_OR_NULL, "description": "A decimal; null where it is unknown"}
_COUNT: Json = {"type": ["integer", "null"]}
_LINE = shape(
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
    tokens=shape(hit=_COUNT, miss=_COUNT, completion=_COUNT, reasoning=_COUNT),
    conversation_id=TEXT_OR_NULL,
    message_id=TEXT_OR_NULL,
    generation_id=TEXT_OR_NULL,
    task_id=TEXT_OR_NULL,
)
_LEDGER = {
    "200": reply(
        "Lines, newest first, and where the next ones begin; with format=csv all of them",
        json_of(shape(lines={"type": "array", "items": _LINE}, next=TEXT_OR_NULL)),
        {"text/csv": {"schema": TEXT}},
    ),
    "400": reply("A parameter is not as described", json_of(ERROR)),
}
_DAY = "A day of the owner's zone, or a moment in ISO 8601"
_ENTER_FORM = shape(
    **{
        CODE_PARAMETER: {**TEXT, "description": "A one-time link's code"},
        "token": {**TEXT, "description": "An access token, where there is no code"},
    }
)
_LET_IN = {
    "303": {
        **reply("Let in: the cookie, and where the pages are"),
        "headers": {name: {"schema": TEXT} for name in ("Location", "Set-Cookie")},
    },
    "400": reply("Neither a code nor a token, or too many fields", HTML, json_of(ERROR)),
    "403": reply("Not good, used, or sent from a foreign page", HTML),
    "429": reply("Too many guesses; Retry-After tells when", HTML),
    "503": reply("The studio or its store is not open", HTML),
}

_PATHS: Json = {
    "/stream": {
        "get": operation(
            "Answer a question piece by piece", guarded(_STREAM), _QUESTION, _LAST_EVENT_ID
        ),
        "post": operation(
            "Answer a posted chat piece by piece", posted(_STREAM), _LAST_EVENT_ID, body=_CHAT
        ),
    },
    "/complete": {
        "get": operation("Answer a question whole", guarded(_COMPLETE), _QUESTION),
        "post": operation("Answer a posted chat whole", posted(_COMPLETE), body=_CHAT),
    },
    **openai_paths(_OPENAI_CHAT, _OPENAI_PICTURE, _OPENAI_SPEECH, _SEARCH, _FETCH),
    **create_paths(
        dict(zip(CREATES, _CREATES, strict=True)), _ENVELOPE, _BOUGHT, _TASK, (KEY, OBJECT)
    ),
    "/kling/account/costs": {
        "get": operation(
            "What is left of Kling's packages, forwarded",
            guarded({"200": reply("The packages", json_of(_ENVELOPE))}, OBJECT),
            parameter("start_time", "query", minLength=1),
            parameter("end_time", "query", minLength=1),
        )
    },
    "/ledger": {
        "get": operation(
            "What calls cost; a token sees its own lines",
            guarded(_LEDGER),
            parameter("from", "query", _DAY),
            parameter("to", "query", f"{_DAY}; a day is included"),
            parameter("kind", "query", enum=[*LINE_KINDS]),
            parameter("format", "query", enum=["json", "csv"]),
            parameter("limit", "query", type="integer", minimum=1, maximum=LIMIT_MOST),
            parameter("cursor", "query", "`next` of the page before"),
        )
    },
    **drawing_paths(_DRAWING, _MILDER),
    **diagnostics_paths(),
    "/enter": {
        **open_path(
            "The login page: a form for an access token, or a one-time link's button",
            {
                "200": reply("The page", HTML),
                "503": reply("The studio is still opening", HTML),
            },
            _CODE,
        ),
        "post": {
            **operation(
                "Log in: a code or a token for a cookie", too_much(_LET_IN, ERROR, "a form")
            ),
            "requestBody": {
                "required": True,
                "content": {"application/x-www-form-urlencoded": {"schema": _ENTER_FORM}},
            },
            "security": [],
        },
    },
    "/healthz": open_path("The process lives", {"200": reply("It does", json_of())}),
    "/readyz": open_path(
        "It can work; never spends",
        {"200": reply("It can", json_of()), "503": reply("It cannot, and why", json_of())},
    ),
    "/openapi.json": {
        "get": {
            **operation("This description", {"200": reply("OpenAPI 3.1", json_of())}),
            "security": [],
        }
    },
}

DESCRIPTION: Json = {
    "openapi": "3.1.0",
    "info": {
        "title": "墨灵 Inkling",
        "version": __version__,
        "description": (
            "The HTTP layer beside the pages. Callers on this machine need nothing; others need "
            "an access token; one with scopes (chat, pictures, read) is answered with 403 where it "
            "is good for nothing. Other paths and methods under /kling/v1/ are forwarded to Kling. "
            "/mcp speaks Model Context Protocol, which describes its tools itself. "
            "Every reply has an X-Request-Id, the same as in the log."
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
