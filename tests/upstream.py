"""An upstream whose every byte and pause a test decides: a tiny HTTP server on raw sockets."""

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from tests.raw_server import RawServer

KEEP_ALIVE = b": keep-alive\n\n"
DONE = b"data: [DONE]\n\n"
STREAM_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Step:
    """Wait, then write; without data, stay silent until the client leaves."""

    wait_s: float = 0.0
    data: bytes | None = b""


Plan = Iterator[Step]


@dataclass(slots=True)
class Exchange:
    """One request, and when what happened to it (Unix seconds)."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]
    asked_at: float
    sent_at: list[float] = field(default_factory=list)
    closed_at: float | None = None  # by the client, before the plan's end
    is_over: threading.Event = field(default_factory=threading.Event)


class Upstream(RawServer):
    """Serves the plan that `plan` makes of each POST's JSON body; use as a context manager."""

    def __init__(self, plan: Callable[[dict[str, Any]], Plan]) -> None:
        super().__init__()
        self._plan = plan
        self.exchanges: list[Exchange] = []

    @property
    def url(self) -> str:
        """The address a chat is asked for at."""
        return f"http://127.0.0.1:{self.port}/chat/completions"

    @property
    def answers(self) -> list[Exchange]:
        """The requests that were streamed: titles are asked for whole."""
        return [one for one in self.exchanges if one.body.get("stream")]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Cancelled at the very end only; asyncio's streams would complain about it.
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while (exchange := await _request(reader)) is not None:
                if exchange.path.endswith("/models"):
                    writer.write(whole({"object": "list", "data": [{"id": "raw-model"}]}))
                    continue
                self.exchanges.append(exchange)
                await self._answer(exchange, reader, writer)
                break
        writer.close()

    async def _answer(
        self, exchange: Exchange, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        leaving = asyncio.ensure_future(_left(reader))
        due = self._loop.time()
        try:
            for step in self._plan(exchange.body):
                # From the plan, not from the last write: thousands of small delays would add up.
                due = max(due, self._loop.time() - step.wait_s) + step.wait_s
                patience = None if step.data is None else max(due - self._loop.time(), 0)
                if patience is None or patience > 0:
                    await asyncio.wait((leaving,), timeout=patience)
                if leaving.done():
                    exchange.closed_at = time.time()
                    break
                if step.data:
                    exchange.sent_at.append(time.time())
                    writer.write(step.data)
                    await writer.drain()
        except ConnectionError:
            exchange.closed_at = time.time()
        finally:
            leaving.cancel()
            exchange.is_over.set()


async def _left(reader: asyncio.StreamReader) -> None:
    """Return once the client has closed the connection."""
    with suppress(ConnectionError):
        await reader.read(1)


async def _request(reader: asyncio.StreamReader) -> Exchange | None:
    head = await reader.readuntil(b"\r\n\r\n")
    line, *rest = head.decode("latin-1").split("\r\n")
    headers = dict(one.lower().split(": ", 1) for one in rest if one)
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    path = line.split(" ")[1]
    return Exchange(path, headers, json.loads(body) if body else {}, time.time())


def event(**delta: object) -> bytes:
    """Return one chunk that adds `content` or `reasoning_content`."""
    return chunk({"choices": [{"index": 0, "delta": delta, "finish_reason": None}]})


def ending(reason: str = "stop", usage: dict[str, object] | None = None) -> bytes:
    """Return the chunk that ends an answer."""
    body: dict[str, object] = {"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]}
    return chunk(body | ({"usage": usage} if usage else {}))


def chunk(body: dict[str, object]) -> bytes:
    """Return any JSON body as an event."""
    return f"data: {json.dumps(body, ensure_ascii=False)}\n\n".encode()


def whole(body: object, status: str = "200 OK") -> bytes:
    """Return a complete reply that holds JSON."""
    data = json.dumps(body).encode()
    head = f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {len(data)}"
    return f"{head}\r\n\r\n".encode() + data


def completion(content: str) -> bytes:
    """Return a whole answer, such as a title."""
    message = {"role": "assistant", "content": content}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return whole({"object": "chat.completion", "model": "raw-model", "choices": [choice]})


def streamed(pieces: Sequence[str], pause_s: float, first_s: float = 0.0) -> Plan:
    """Yield a plain answer in these pieces."""
    usage: dict[str, object] = {"prompt_tokens": 7, "completion_tokens": len(pieces)}
    yield Step(0, STREAM_HEAD)
    for number, piece in enumerate(pieces):
        yield Step(pause_s if number else first_s, event(content=piece))
    yield Step(0, ending(usage=usage) + DONE)
