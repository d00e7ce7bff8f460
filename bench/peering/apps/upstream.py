"""The request that every peer makes of its upstream, and the pieces of the answer."""

import json
import os
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx

URL = os.environ["PEERING_UPSTREAM"]
HEADERS = {"Authorization": "Bearer sk-0123456789abcdef"}

Messages = list[dict[str, Any]]


def pieces(client: httpx.Client, messages: Messages) -> Iterator[str]:
    """Yield the answer's pieces as they come."""
    body = _body(messages)
    with client.stream("POST", URL, json=body, headers=HEADERS, timeout=60) as answer:
        for line in answer.iter_lines():
            yield from _pieces_in(line)


async def pieces_async(client: httpx.AsyncClient, messages: Messages) -> AsyncIterator[str]:
    """Yield the answer's pieces as they come, on an event loop."""
    body = _body(messages)
    async with client.stream("POST", URL, json=body, headers=HEADERS, timeout=60) as answer:
        async for line in answer.aiter_lines():
            for piece in _pieces_in(line):
                yield piece


def _body(messages: Messages) -> dict[str, Any]:
    return {"model": "bench", "messages": messages, "stream": True}


def _pieces_in(line: str) -> Iterator[str]:
    if line.startswith("data: {"):
        for choice in json.loads(line[6:])["choices"]:
            if piece := choice["delta"].get("content"):
                yield piece
