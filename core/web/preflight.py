"""Preflight (CORS): what a browser asks before it lets a page call."""

from collections.abc import Mapping

from core.texts.catalogue import text
from core.web.http_call import Handler, HttpCall
from core.web.refusal_replies import refuse

_PREFLIGHT_S = 600
_ASKED_HEADERS = ("Authorization", "Content-Type", "Idempotency-Key", "Last-Event-ID")
# What the clients of OpenAI's API send beside them. A page names no more than it is allowed:
# forwarding headers, say, decide who calls.
_CLIENT_HEADERS = frozenset(
    {"accept", "user-agent", "x-request-id", "x-client-request-id", "x-api-key", "http-referer"}
    | {"x-title", "x-session-id", "openai-organization", "openai-project", "openai-beta"}
    | {"api-key", "traceparent", "tracestate", "baggage"}
    | {"mcp-session-id", "mcp-protocol-version", "mcp-method", "mcp-name", "last-event-id"}
)
_CLIENT_PREFIXES = ("x-stainless-",)
_HEADERS_MOST = 64


async def answer_preflight(
    call: HttpCall, methods: Mapping[str, Handler], origin: str | None
) -> None:
    """Answer what a browser asks before it lets a page call."""
    if origin is None and "origin" in call.headers:
        await refuse(call, 403, text(call.language, "http.foreign_origin"))
        return
    await call.reply(
        204,
        b"",
        "",
        (
            ("Allow", ", ".join(methods)),
            ("Access-Control-Allow-Methods", ", ".join(methods)),
            ("Access-Control-Allow-Headers", _allowed_headers(call)),
            ("Access-Control-Max-Age", str(_PREFLIGHT_S)),
        ),
    )


def _allowed_headers(call: HttpCall) -> str:
    """Return the headers that a page may send: the usual ones, and what its client asks for."""
    asked = call.headers.get("access-control-request-headers", "").lower().split(",")
    names = (name.strip() for name in asked[:_HEADERS_MOST])
    known = [n for n in names if n in _CLIENT_HEADERS or n.startswith(_CLIENT_PREFIXES)]
    return ", ".join((*_ASKED_HEADERS, *(name for name in known if name.isascii())))
