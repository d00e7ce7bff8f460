"""The OpenAPI description of the HTTP layer; a test compares it with what is served."""

from functools import cache
from typing import Any

import msgspec

from core.access.invitations import CODE_PARAMETER
from core.web.kling.create import IDEMPOTENCY_HEADER

_TEXT = {"type": "string"}
_ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {"error": _TEXT, "body": _TEXT},
}
_OPENAI_ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["message", "type"],
            "properties": {
                "message": _TEXT,
                "type": _TEXT,
                "param": {"type": ["string", "null"]},
                "code": {"type": ["string", "null"]},
            },
        }
    },
}
_ENVELOPE = {
    "type": "object",
    "description": "Kling's own envelope; code 0 means success.",
    "properties": {"code": {"type": "integer"}, "message": _TEXT, "request_id": _TEXT},
}
_MESSAGE = {
    "type": "object",
    "required": ["role"],
    "properties": {
        "role": {"enum": ["system", "developer", "user", "assistant"]},
        "content": {
            "oneOf": [
                {"type": "string"},
                {"type": "null"},
                {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["type", "text"],
                        "properties": {"type": {"const": "text"}, "text": _TEXT},
                    },
                },
            ]
        },
        "reasoning_content": {"type": ["string", "null"]},
    },
}
_PARAMETERS: dict[str, Any] = {
    "model": {"type": ["string", "null"]},
    "temperature": {"type": ["number", "null"], "minimum": 0, "maximum": 2},
    "top_p": {"type": ["number", "null"], "minimum": 0, "maximum": 1},
    "max_tokens": {"type": ["integer", "null"], "minimum": 1, "maximum": 10_000_000},
    "max_completion_tokens": {"type": ["integer", "null"], "minimum": 1, "maximum": 10_000_000},
    "thinking": {
        "oneOf": [
            {"type": "boolean"},
            {"type": "null"},
            {
                "type": "object",
                "required": ["type"],
                "properties": {"type": {"enum": ["enabled", "disabled"]}},
            },
        ]
    },
    "reasoning_effort": {"enum": [None, "none", "minimal", "low", "medium", "high", "max"]},
}
_MESSAGES = {"type": "array", "minItems": 1, "maxItems": 2000, "items": _MESSAGE}
_CHAT = {
    "type": "object",
    "description": "Either `question`, or `messages` of which the last is the user's.",
    "properties": {
        "question": {"type": "string", "maxLength": 400_000},
        "messages": _MESSAGES,
        "system": {"type": ["string", "null"]},
        **_PARAMETERS,
        "parameters": {"type": ["object", "null"], "properties": _PARAMETERS},
    },
}
_OPENAI_CHAT = {
    "type": "object",
    "required": ["messages"],
    "properties": {
        "messages": _MESSAGES,
        **_PARAMETERS,
        "stream": {"type": ["boolean", "null"]},
        "stream_options": {"type": ["object", "null"]},
    },
}
_PICTURE = {
    "type": "object",
    "required": ["prompt"],
    "description": "Kling's own fields, as its page of image generation lists them.",
    "properties": {
        "prompt": {"type": "string", "minLength": 1, "maxLength": 2500},
        "negative_prompt": {"type": ["string", "null"], "maxLength": 2500},
        "model_name": {"type": ["string", "null"]},
        "aspect_ratio": {"type": ["string", "null"]},
        "resolution": {"type": ["string", "null"]},
        "n": {"type": ["integer", "null"], "minimum": 1, "maximum": 9},
        "image": {"type": ["string", "null"], "description": "Bare base64 of a PNG or JPEG."},
        "image_reference": {"enum": [None, "subject", "face"]},
        "image_fidelity": {"type": ["number", "null"], "minimum": 0, "maximum": 1},
        "human_fidelity": {"type": ["number", "null"], "minimum": 0, "maximum": 1},
        "element_list": {"type": ["array", "null"], "items": {"type": "object"}},
        "watermark_info": {"type": ["object", "null"]},
        "callback_url": {"type": ["string", "null"]},
        "external_task_id": {"type": ["string", "null"], "maxLength": 200},
    },
}


def _json(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _events(description: str) -> dict[str, Any]:
    return {"description": description, "content": {"text/event-stream": {}}}


def _body(schema: dict[str, Any]) -> dict[str, Any]:
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def _guarded(error: dict[str, Any], **own: dict[str, Any]) -> dict[str, Any]:
    """Return the responses of a path behind the guard, with its own among them."""
    common = {
        "401": _json("The access token is not known", error),
        "403": _json("This caller, page or host may not call; says what to configure", error),
        "429": _json("Too much at once or in a minute; Retry-After tells when", error),
        "503": _json("The studio or its store is not open", error),
        "default": _json("The provider's own status, or a fault", error),
    }
    return {**common, **{name.removeprefix("s"): value for name, value in own.items()}}


def _posted(error: dict[str, Any], **own: dict[str, Any]) -> dict[str, Any]:
    return _guarded(
        error,
        **own,
        s408=_json("The body was too slow", error),
        s413=_json("The body is too large", error),
        s415=_json("The body is not sent as JSON", error),
    )


_QUESTION = {
    "name": "question",
    "in": "query",
    "required": True,
    "schema": {"type": "string", "minLength": 1, "pattern": "\\S"},
}
_LAST_EVENT_ID = {
    "name": "Last-Event-ID",
    "in": "header",
    "required": False,
    "schema": _TEXT,
    "description": "The id of the last event that was read: the rest of that answer follows.",
}
_KEY = {
    "name": IDEMPOTENCY_HEADER,
    "in": "header",
    "required": False,
    "schema": {"type": "string", "maxLength": 200},
    "description": "Repeats under one key buy once.",
}
_TASK_ID = {"name": "task_id", "in": "path", "required": True, "schema": _TEXT}
_TEXT_REFUSAL = {
    "description": "The question is missing, or the body is not as described",
    "content": {"text/plain": {"schema": _TEXT}},
}
_PAGE = {"content": {"text/html": {"schema": _TEXT}}}
_ENTER_SAID = {"content": {**_PAGE["content"], **_json("", _ERROR)["content"]}}
_CODE = {
    "name": CODE_PARAMETER,
    "in": "query",
    "required": False,
    "schema": _TEXT,
    "description": "What a one-time link carries. Reading the page does not redeem it.",
}
_ENTER_FORM = {
    "type": "object",
    "properties": {
        CODE_PARAMETER: {**_TEXT, "description": "A one-time link's code"},
        "token": {**_TEXT, "description": "An access token, where there is no code"},
    },
}
_ENTER: dict[str, Any] = {
    "get": {
        "summary": "The login page: a form for an access token, or a one-time link's button",
        "security": [],
        "parameters": [_CODE],
        "responses": {
            "200": {"description": "The page", **_PAGE},
            "503": {"description": "The studio is still opening", **_PAGE},
        },
    },
    "head": {
        "summary": "The login page is there",
        "security": [],
        "parameters": [_CODE],
        "responses": {
            "200": {"description": "It is"},
            "503": {"description": "The studio is still opening"},
        },
    },
    "post": {
        "summary": "Log in: a code or a token for a cookie",
        "security": [],
        "requestBody": {
            "required": True,
            "content": {"application/x-www-form-urlencoded": {"schema": _ENTER_FORM}},
        },
        "responses": {
            "303": {
                "description": "Let in: the cookie, and where the pages are",
                "headers": {
                    "Location": {"schema": _TEXT},
                    "Set-Cookie": {"schema": _TEXT},
                },
            },
            "400": {"description": "Neither a code nor a token, or too many fields", **_ENTER_SAID},
            "403": {"description": "Not good, used, or sent from a foreign page", **_PAGE},
            "408": _json("The body was too slow", _ERROR),
            "413": _json("The body is too large", _ERROR),
            "415": _json("The body is not sent as a form", _ERROR),
            "429": {"description": "Too many guesses; Retry-After tells when", **_PAGE},
            "503": {"description": "The studio or its store is not open", **_PAGE},
        },
    },
}
_STREAM = {
    "s200": _events("Each piece one event, data a JSON string; the end is `event: end`"),
    "s204": {"description": "Nothing follows the event that was named"},
    "s400": _TEXT_REFUSAL,
}
_COMPLETE = {
    "s200": _json(
        "The whole answer",
        {"type": "object", "required": ["content"], "properties": {"content": _TEXT}},
    ),
    "s400": _json("The question is missing, or the body is not as described", _ERROR),
}

DESCRIPTION: dict[str, Any] = {
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
        "securitySchemes": {
            "bearer": {"type": "http", "scheme": "bearer"},
            "query": {"type": "apiKey", "in": "query", "name": "access_token"},
        }
    },
    "paths": {
        "/stream": {
            "get": {
                "summary": "Answer a question piece by piece",
                "parameters": [_QUESTION, _LAST_EVENT_ID],
                "responses": _guarded(_ERROR, **_STREAM),
            },
            "post": {
                "summary": "Answer a posted chat piece by piece",
                "parameters": [_LAST_EVENT_ID],
                "requestBody": _body(_CHAT),
                "responses": _posted(_ERROR, **_STREAM),
            },
        },
        "/complete": {
            "get": {
                "summary": "Answer a question whole",
                "parameters": [_QUESTION],
                "responses": _guarded(_ERROR, **_COMPLETE),
            },
            "post": {
                "summary": "Answer a posted chat whole",
                "requestBody": _body(_CHAT),
                "responses": _posted(_ERROR, **_COMPLETE),
            },
        },
        "/v1/chat/completions": {
            "post": {
                "summary": "OpenAI's chat completions",
                "requestBody": _body(_OPENAI_CHAT),
                "responses": _posted(
                    _OPENAI_ERROR,
                    s200={
                        "description": "The completion, or its chunks",
                        "content": {
                            "application/json": {"schema": {"type": "object"}},
                            "text/event-stream": {},
                        },
                    },
                    s400=_json("The body is not as described", _OPENAI_ERROR),
                ),
            }
        },
        "/v1/models": {
            "get": {
                "summary": "The models that may be asked for",
                "responses": _guarded(_OPENAI_ERROR, s200=_json("The list", {"type": "object"})),
            }
        },
        "/kling/v1/images/generations": {
            "post": {
                "summary": "Buy pictures: once, archived, in the gallery",
                "parameters": [_KEY],
                "requestBody": _body(_PICTURE),
                "responses": _posted(
                    {"type": "object"},
                    s200=_json("The task", _ENVELOPE),
                    s400=_json("Refused; nothing was bought", _ENVELOPE),
                ),
            },
            "get": {
                "summary": "Kling's list of tasks, forwarded",
                "parameters": [
                    {"name": name, "in": "query", "required": False, "schema": {"type": "integer"}}
                    for name in ("pageNum", "pageSize")
                ],
                "responses": _guarded({"type": "object"}, s200=_json("The list", _ENVELOPE)),
            },
        },
        "/kling/v1/images/generations/{task_id}": {
            "get": {
                "summary": "How a task is; with links once it has succeeded",
                "parameters": [_TASK_ID],
                "responses": _guarded({"type": "object"}, s200=_json("The task", _ENVELOPE)),
            }
        },
        "/enter": _ENTER,
        "/healthz": {
            "get": {
                "summary": "The process lives",
                "security": [],
                "responses": {"200": _json("It does", {"type": "object"})},
            },
            "head": {
                "summary": "The process lives",
                "security": [],
                "responses": {"200": {"description": "It does"}},
            },
        },
        "/readyz": {
            "get": {
                "summary": "It can work; never spends",
                "security": [],
                "responses": {
                    "200": _json("It can", {"type": "object"}),
                    "503": _json("It cannot, and why", {"type": "object"}),
                },
            },
            "head": {
                "summary": "It can work; never spends",
                "security": [],
                "responses": {
                    "200": {"description": "It can"},
                    "503": {"description": "It cannot"},
                },
            },
        },
        "/openapi.json": {
            "get": {
                "summary": "This description",
                "security": [],
                "responses": {"200": _json("OpenAPI 3.1", {"type": "object"})},
            }
        },
    },
}


@cache
def openapi_json(base: str = "") -> bytes:
    """Return the description as JSON; `base` is where the paths are served, if not at the root."""
    servers = {"servers": [{"url": base}]} if base else {}
    return msgspec.json.encode({**DESCRIPTION, **servers})
