"""What stands before the studio, asked from outside: base path, events in pieces, websocket.

Plain sockets, since timing is what is measured and httpx belongs to the providers.
"""

import asyncio
import base64
import json
import os
import ssl
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from core.work.checkup.finding import Finding, found

BEAT_PATH = "/checkup/beat"
BEATS, BEAT_EVERY_S = 6, 0.15
# All beats together take 0.75 s; through nothing that holds them back the first comes at once, and
# no two wait for each other for long.
_HELD_S, _FEW_PIECES = BEATS * BEAT_EVERY_S / 2, 2
# Where a browser or a machine is busy for a moment they come at once, too: until they come one by
# one they are asked for again. A proxy holds them back each time.
TRIES = 4
_HEAD_MOST = 64 * 1024


@dataclass(frozen=True, slots=True)
class _Reply:
    status: int
    body: bytes
    arrivals: tuple[float, ...]  # of pieces of the body, after the request


def judge_beats(arrivals: Sequence[float]) -> Finding:
    """Return whether events came as they were sent, by when the pieces arrived (seconds)."""
    spread = arrivals[-1] - arrivals[0] if arrivals else 0.0
    if spread < _HELD_S or len(arrivals) <= _FEW_PIECES:
        return found("stream_buffered", seconds=f"{arrivals[-1] if arrivals else 0.0:.1f}")
    return found("stream_good", pieces=len(arrivals))


async def look_at_front(url: str, *, token: str, timeout_s: float) -> AsyncIterator[Finding]:
    """Yield how a studio is reached at `url`, which may lead through proxies."""
    url = url.rstrip("/")
    try:
        async with asyncio.timeout(timeout_s):
            health = await _get(f"{url}/healthz", "")
            if (problem := await _not_here(url, health)) is not None:
                yield problem
                return
            yield found("front_good", url=url)
            beats = await _beats(url, token)
            socket_status = await _upgrade(url)
    except (OSError, TimeoutError, ValueError, asyncio.IncompleteReadError) as error:
        yield found("front_unreachable", url=url, detail=type(error).__name__)
        return
    yield beats
    if socket_status == 101:
        yield found("websocket_good")
    else:
        yield found("websocket_blocked", url=url, status=socket_status)


async def _beats(url: str, token: str) -> Finding:
    """Return how a stream comes through, the first time that it does, or never."""
    judged = None
    for _ in range(TRIES):
        reply = await _get(url + BEAT_PATH, token)
        if reply.status != 200:
            break
        judged = judge_beats(reply.arrivals)
        if judged.level == "good":
            break
    return judged or found("front_token", url=url, status=reply.status)


async def _not_here(url: str, health: _Reply) -> Finding | None:
    """Return what answered in the studio's stead, or that its base path is another one."""
    if _is_ours(health):
        return None
    parts = urlsplit(url)
    steps = [step for step in parts.path.split("/") if step]
    origin = f"{parts.scheme}://{parts.netloc}"
    for many in range(len(steps)):
        right = "/".join([origin, *steps[:many]])
        if _is_ours(await _get(f"{right}/healthz", "")):
            return found("base_path", url=url, right=right)
    return found("front_not_studio", url=url, status=health.status)


def _is_ours(reply: _Reply) -> bool:
    try:
        return reply.status == 200 and json.loads(reply.body) == {"status": "ok"}
    except ValueError:
        return False


async def _get(url: str, token: str) -> _Reply:
    bearer = f"Authorization: Bearer {token}\r\n" if token else ""
    began = time.monotonic()
    reader, writer, path = await _connect(url)
    try:
        host = urlsplit(url).netloc.rpartition("@")[2]
        head = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nAccept: */*\r\n{bearer}"
        writer.write(f"{head}Connection: close\r\n\r\n".encode("latin-1"))
        status, headers = await _head(reader)
        pieces, arrivals = [], []
        while piece := await reader.read(_HEAD_MOST):
            pieces.append(piece)
            arrivals.append(time.monotonic() - began)
        body = b"".join(pieces)
        if "transfer-encoding: chunked" in headers:
            body = _joined(body)
        return _Reply(status, body, tuple(arrivals))
    finally:
        writer.transport.abort()


async def _upgrade(url: str) -> int:
    """Return the status of a websocket's handshake with the pages."""
    reader, writer, path = await _connect(f"{url}/_stcore/stream")
    try:
        parts = urlsplit(url)
        key = base64.b64encode(os.urandom(16)).decode()
        writer.write(
            f"GET {path} HTTP/1.1\r\nHost: {parts.netloc}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n"
            f"Sec-WebSocket-Protocol: streamlit\r\nOrigin: {parts.scheme}://{parts.netloc}\r\n\r\n".encode(
                "latin-1"
            )
        )
        return (await _head(reader))[0]
    finally:
        writer.transport.abort()


async def _connect(url: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter, str]:
    parts = urlsplit(url)
    is_tls = parts.scheme == "https"
    context = ssl.create_default_context() if is_tls else None
    port = parts.port or (443 if is_tls else 80)
    reader, writer = await asyncio.open_connection(parts.hostname or "", port, ssl=context)
    return reader, writer, parts.path or "/"


async def _head(reader: asyncio.StreamReader) -> tuple[int, str]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    return int(head.split(" ", 2)[1]), head


def _joined(body: bytes) -> bytes:
    """Return a chunked body (RFC 9112 §7.1) in one piece."""
    whole = b""
    while body:
        size, _, body = body.partition(b"\r\n")
        length = int(size.partition(b";")[0] or b"0", 16)
        if length == 0:
            break
        whole, body = whole + body[:length], body[length + 2 :]
    return whole
