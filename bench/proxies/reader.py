"""Reads many streams at once on plain sockets, and notes when each event came."""

import asyncio
import json
import re
import time
from typing import Any
from urllib.parse import quote

from bench.proxies.processes import come_to_rest, cpu_s, forget_peak, memory_mb
from bench.proxies.rounds import Round, Row

try:  # the reader must not be what is measured
    from uvloop import new_event_loop
except ImportError:
    from asyncio import new_event_loop

STAMP = re.compile("词(\\d+)".encode())


class Reader(asyncio.Protocol):
    """Sends one request and counts what comes back."""

    def __init__(self, request: bytes, total: Round, done: "asyncio.Future[None]") -> None:
        self._request = request
        self._total = total
        self._done = done
        self._rest = b""
        self._head = b""
        self._began = 0.0
        self._has_first = False

    def connection_made(self, transport: Any) -> None:
        self._began = time.monotonic()
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        now_us = time.monotonic_ns() // 1000
        self._head = self._head or data[:400]
        data = self._rest + data
        at = data.rfind(b"\n\n") + 1
        data, self._rest = data[:at], data[at:]  # half an event comes whole with the next read
        stamps = STAMP.findall(data)
        if stamps and not self._has_first:
            self._has_first = True
            self._total.first_s.append(time.monotonic() - self._began)
        self._total.events += len(stamps)
        self._total.delays_us += [now_us - int(stamp) for stamp in stamps]
        if b"[DONE]" in data and not self._done.done():
            self._done.set_result(None)

    def connection_lost(self, error: Exception | None) -> None:
        if not self._done.done():
            told = self._head.decode("utf-8", "replace")
            self._done.set_exception(ConnectionError(f"closed before the end: {told!r} {error}"))


def request_to(target: str, port: int, row: Row) -> bytes:
    """Return the raw request for one stream."""
    asked = json.dumps({"chunks": row.chunks, "pause_ms": row.pause_ms, "thinking": row.thinking})
    if target == "direct":
        message = {"role": "user", "content": asked}
        body = json.dumps({"model": "bench", "messages": [message], "stream": True})
        return (
            f"POST /chat/completions HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}"
        ).encode()
    return (
        f"GET /stream?question={quote(asked)} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n"
    ).encode()


async def read_streams(target: str, port: int, row: Row, total: Round) -> None:
    """Run all streams of a row at once, and add what they show."""
    loop = asyncio.get_running_loop()
    request = request_to(target, port, row)
    began = time.monotonic()

    async def one() -> None:
        done: asyncio.Future[None] = loop.create_future()
        transport, _ = await loop.create_connection(
            lambda: Reader(request, total, done), "127.0.0.1", port
        )
        try:
            await done
        finally:
            transport.close()

    async with asyncio.timeout(90):
        await asyncio.gather(*(one() for _ in range(row.streams)))
    total.wall_s += time.monotonic() - began


def run_round(target: str, port: int, pid: int | None, row: Row) -> Round:
    """Measure one target once, with what it does behind the last byte."""
    before = cpu_s(pid) if pid else 0.0
    if pid:
        forget_peak(pid)
    total = Round()
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        for _ in range(row.in_a_row):
            runner.run(read_streams(target, port, row, total))
    expected = row.streams * row.chunks * row.in_a_row
    if total.events != expected:
        raise SystemExit(f"{target}: {total.events} of {expected} events")
    total.events += row.streams * row.thinking * row.in_a_row  # what the proxy had to read
    if pid:
        come_to_rest(pid)
        total.cpu_s = cpu_s(pid) - before
        total.peak_mb = memory_mb(pid, "VmHWM")
    return total
