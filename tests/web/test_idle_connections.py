"""Idle connections are kept for longer than uvicorn does, and do not hold the server's end up."""

import http.client
import select
import signal
from pathlib import Path
from urllib.parse import urlsplit

from tests.running_app import running_app, wait_until_there
from tests.web.test_bff_shutdown import ends_in_time

UVICORNS_OWN_S = 5


def test_an_idle_connection_serves_again_and_does_not_hold_the_end_up(tmp_path: Path) -> None:
    with running_app(tmp_path / "data") as app:
        wait_until_there(f"{app.url}/readyz", app)
        address = urlsplit(app.url)
        line = http.client.HTTPConnection(address.hostname or "", address.port, timeout=60)
        try:
            for _ in range(2):
                line.request("GET", "/v1/models")
                with line.getresponse() as reply:
                    assert reply.status == 200
                    reply.read()
                assert line.sock is not None, "the server asked to close"
                heard, _, _ = select.select([line.sock], [], [], UVICORNS_OWN_S + 1)
                assert not heard, "closed by the server"
            ends_in_time(app, signal.SIGTERM)
        finally:
            line.close()
