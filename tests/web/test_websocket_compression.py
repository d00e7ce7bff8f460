"""The page's websocket is compressed: what grows is sent again, and costs next to none."""

import socket
from pathlib import Path
from urllib.parse import urlsplit

from tests.running_app import running_app

HANDSHAKE = (
    "GET /_stcore/stream HTTP/1.1\r\nHost: {netloc}\r\nOrigin: http://{netloc}\r\n"
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n"
)


def test_the_pages_websocket_is_compressed(tmp_path: Path) -> None:
    with running_app(tmp_path / "data") as app:
        address = urlsplit(app.url)
        with socket.create_connection((address.hostname, address.port), timeout=30) as line:
            line.sendall(HANDSHAKE.format(netloc=address.netloc).encode())
            reply = b""
            while b"\r\n\r\n" not in reply:
                reply += (more := line.recv(4096))
                assert more, reply
        head = reply.partition(b"\r\n\r\n")[0].lower()
        assert head.startswith(b"http/1.1 101")
        assert b"sec-websocket-extensions: permessage-deflate" in head
