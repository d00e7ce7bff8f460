"""The least that Python can do for `GET /stream`: read, decode, write; nothing is kept.

Two protocols on one uvloop, without a task or a coroutine for an event: what the studio is measured
by, which does more for each. Usage: python least_proxy.py PORT UPSTREAM_URL
"""

import asyncio
import json
import sys
from typing import Any
from urllib.parse import SplitResult, parse_qs, urlsplit

import msgspec
import uvloop

_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
_END = b"1b\r\nevent: end\ndata: [DONE]\n\n\n\r\n0\r\n\r\n"
_NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"


class _Delta(msgspec.Struct):
    content: str | None = None


class _Choice(msgspec.Struct):
    delta: _Delta


class _Event(msgspec.Struct):
    choices: list[_Choice]


_decode, _encode = msgspec.json.Decoder(_Event).decode, msgspec.json.encode


class _Upstream(asyncio.Protocol):
    def __init__(self, request: bytes, reader: asyncio.WriteTransport) -> None:
        self._request, self._write, self._rest = request, reader.write, b""

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            if not line.startswith(b"data:"):
                continue
            if (told := line[5:].strip()) == b"[DONE]":
                self._write(_END)
                self._transport.close()
                return
            choices = _decode(told).choices
            if choices and (piece := choices[0].delta.content):
                event = b"data: %b\n\n" % _encode(piece)
                self._write(b"%x\r\n%b\r\n" % (len(event), event))


class _Reader(asyncio.Protocol):
    def __init__(self, upstream: SplitResult) -> None:
        self._upstream = upstream

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        path = data.split(b" ", 2)[1].decode()
        question = parse_qs(urlsplit(path).query).get("question", [])
        if not question:
            self._transport.write(_NOT_FOUND)
            return
        messages = [{"role": "user", "content": question[0]}]
        body = json.dumps({"model": "bench", "messages": messages, "stream": True}).encode()
        request = (
            b"POST %b HTTP/1.1\r\nHost: upstream\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\n\r\n%b" % (self._upstream.path.encode(), len(body), body)
        )
        self._transport.write(_HEAD)
        loop = asyncio.get_running_loop()
        self._asking = loop.create_task(
            loop.create_connection(
                lambda: _Upstream(request, self._transport),
                self._upstream.hostname or "127.0.0.1",
                self._upstream.port or 80,
            )
        )


async def _serve(port: int, upstream: SplitResult) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Reader(upstream), "127.0.0.1", port, backlog=2048)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1]), urlsplit(sys.argv[2])))
