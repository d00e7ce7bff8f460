"""Exchanges as the hook hands them over, made up."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx

from core.providers.http.kept_exchange import KeptExchange, RawExchange

ONE = RawExchange(
    began_at=datetime(2026, 11, 28, 9, tzinfo=UTC),
    method="POST",
    url=httpx.URL("https://api.deepseek.com/chat/completions"),
    request_headers=httpx.Headers({"authorization": "Bearer k", "content-type": "x"}),
    request_body=b'{"stream": true}',
    status_code=200,
    response_headers=httpx.Headers({"content-type": "text/event-stream"}),
    began=0.0,
    times=[0.1],
    pieces=[b"data: {}\n\n"],
    packing="",
    first_byte_s=0.05,
    duration_s=0.2,
    error="",
    size_bytes=10,
    is_request_cut=False,
    is_reply_cut=False,
    subject="",
)


def kept(**facts: Any) -> KeptExchange:
    """Return an exchange with these facts; `chunks` are pairs of a time and bytes."""
    if chunks := facts.pop("chunks", None):
        times, pieces = zip(*chunks, strict=True)
        facts |= {"times": list(times), "pieces": list(pieces)}
    return KeptExchange(replace(ONE, **facts))
