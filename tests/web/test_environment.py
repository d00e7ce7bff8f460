"""The server started in a faulty environment serves, and an unforeseen error is tried again."""

import threading
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from core.settings import Settings
from core.web import server
from core.work.process_studio import close_studio, current_studio, opening_error
from tests.faulty_environment import NETWORK_VARIABLES, SECRET, Fault, make_files
from tests.running_app import running_app
from tests.waiting import until

STARTED = (
    Fault({"ALL_PROXY": "socks://127.0.0.1:7891/", "NO_PROXY": "[::1],::/0,*"}),
    Fault({"https_proxy": "socks4://user:{secret}@[::1"}, "https_proxy"),
    Fault({"SSL_CERT_FILE": "{folder}/words.pem", "HTTP_PROXY": "http://:"}, "SSL_CERT_FILE"),
    Fault({"SSL_CERT_DIR": "{folder}/not-there", "SSLKEYLOGFILE": "{folder}/no/x"}, "SSL_CERT_DIR"),
)


@pytest.mark.parametrize("fault", STARTED, ids=lambda fault: fault.id)
def test_the_server_serves_whatever_the_environment_holds(fault: Fault, tmp_path: Path) -> None:
    make_files(tmp_path / "certificates")
    environment = dict.fromkeys(NETWORK_VARIABLES, "") | fault.placed(tmp_path / "certificates")
    with running_app(tmp_path / "data", environment) as app:

        def ready() -> httpx.Response | None:
            reply = httpx.get(f"{app.url}/readyz", trust_env=False)
            return reply if reply.status_code == 200 else None

        assert until(ready, "it is ready").json()["chat"] == "practice"
        page = httpx.get(app.url, trust_env=False)
        assert page.status_code == 200
        assert "<title>" in page.text
        with httpx.stream(
            "GET", f"{app.url}/stream?question=hello", trust_env=False, timeout=60
        ) as reply:
            heard = reply.read().decode()
        assert reply.status_code == 200
        assert "event: error" not in heard
        assert "event: end" in heard
    log = app.log.read_text()
    if fault.named is not None:
        assert f"{fault.named} (from the environment)" in log
    assert SECRET not in log
    assert "Traceback" not in log


def test_an_unforeseen_error_is_told_by_readyz_and_tried_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    close_studio()
    mended = threading.Event()

    def read_settings() -> Settings:
        if not mended.is_set():
            raise ValueError(f"http://user:{SECRET}@proxy")
        return Settings(data_dir=tmp_path)

    def broken_warm_up() -> None:
        raise ImportError("pandas")

    alive = server.lifespan(read_settings, warm_up=broken_warm_up, open_again_s=0.01)
    app = Starlette(middleware=server.middleware(), lifespan=alive)
    try:
        with TestClient(app, base_url="http://localhost") as client:
            until(opening_error, "the first try has failed")
            reply = client.get("/readyz")
            assert (reply.status_code, reply.headers["retry-after"]) == (503, "2")
            assert reply.json()["status"] == "not ready"
            assert "cannot open" in reply.json()["error"]
            assert "keeps trying" in reply.json()["error"]
            assert client.get("/complete?question=x").status_code == 503
            mended.set()
            until(current_studio, "it is open")
            assert client.get("/readyz").status_code == 200
    finally:
        close_studio()
    assert "unexpected ValueError" in caplog.text
    assert SECRET not in caplog.text
