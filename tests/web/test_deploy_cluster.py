"""The cluster's Caddyfile, run by the real Caddy: a page stays at its process, both are used."""

import http.server
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import httpx

from tests.modules import ROOT
from tests.proxy_programs import caddy
from tests.running_app import free_port

FOLDER = ROOT / "docs/deploy/cluster"


@contextmanager
def process(name: str) -> Iterator[str]:
    """Run a process that only tells its name, and is ready."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(name)))
            self.end_headers()
            self.wfile.write(name.encode())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_page_stays_at_its_process_and_both_are_used() -> None:
    text = (FOLDER / "Caddyfile").read_text(encoding="utf-8")
    compose = (FOLDER / "compose.yaml").read_text(encoding="utf-8")
    port = free_port()
    with ExitStack() as stack:
        for name in ("studio-a", "studio-b"):
            assert f"\n  {name}:\n" in compose
            assert f"{name}:8501" in text
            text = text.replace(f"{name}:8501", stack.enter_context(process(name)))
        text = text.replace("{$STUDIO_HOST}", f"http://127.0.0.1:{port}")
        proxy = stack.enter_context(caddy(text, port))
        served = set()
        for _ in range(30):  # by chance all of them at one: once in a billion
            with httpx.Client(trust_env=False) as browser:
                names = {browser.get(proxy.url).text for _ in range(4)}
            assert len(names) == 1
            served |= names
    assert served == {"studio-a", "studio-b"}
