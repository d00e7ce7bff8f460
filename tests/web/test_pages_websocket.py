"""The pages' websocket: compressed, for the studio's own pages, and no host is asked about it."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.running_app import RunningApp, running_app, wait_until_there

HANDSHAKE = (
    "GET /_stcore/stream HTTP/1.1\r\nHost: {host}\r\n{origin}"
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n"
)


def opened(app: RunningApp, origin: str | None, host: str | None = None) -> str:
    """Ask for the pages' websocket as a page of `origin` does; return the reply's head."""
    address = urlsplit(app.url)
    named = "" if origin is None else f"Origin: {origin}\r\n"
    with socket.create_connection((address.hostname, address.port), timeout=30) as line:
        line.sendall(HANDSHAKE.format(host=host or address.netloc, origin=named).encode())
        reply = b""
        while b"\r\n\r\n" not in reply:
            reply += (more := line.recv(4096))
            assert more, reply
    return reply.partition(b"\r\n\r\n")[0].decode().lower()


@contextmanager
def silent_proxy() -> Iterator[tuple[str, list[bytes]]]:
    """A proxy that answers nobody, and notes what it is asked for."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def listen() -> None:
            lines: list[socket.socket] = []
            while True:
                try:
                    line, _ = listener.accept()
                except OSError:  # closed: the test is over
                    break
                lines.append(line)
                line.settimeout(5)
                heard.append(line.recv(4096).partition(b"\r\n")[0])
            for line in lines:
                line.close()

        thread = threading.Thread(target=listen)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}", heard
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def test_the_pages_websocket_is_compressed(tmp_path: Path) -> None:
    with running_app(tmp_path / "data") as app:
        head = opened(app, app.url)
    assert head.startswith("http/1.1 101")
    assert "sec-websocket-extensions: permessage-deflate" in head


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0"])
def test_no_host_is_asked_for_this_machines_address(tmp_path: Path, address: str) -> None:
    with silent_proxy() as (proxy, heard):
        variables = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), proxy)
        with running_app(tmp_path / "data", variables, address=address) as app:
            wait_until_there(f"{app.url}/readyz", app)
            port = urlsplit(app.url).port
            refused = [
                "http://evil.example",
                "https://evil.example:8501",
                "http://127.0.0.1.evil.example",
                "http://203.0.113.5:8501",
                "null",
                "file://",
                "http://[::ffff",
                "",
            ]
            for origin in refused:
                assert opened(app, origin).startswith("http/1.1 403"), origin
            for allowed in (None, app.url, "http://localhost:3000", "http://0.0.0.0:1"):
                assert opened(app, allowed).startswith("http/1.1 101"), allowed
            upper = app.url.replace("127.0.0.1", "LocalHost")
            assert opened(app, "http://A.example", "a.example").startswith("http/1.1 403")
            assert opened(app, upper).startswith("http/1.1 101")
            for host in ("studio.example", f"192.168.7.7:{port}", f"[fd00::7]:{port}"):
                assert opened(app, f"https://{host}", host).startswith("http/1.1 101"), host
                assert opened(app, "https://evil.example", host).startswith("http/1.1 403"), host
        told = app.log.read_text()
    assert heard == []
    assert f"Local URL: http://localhost:{port}\n" in told
    assert "Traceback" not in told


@pytest.mark.parametrize("listed", ["https://other.example", "bare.example", "port.example:8443"])
def test_a_listed_page_is_let_in_without_a_question(tmp_path: Path, listed: str) -> None:
    with silent_proxy() as (proxy, heard):
        options = {
            "HTTP_PROXY": proxy,
            "HTTPS_PROXY": proxy,
            "STREAMLIT_SERVER_CORS_ALLOWED_ORIGINS": listed,
        }
        with running_app(tmp_path / "data", options) as app:
            host = listed.rpartition("//")[2]
            assert opened(app, f"https://{host}").startswith("http/1.1 101")
            assert opened(app, "https://evil.example").startswith("http/1.1 403")
    assert heard == []


def test_streamlits_own_options_let_other_pages_in(tmp_path: Path) -> None:
    options = {
        "STREAMLIT_SERVER_ENABLE_CORS": "false",
        "STREAMLIT_SERVER_ENABLE_XSRF_PROTECTION": "false",
    }
    with running_app(tmp_path / "data", options) as app:
        assert opened(app, "http://other.example").startswith("http/1.1 101")
