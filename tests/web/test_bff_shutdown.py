"""Ending the server while somebody reads: the reader is told, and nobody waits for ever."""

import json
import re
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from core.models.generations import Generation
from core.storage.store import Store
from tests.crash.fake_kling import FakeKling
from tests.crash.fake_kling import Plan as KlingPlan
from tests.running_app import RunningApp, running_app, wait_until_there
from tests.upstream import STREAM_HEAD, Plan, Step, Upstream, event
from tests.waiting import until
from tests.web.serving import CHAT_KEY, KLING_KEY


def test_an_open_stream_does_not_keep_the_server_up(tmp_path: Path) -> None:
    def plan(_body: dict[str, Any]) -> Plan:
        yield Step(0, STREAM_HEAD + event(content="一半"))
        yield Step(0, None)

    with Upstream(plan) as upstream:
        environment = {"DEEPSEEK_API_KEY": CHAT_KEY, "DEEPSEEK_API_URL": upstream.url}
        with running_app(tmp_path / "data", environment) as app:
            wait_until_there(f"{app.url}/readyz", app)
            port = int(app.url.rpartition(":")[2])
            with socket.create_connection(("127.0.0.1", port), timeout=60) as line:
                line.sendall(b"GET /stream?question=x HTTP/1.1\r\nHost: localhost\r\n\r\n")
                heard = b""
                while "一半".encode() not in heard:
                    heard += line.recv(4096)
                began = time.monotonic()
                app.stop()  # fails when it takes too long
                while chunk := line.recv(4096):
                    heard += chunk
            assert b"event: end" in heard
            assert b"closed before the answer was complete" in heard
            assert time.monotonic() - began < 20
        until(lambda: upstream.exchanges[0].closed_at, "the upstream is closed")


SIGNALS = [signal.SIGTERM, signal.SIGINT]
BOUND_S = 3.0


@contextmanager
def studio(tmp_path: Path, fake: FakeKling, **more: str) -> Iterator[RunningApp]:
    environment = {"KLING_API_KEY": KLING_KEY, "KLING_API_ORIGIN": fake.origin, **more}
    with running_app(tmp_path / "data", environment) as app:
        wait_until_there(f"{app.url}/readyz", app)
        yield app


def ends_in_time(app: RunningApp, number: signal.Signals) -> None:
    began = time.monotonic()
    app.process.send_signal(number)
    app.process.wait(60)
    took_s = time.monotonic() - began
    assert took_s < BOUND_S, f"{took_s:.1f} s\n{app.log.read_text()}"
    assert "Traceback" not in app.log.read_text()


_lines: list[socket.socket] = []


@pytest.fixture(autouse=True)
def lines_are_closed() -> Iterator[None]:
    """Close them also where a test fails: the garbage collector would blame another test."""
    yield
    while _lines:
        _lines.pop().close()


def line_to(app: RunningApp, request: bytes) -> socket.socket:
    line = socket.create_connection(("127.0.0.1", int(app.url.rpartition(":")[2])), timeout=60)
    _lines.append(line)
    line.sendall(request)
    return line


def post(path: str, body: dict[str, Any], *headers: str, length: int | None = None) -> bytes:
    data = json.dumps(body).encode()
    lines = [
        f"POST {path} HTTP/1.1",
        "Host: localhost",
        "Content-Type: application/json",
        f"Content-Length: {length or len(data)}",
        *headers,
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + data


def kept(app: RunningApp) -> list[Generation]:
    store = Store.open(app.data_dir / "inkling.sqlite3")
    try:
        return list(store.generation_lists.list("local", limit=100).items)
    finally:
        store.close()


@pytest.mark.parametrize(
    ("number", "post_fault"),
    [(SIGNALS[0], "1302"), (SIGNALS[1], "html/before"), (SIGNALS[0], "accept-late")],
)
def test_open_creates_end_in_time_and_nothing_is_lost(
    tmp_path: Path, number: signal.Signals, post_fault: str
) -> None:
    plan = KlingPlan(post=post_fault, post_times=999, late_s=3_600)
    posted = threading.Event()
    with FakeKling(plan, lambda moment: posted.set()) as fake, studio(tmp_path, fake) as app:
        path = "/kling/v1/images/generations"
        keyed = line_to(app, post(path, {"prompt": "a"}, "Idempotency-Key: mine"))
        plain = line_to(app, post(path, {"prompt": "b"}))
        assert posted.wait(60)
        until(lambda: len(kept(app)) == 2, "both are written down")
        ends_in_time(app, number)
        for line in (keyed, plain):
            assert b" 503 " in line.recv(4096).partition(b"\r\n")[0]
        for row in kept(app):
            # Taken back and told so; or open, and asked for at Kling at the next start.
            is_plain = row.request.prompt == "b"
            assert not row.status.is_final or (is_plain and row.status == "cancelled")
        assert sum(fake.seen.accepted.values()) == 0


@pytest.mark.parametrize("number", SIGNALS)
def test_open_polls_bodies_and_readers_end_in_time(tmp_path: Path, number: signal.Signals) -> None:
    asked = threading.Event()

    def plan(_body: dict[str, Any]) -> Plan:
        yield Step(0, STREAM_HEAD)
        for _ in range(2_000):
            yield Step(0, event(content="x" * 4_000))
        yield Step(0, None)

    def hook(moment: str) -> None:
        if moment == "poll":
            asked.set()
            time.sleep(0.3)

    with (
        Upstream(plan) as upstream,
        FakeKling(hook=hook) as fake,
        studio(tmp_path, fake, DEEPSEEK_API_KEY=CHAT_KEY, DEEPSEEK_API_URL=upstream.url) as app,
    ):
        [
            line_to(
                app, b"GET /kling/v1/images/generations/what HTTP/1.1\r\nHost: localhost\r\n\r\n"
            ),
            # A body that does not arrive, and a reader who does not read.
            line_to(app, post("/v1/chat/completions", {}, length=10_000)),
            line_to(app, b"GET /stream?question=x HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        ]
        assert asked.wait(60)
        until(lambda: upstream.answers, "the stream is asked for")
        ends_in_time(app, number)


@pytest.mark.parametrize("number", SIGNALS)
def test_open_downloads_end_in_time_and_are_fetched_at_the_next_start(
    tmp_path: Path, number: signal.Signals
) -> None:
    half = threading.Event()
    go_on = threading.Event()

    def hook(moment: str) -> None:
        if moment == "picture-half" and not half.is_set():
            half.set()
            go_on.wait(60)

    with FakeKling(KlingPlan(runs_s=lambda number: 0.1), hook) as fake:
        with studio(tmp_path, fake) as app:
            line_to(app, post("/kling/v1/images/generations", {"prompt": "a"}))
            assert half.wait(60)
            ends_in_time(app, number)
        go_on.set()
        [row] = kept(app)
        assert row.status == "succeeded"
        with studio(tmp_path, fake) as app:
            until(lambda: kept(app)[0].status == "archived", "the picture is there")
        assert sum(fake.seen.accepted.values()) == 1


@pytest.mark.parametrize("number", SIGNALS)
def test_practice_ends_in_time_with_a_stream_and_a_task_open(
    tmp_path: Path, number: signal.Signals
) -> None:
    with running_app(tmp_path / "data") as app:
        wait_until_there(f"{app.url}/readyz", app)
        create = post("/kling/v1/images/generations", {"prompt": "/practice slow 60"})
        drawn = line_to(app, create)
        assert b" 200 " in drawn.recv(4096).partition(b"\r\n")[0]
        line_to(app, post("/kling/v1/images/generations", {"prompt": "/practice lost"}))
        told = line_to(
            app, b"GET /stream?question=/practice+silent+60 HTTP/1.1\r\nHost: localhost\r\n\r\n"
        )
        heard = b""
        while b"data:" not in heard:
            heard += told.recv(4096)
        ends_in_time(app, number)
        assert all(row.status != "failed" for row in kept(app))


@pytest.mark.parametrize("number", SIGNALS)
def test_sessions_of_tools_end_in_time(tmp_path: Path, number: signal.Signals) -> None:
    accepts = "Accept: application/json, text/event-stream"
    hello = {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "t", "version": "1"},
    }
    with running_app(tmp_path / "data") as app:
        wait_until_there(f"{app.url}/readyz", app)
        opened = line_to(app, post("/mcp", _rpc("initialize", hello), accepts))
        heard = b""
        while b'"result"' not in heard:
            heard += opened.recv(4096)
        session = re.search(rb"(?i)mcp-session-id: (\w+)", heard)
        assert session is not None
        named = f"Mcp-Session-Id: {session[1].decode()}"
        listening = line_to(
            app, f"GET /mcp HTTP/1.1\r\nHost: localhost\r\n{accepts}\r\n{named}\r\n\r\n".encode()
        )
        assert b" 200 " in listening.recv(4096).partition(b"\r\n")[0]
        asked = {"name": "ask", "arguments": {"question": "/practice silent 60"}}
        asking = line_to(app, post("/mcp", _rpc("tools/call", asked), accepts, named))
        assert b" 200 " in asking.recv(4096).partition(b"\r\n")[0]
        ends_in_time(app, number)


def _rpc(method: str, params: dict[str, Any]) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
