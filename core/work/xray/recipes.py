"""An exchange as something to run again: curl, Python, HAR, JSON. Keys are names, never values."""

import shlex
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

import msgspec

from core.providers.http.kept_exchange import Exchange, Headers
from core.wire.json_text import write_json
from core.work.xray.reading import is_stream, purpose_of

# What the program that runs it sets by itself, or what speaks of this very connection.
_OF_THE_CONNECTION = frozenset(
    {"host", "connection", "content-length", "accept-encoding", "transfer-encoding", "cookie"}
)


def as_curl(exchange: Exchange) -> str:
    """Return the command that sends the same request: `$DEEPSEEK_API_KEY` stands for the key."""
    words = ["curl", "--no-buffer"] if is_stream(exchange) else ["curl"]
    if exchange.method != "GET":
        words += ["-X", exchange.method]
    parts = [" ".join(words), shlex.quote(exchange.url)]
    for name, value in _kept(exchange.request_headers):
        if name == "authorization":
            # In double quotes, so that the shell puts the key in.
            parts.append(f'-H "Authorization: Bearer ${key_name(exchange)}"')
        else:
            parts.append(f"-H {shlex.quote(f'{name}: {value}')}")
    if exchange.request_body:
        parts.append(f"--data-raw {shlex.quote(exchange.request_body)}")
    return " \\\n  ".join(parts)


def as_python(exchange: Exchange) -> str:
    """Return the same request as a program that uses httpx."""
    key = f'"Bearer " + os.environ["{key_name(exchange)}"]'
    headers = [
        f"    {name!r}: {key if name == 'authorization' else repr(value)},"
        for name, value in _kept(exchange.request_headers)
    ]
    body = exchange.request_body
    lines = ["import os", "", "import httpx", "", "headers = {", *headers, "}"]
    if body:
        lines.append(f"body = {body!r}.encode()")
    call = f"{exchange.method!r}, {exchange.url!r}, headers=headers"
    call += ", content=body" if body else ""
    if is_stream(exchange):
        lines += [
            f"with httpx.stream({call}, timeout=None) as reply:",
            "    for line in reply.iter_lines():",
            "        print(line)",
        ]
    else:
        lines += [
            f"reply = httpx.request({call}, timeout=60)",
            "print(reply.status_code, reply.text)",
        ]
    return "\n".join(lines) + "\n"


def key_name(exchange: Exchange) -> str:
    """Return the environment's name for the key that an exchange was made with."""
    if exchange.bearer is not None:
        return "KLING_TOKEN"
    is_chat = purpose_of(exchange) in ("answer", "title", "prompt", "models", "balance")
    return "DEEPSEEK_API_KEY" if is_chat else "KLING_API_KEY"


class Exchanges(msgspec.Struct):
    """Exchanges as our own JSON, with the time of each chunk."""

    exchanges: list[Exchange]


class Har(msgspec.Struct):
    """A HAR 1.2 log."""

    log: dict[str, Any]


def as_json(exchanges: Iterable[Exchange]) -> str:
    """Return exchanges as our own JSON."""
    return _written({"exchanges": as_objects(exchanges)})


def as_objects(exchanges: Iterable[Exchange]) -> list[dict[str, Any]]:
    """Return exchanges as JSON has them; a moment with its offset from UTC written out."""
    return [{**msgspec.to_builtins(one), "began_at": one.began_at.isoformat()} for one in exchanges]


def as_har(exchanges: Iterable[Exchange], *, version: str = "1") -> str:
    """Return exchanges as a HAR 1.2 log, which browsers' network views open."""
    creator = {"name": "Inkling", "version": version}
    log = {"version": "1.2", "creator": creator, "entries": [_entry(one) for one in exchanges]}
    return _written({"log": log})


def _written(told: dict[str, Any]) -> str:
    return msgspec.json.format(write_json(told), indent=1).decode()


def _entry(one: Exchange) -> dict[str, Any]:
    wait_ms = 1000 * (one.first_byte_s if one.first_byte_s is not None else one.duration_s)
    status = one.status_code or 0
    entry: dict[str, Any] = {
        "startedDateTime": one.began_at.isoformat(),
        "time": round(1000 * one.duration_s, 3),
        "request": {
            "method": one.method,
            "url": one.url,
            "httpVersion": "HTTP/1.1",
            "cookies": [],
            "headers": _pairs(one.request_headers),
            "queryString": [],
            "headersSize": -1,
            "bodySize": len(one.request_body.encode()),
        },
        "response": {
            "status": status,
            "statusText": _phrase(status),
            "httpVersion": "HTTP/1.1",
            "cookies": [],
            "headers": _pairs(one.response_headers),
            "content": {
                "size": one.size_bytes,
                "mimeType": _value(one.response_headers, "content-type"),
                "text": one.response_body,
            },
            "redirectURL": "",
            "headersSize": -1,
            "bodySize": one.size_bytes,
        },
        "cache": {},
        "timings": {
            "send": 0,
            "wait": round(wait_ms, 3),
            "receive": round(max(1000 * one.duration_s - wait_ms, 0), 3),
        },
        "_chunks": [[round(at, 6), size] for at, size in one.chunks],
    }
    if one.request_body:
        media_type = _value(one.request_headers, "content-type")
        entry["request"]["postData"] = {"mimeType": media_type, "text": one.request_body}
    if one.error:
        entry["response"]["_error"] = one.error
    return entry


def _kept(headers: Headers) -> list[tuple[str, str]]:
    return [
        (name.lower(), value) for name, value in headers if name.lower() not in _OF_THE_CONNECTION
    ]


def _pairs(headers: Headers) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in headers]


def _value(headers: Headers, name: str) -> str:
    return next((value for key, value in headers if key.lower() == name), "")


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
