"""The OpenAPI description of the HTTP layer; its bodies are the Structs that validate them."""

from functools import cache
from typing import Annotated

import msgspec
from msgspec import Meta

from core import __version__
from core.access.invitations import CODE_PARAMETER
from core.web.chat.posted.bodies import ChatBody, Question
from core.web.chat.routes import WholeReply
from core.web.enter.routes import EnterForm
from core.web.health import Health, NotReady, Ready
from core.web.http_errors import ErrorReply
from core.web.kling.envelope import Envelope
from core.web.money.routes import LedgerPage, LedgerQuery
from core.web.openapi.diagnostics_paths import diagnostics_paths
from core.web.openapi.drawing_paths import drawing_paths
from core.web.openapi.kling_paths import create_paths
from core.web.openapi.openai_paths import NO_MONEY, openai_paths
from core.web.openapi.shapes import (
    EVENTS,
    HTML,
    PLAIN,
    Filled,
    Json,
    described,
    guarded,
    json_of,
    open_path,
    operation,
    parameter,
    posted,
    query,
    reply,
    required,
    too_much,
)

_QUESTION = parameter("question", "query", Question, is_required=True)
_LastEventId = Annotated[
    str, Meta(description="The id of the last event that was read: the rest of that answer follows")
]
_LAST_EVENT_ID = parameter("Last-Event-ID", "header", _LastEventId)
_Code = Annotated[
    str, Meta(description="What a one-time link carries. Reading the page does not redeem it.")
]
_CODE = parameter(CODE_PARAMETER, "query", _Code)
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
    "402": reply(NO_MONEY, json_of(ErrorReply)),
}
_COMPLETE = {
    "200": reply("The whole answer", json_of(WholeReply)),
    "400": reply(_NO_QUESTION, json_of(ErrorReply)),
    "402": reply(NO_MONEY, json_of(ErrorReply)),
}
_LEDGER = {
    "200": reply(
        "Lines, newest first, and where the next ones begin; with format=csv all of them",
        json_of(LedgerPage),
        {"text/csv": {"schema": str}},
    ),
    "400": reply("A parameter is not as described", json_of(ErrorReply)),
}
_LET_IN = {
    "303": {
        **reply("Let in: the cookie, and where the pages are"),
        "headers": {name: {"schema": str} for name in ("Location", "Set-Cookie")},
    },
    "400": reply("Neither a code nor a token, or too many fields", HTML, json_of(ErrorReply)),
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
            "Answer a posted chat piece by piece", posted(_STREAM), _LAST_EVENT_ID, body=ChatBody
        ),
    },
    "/complete": {
        "get": operation("Answer a question whole", guarded(_COMPLETE), _QUESTION),
        "post": operation("Answer a posted chat whole", posted(_COMPLETE), body=ChatBody),
    },
    **openai_paths(),
    **create_paths(),
    "/kling/account/costs": {
        "get": operation(
            "What is left of Kling's packages, forwarded",
            guarded({"200": reply("The packages", json_of(Envelope))}, dict),
            parameter("start_time", "query", Filled, is_required=True),
            parameter("end_time", "query", Filled, is_required=True),
        )
    },
    "/ledger": {
        "get": operation(
            "What calls cost; a token sees its own lines", guarded(_LEDGER), *query(LedgerQuery)
        )
    },
    **drawing_paths(),
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
                "Log in: a code or a token for a cookie", too_much(_LET_IN, ErrorReply, "a form")
            ),
            **required({"application/x-www-form-urlencoded": {"schema": EnterForm}}),
            "security": [],
        },
    },
    "/healthz": open_path("The process lives", {"200": reply("It does", json_of(Health))}),
    "/readyz": open_path(
        "It can work; never spends",
        {
            "200": reply("It can", json_of(Ready)),
            "503": reply("It cannot, and why", json_of(NotReady)),
        },
    ),
    "/openapi.json": {
        "get": {
            **operation("This description", {"200": reply("OpenAPI 3.1", json_of())}),
            "security": [],
        }
    },
}

_TREE: Json = {
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
        "securitySchemes": {
            "bearer": {"type": "http", "scheme": "bearer"},
            "query": {"type": "apiKey", "in": "query", "name": "access_token"},
        },
    },
    "paths": _PATHS,
}
DESCRIPTION = described(_TREE)


@cache
def openapi_json(base: str = "") -> bytes:
    """Return the description as JSON; `base` is where the paths are served, if not at the root."""
    servers = {"servers": [{"url": base}]} if base else {}
    return msgspec.json.encode({**DESCRIPTION, **servers})
