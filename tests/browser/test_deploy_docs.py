"""The nginx and Caddy blocks of the deployment pages, run by the real programs: pages with their
websocket, a stream piece by piece, TLS, a sub-path kept and stripped, and nobody who is "here"."""

import http.server
import json
import re
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, Playwright, WebSocket, expect

from tests.browser.chromium import launched
from tests.browser.journeys import PATIENCE_MS
from tests.deploy_docs import HOST, SUB_PATH, block, proxying, stripping
from tests.running_app import RunningApp, running_app, wait_until_there
from tests.upstream import DONE, STREAM_HEAD, Plan, Step, Upstream, completion, ending, event
from tests.waiting import PATIENCE_S
from tests.web.events import opened

TOKEN = "token-of-the-phone-0123456789"
BEARER = {"Authorization": f"Bearer {TOKEN}"}

pytestmark = pytest.mark.browser


class Provider:
    """An upstream whose last piece waits until a test has seen the first."""

    def __init__(self) -> None:
        self.has_arrived = threading.Event()
        self.gave_up = False

    def plan(self, body: dict[str, Any]) -> Plan:
        if not body.get("stream"):
            yield Step(0, completion("whole"))
            return
        yield Step(0, STREAM_HEAD)
        yield Step(0, event(content="first "))
        for _ in range(int(PATIENCE_S / 0.02)):
            if self.has_arrived.is_set():
                break
            yield Step(0.02)
        else:
            self.gave_up = True
        yield Step(0, event(content="last") + ending() + DONE)


@dataclass
class Site:
    """The studio behind a proxy: a client of the proxy, and the path where the studio is."""

    app: RunningApp
    http: httpx.Client
    upstream: Upstream
    provider: Provider
    path: str

    @property
    def origin(self) -> str:
        return f"https://{HOST}:{self.http.base_url.port}"


CASES = [
    (program, way)
    for program in ("nginx", "caddy")
    for way in ("whole host", "sub-path", "sub-path stripped")
]


def recommended(program: str, way: str) -> str:
    text = block(program, way.removesuffix(" stripped"))
    return stripping(program, text) if way.endswith("stripped") else text


class Studios:
    """A studio for each base path, started when it is first asked for."""

    def __init__(self, folder: Path, upstream: Upstream, stack: ExitStack) -> None:
        self._folder, self._upstream, self._stack = folder, upstream, stack
        self._apps: dict[str, RunningApp] = {}

    def at(self, path: str) -> RunningApp:
        if path not in self._apps:
            self._apps[path] = self._start(path)
        return self._apps[path]

    def _start(self, path: str) -> RunningApp:
        secrets = self._folder / "secrets.toml"
        secrets.write_text("[access]\nbehind_proxy = true\n")
        environment = {
            "STREAMLIT_SERVER_BASE_URL_PATH": path,
            "INKLING_TOKENS": f"phone:{TOKEN}",
            "DEEPSEEK_API_KEY": "sk-live-0123456789",
            "DEEPSEEK_API_URL": self._upstream.url,
        }
        data = self._folder / f"data-{len(self._apps)}"
        app = self._stack.enter_context(running_app(data, environment, secrets=secrets))
        wait_until_there(f"{app.url}/readyz", app)
        return app


@pytest.fixture(scope="module")
def provider() -> Provider:
    return Provider()


@pytest.fixture(scope="module")
def upstream(provider: Provider) -> Iterator[Upstream]:
    with Upstream(provider.plan) as running:
        yield running


@pytest.fixture(scope="module")
def studios(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studios]:
    with ExitStack() as stack:
        yield Studios(tmp_path_factory.mktemp("studios"), upstream, stack)


@pytest.fixture(scope="module", params=CASES, ids=lambda case: "-".join(case).replace(" ", "-"))
def site(
    request: pytest.FixtureRequest,
    studios: Studios,
    upstream: Upstream,
    provider: Provider,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Site]:
    program, way = request.param
    path = "" if way == "whole host" else SUB_PATH
    provider.has_arrived.clear()
    app, folder = studios.at(path), tmp_path_factory.mktemp(program)
    with proxying(program, recommended(program, way), app.url, folder) as client:
        yield Site(app, client, upstream, provider, path)


@pytest.fixture(scope="module")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    """A browser to which the site's name is this machine."""
    with launched(playwright, f"--host-resolver-rules=MAP {HOST} 127.0.0.1") as running:
        yield running


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A page of someone new, to whom the site's authority is one to believe."""
    with chromium.new_context(locale="en-US", ignore_https_errors=True) as context:
        yield context.new_page()


def test_the_pages_work_with_their_websocket(site: Site, page: Page) -> None:
    before = len(site.upstream.exchanges)
    sockets: list[WebSocket] = []
    page.on("websocket", lambda socket: sockets.append(socket))
    page.goto(f"{site.origin}{site.path}")
    box = page.get_by_test_id("stChatInputTextArea")
    expect(box).to_be_visible(timeout=PATIENCE_MS)
    assert page.url == f"{site.origin}{site.path}/"
    box.fill("hello")
    box.press("Enter")
    expect(page.get_by_role("button", name="Regenerate")).to_be_visible(timeout=PATIENCE_MS)
    page.get_by_role("link", name="Gallery").click()
    expect(page).to_have_url(f"{site.origin}{site.path}/gallery", timeout=PATIENCE_MS)
    page.reload()  # a page's own address leads to it, through the proxy too
    expect(page.get_by_role("heading", name="Gallery")).to_be_visible(timeout=PATIENCE_MS)
    own = f"wss://{HOST}:{site.http.base_url.port}{site.path}/_stcore/stream"
    assert {socket.url for socket in sockets} == {own}
    assert len(site.upstream.exchanges) == before  # who came through a proxy is not here


def test_a_stream_arrives_piece_by_piece(site: Site) -> None:
    path = f"{site.path}/stream"
    with opened(site.http, path, params={"question": "q"}, headers=BEARER) as (reply, reading):
        assert reply.status_code == 200
        heard = next(heard for heard in reading if heard.text)
        assert heard.text == "first "
        site.provider.has_arrived.set()
        *_, heard = reading
    assert (heard.text, heard.has_ended) == ("first last", True)
    assert not site.provider.gave_up


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Forwarded-For": "127.0.0.1", "X-Real-IP": "127.0.0.1"},
        {"X-Forwarded-Email": "you@example.com", "Forwarded": "for=127.0.0.1"},
        {"Connection": "X-Forwarded-For, X-Forwarded-Proto, Host"},
        {"Authorization": "Bearer token-of-the-phone-012345678"},
    ],
)
def test_nobody_spends_without_a_token(site: Site, headers: dict[str, str]) -> None:
    before = len(site.upstream.exchanges)
    for path in ("/complete?question=q", "/stream?question=q", "/v1/models"):
        reply = site.http.get(f"{site.path}{path}", headers=headers)
        assert reply.status_code in (401, 403)
        assert "error" in reply.json()
    assert len(site.upstream.exchanges) == before


def test_health_is_told_below_the_path_and_unknown_paths_are_not_pages(site: Site) -> None:
    assert site.http.get(f"{site.path}/healthz").json() == {"status": "ok"}
    assert site.http.get(f"{site.path}/readyz").json()["status"] == "ready"
    for path in ("/metric", "/galery", "/stream/", "/static/nope.js"):
        reply = site.http.get(f"{site.path}{path}", headers=BEARER)
        assert (reply.status_code, reply.headers["content-type"].partition(";")[0]) == (
            404,
            "application/json",
        )
    moved = site.http.get(f"{site.path}/gallery/?c=1")
    assert moved.status_code == 308
    assert httpx.URL(f"{site.origin}{site.path}/gallery/?c=1").join(moved.headers["location"]) == (
        f"{site.origin}{site.path}/gallery?c=1"
    )


class _Echo(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = json.dumps([[name.lower(), value] for name, value in self.headers.items()]).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.mark.parametrize("readme", ["README.md", "README.zh-CN.md"])
@pytest.mark.parametrize("program", ["nginx", "caddy"])
def test_the_readme_shows_the_block_that_is_run(program: str, readme: str) -> None:
    assert block(program, f"{program}: whole host", readme) == block(program, "whole host")


@pytest.mark.parametrize(("program", "way"), CASES)
def test_what_a_caller_says_of_himself_does_not_pass(
    program: str, way: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    told = {
        "X-Forwarded-For": "203.0.113.9",
        "X-Forwarded-Proto": "http",
        "X-Forwarded-Email": "you@example.com",
        "x-forwarded-email": "you@example.com",
        "Forwarded": "for=203.0.113.9",
        "Connection": "close, X-Forwarded-For",
    }
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Echo) as echo:
        thread = threading.Thread(target=echo.serve_forever)
        thread.start()
        try:
            folder = tmp_path_factory.mktemp("echo")
            address = f"127.0.0.1:{echo.server_port}"
            with proxying(program, recommended(program, way), address, folder) as client:
                seen = client.get(f"{SUB_PATH}/x", headers=told).json()
        finally:
            echo.shutdown()
            thread.join()
    values = dict(seen)
    assert len(values) == len(seen), "no header comes twice"
    assert values["x-forwarded-for"] == "127.0.0.1"
    assert values["x-forwarded-proto"] == "https"
    assert re.fullmatch(rf"{re.escape(HOST)}:\d+", values["host"])
    assert "x-forwarded-email" not in values
    assert "forwarded" not in values
