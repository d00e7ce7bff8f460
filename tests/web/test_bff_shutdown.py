"""Ending the server while somebody reads: the reader is told, and nobody waits for ever."""

import socket
import time
from pathlib import Path
from typing import Any

from tests.running_app import running_app, wait_until_there
from tests.upstream import STREAM_HEAD, Plan, Step, Upstream, event
from tests.web.serving import CHAT_KEY, until


def test_an_open_stream_does_not_keep_the_server_up(tmp_path: Path) -> None:
    def plan(_body: dict[str, Any]) -> Plan:
        yield Step(0, STREAM_HEAD + event(content="一半"))
        yield Step(0, None)

    with Upstream(plan) as upstream:
        environment = {"DEEPSEEK_API_KEY": CHAT_KEY, "DEEPSEEK_API_URL": upstream.url}
        with running_app(tmp_path / "data", environment) as app:
            wait_until_there(f"{app.url}/readyz", app)
            port = int(app.url.rpartition(":")[2])
            with socket.create_connection(("127.0.0.1", port), timeout=20) as line:
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
