"""Before the studio's modules are imported: what is the same for all passes, all else waits."""

import asyncio
import re
import select
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.types import Message, Receive, Scope, Send

from core.errors import AppError, InputError
from core.settings import Settings
from core.web import server
from core.web.front import early_calls
from core.web.front.middleware import BeforePages
from core.work import process_studio
from core.work.process_studio import (
    bring_modules,
    close_studio,
    expect_studio,
    has_modules,
    is_awaited,
)
from tests.held_import import HeldImport
from tests.running_app import RunningApp, running_app, wait_until_there
from tests.threads_client import threads_client
from tests.waiting import PATIENCE_S, until
from tests.web.serving import listening

PAGES = ("chat", "images", "status")
FORWARDED = {"X-Forwarded-For": "203.0.113.9"}
WEBSOCKET = (
    "GET {base}/_stcore/stream HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\n"
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)

# Answered before the modules are there. Where a status stands, it is the front's own reply.
PASSES = (
    ("GET", "/"),
    ("HEAD", "/"),
    ("GET", "/images?p=1"),
    ("GET", "/static/js/index.js"),
    ("HEAD", "/static/js/index.js"),
    ("GET", "/_stcore/health"),
    ("GET", "/_stcore/host-config"),
)
ANSWERED = (
    ("POST", "/", 405),
    ("POST", "/images", 405),
    ("GET", "/images/", 308),
    ("GET", "/nothing", 404),
    ("GET", "/static/%2e%2e/_stcore/upload_file/a/b", 404),
    ("GET", "//static/js", 404),
    ("GET", "/healthz", 200),
    ("GET", "/readyz", 503),
    ("GET", "/assets/a.js", 404),
)
WAITS = (
    ("POST", "/static/js/index.js"),
    ("PUT", "/static/js/index.js"),
    ("POST", "/_stcore/health"),
    ("OPTIONS", "/_stcore/health"),
    ("GET", "/_stcore/health/x"),
    ("GET", "/_stcore/healthy"),
    ("GET", "/_stcore/script-health-check"),
    ("GET", "/_stcore/metrics"),
    ("GET", "/_stcore/stream"),
    ("PUT", "/_stcore/upload_file/session/file"),
    ("DELETE", "/_stcore/upload_file/session/file"),
    ("POST", "/_stcore/agent/interact"),
    ("GET", "/_stcore/bidi-components/a/b.js"),
    ("GET", "/media/0123.png"),
    ("GET", "/component/a/index.html"),
    ("GET", "/app/static/icon.png"),
    ("GET", "/auth/login"),
    ("GET", "/oauth2callback?code=x"),
    ("GET", "/favicon.png"),
    ("GET", "/manifest.json"),
    ("GET", "/openapi.json"),
    ("POST", "/complete"),
    ("POST", "/kling/v1/images/generations"),
    ("GET", "/enter?code=x"),
    ("GET", "/v1/models"),
    ("GET", "/metrics"),
    ("POST", "/mcp"),
)


class Loading:
    """Imports of the pages that take until they are let go, or fail so long as they are to."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.is_broken = False

    def __call__(self) -> None:
        assert self.go.wait(PATIENCE_S)
        if self.is_broken:
            raise ImportError("/a/place/of/this/machine is broken")


class Pages:
    """In the place of Streamlit: notes what reaches it."""

    def __init__(self) -> None:
        self.reached: list[tuple[str, str]] = []

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        self.reached.append((scope.get("method", "websocket"), scope["path"]))
        if scope["type"] == "websocket":
            await send({"type": "websocket.accept"})
            return
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"of the pages"})


@pytest.fixture
def loading() -> Iterator[Loading]:
    close_studio()
    slow = Loading()
    yield slow
    slow.go.set()


@contextmanager
def front(
    tmp_path: Path, loading: Loading, base: str = "", **options: Any
) -> Iterator[tuple[Pages, httpx.Client]]:
    """Serve the front before pages that note what reaches them, while modules are imported."""
    pages, settings = Pages(), Settings(data_dir=tmp_path)
    with listening(
        lambda: settings, pages, load=loading, pages=PAGES, base_path=lambda: base, **options
    ) as (port, _):
        address = f"http://127.0.0.1:{port}{base and '/' + base}"
        with threads_client(address, PATIENCE_S) as client:
            yield pages, client


def is_any_done(asked: list[Future[httpx.Response]]) -> bool:
    return any(one.done() for one in asked)


@pytest.mark.parametrize("base", ["", "studio/base"])
def test_only_what_is_the_same_for_all_passes_before_the_modules(
    tmp_path: Path, loading: Loading, base: str
) -> None:
    below = base and f"/{base}"
    with front(tmp_path, loading, base) as (pages, client), ThreadPoolExecutor(40) as pool:
        asked = [pool.submit(_status, client, *one) for one in WAITS]
        for method, path in PASSES:
            reply = client.request(method, path)
            assert (reply.status_code, pages.reached[-1][0]) == (200, method)
            assert pages.reached[-1][1] == below + path.partition("?")[0]
        for method, path, status in ANSWERED:
            assert (path, client.request(method, path).status_code) == (path, status)
        # Of what waits nothing has reached the pages, and nobody has been answered.
        assert len(pages.reached) == len(PASSES)
        assert not any(one.done() for one in asked)
        assert process_studio.current_studio() is None
        loading.go.set()
        told = {one: future.result(PATIENCE_S) for one, future in zip(WAITS, asked, strict=True)}
        assert 503 not in told.values()
        late = {(method, path.partition("?")[0]) for method, path in WAITS}
        ours = {
            (method, path) for method, path in late if (method, below + path) not in pages.reached
        }
        assert {path for _, path in ours} == {
            *("/openapi.json", "/complete", "/kling/v1/images/generations", "/enter"),
            *("/v1/models", "/metrics", "/mcp"),
        }


def _status(client: httpx.Client, method: str, path: str) -> int:
    return client.request(method, path).status_code


def test_a_forwarder_is_noticed_by_a_file_that_passes(tmp_path: Path, loading: Loading) -> None:
    with front(tmp_path, loading) as (_, client), ThreadPoolExecutor(1) as pool:
        early = pool.submit(client.get, "/complete?question=q")
        assert client.get("/static/js/index.js", headers=FORWARDED).status_code == 200
        loading.go.set()
        # Somebody forwards calls of this machine: nobody is here any more, not even who waited.
        assert early.result(PATIENCE_S).status_code == 403
        assert client.get("/v1/models").status_code == 403


def test_what_waits_is_judged_by_where_it_came_from(tmp_path: Path, loading: Loading) -> None:
    with front(tmp_path, loading) as (_, client), ThreadPoolExecutor(2) as pool:
        chat = {"messages": [{"role": "user", "content": "q"}]}
        asked: list[Future[httpx.Response]] = [
            pool.submit(client.post, "/v1/chat/completions", json=chat, headers=FORWARDED),
            pool.submit(client.post, "/kling/v1/images/generations", json={}, headers=FORWARDED),
        ]
        loading.go.set()
        assert [one.result(PATIENCE_S).status_code for one in asked] == [403, 403]


def test_what_cannot_be_imported_is_told_and_tried_again(tmp_path: Path, loading: Loading) -> None:
    loading.is_broken = True
    with (
        front(tmp_path, loading, open_again_s=0.05) as (pages, client),
        ThreadPoolExecutor(40) as pool,
    ):
        asked = [pool.submit(client.request, *one) for one in WAITS]
        assert client.get("/").status_code == 200
        loading.go.set()
        for reply in (one.result(PATIENCE_S) for one in asked):
            _assert_told(reply)
        reached = len(pages.reached)
        for method, path in PASSES:
            _assert_told(client.request(method, path))
        for language, title in (("zh", "墨灵打不开"), ("en", "The studio cannot open")):
            page = client.get("/", headers={"Accept": "text/html", "Accept-Language": language})
            assert page.status_code == 503
            assert title in page.text
            _assert_told(page)
        assert client.get("/readyz").json()["status"] == "not ready"
        assert "cannot open" in client.get("/readyz").json()["error"]
        assert client.get("/healthz").status_code == 200  # the process lives
        assert client.get("/nothing").status_code == 404
        assert len(pages.reached) == reached
        loading.is_broken = False
        until(lambda: client.get("/readyz").status_code == 200, "it is tried again")
        assert client.get("/").text == client.get("/media/x").text == "of the pages"


def _assert_told(reply: httpx.Response) -> None:
    assert reply.status_code == 503
    assert int(reply.headers["retry-after"]) > 0
    assert "/a/place" not in reply.text
    assert "opening" not in reply.text


def test_waiting_for_modules_ends_by_itself(
    tmp_path: Path, loading: Loading, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(early_calls, "WAIT_S", 0.05)
    with front(tmp_path, loading) as (pages, client):
        for method, path in WAITS:
            reply = client.request(method, path)
            assert (path, reply.status_code) == (path, 503)
            assert int(reply.headers["retry-after"]) > 0
        for language, title in (("zh", "墨灵正在打开"), ("en", "still opening")):
            headers = {"Accept": "text/html", "Accept-Language": language}
            assert title in client.get("/media/x", headers=headers).text
        assert not pages.reached


@pytest.mark.parametrize("error", [ImportError, SystemExit, MemoryError])
def test_what_ends_an_import_is_told_once_in_the_log(
    error: type[BaseException], caplog: pytest.LogCaptureFixture
) -> None:
    def load() -> None:
        raise error

    expect_studio()
    try:
        for _ in range(3):
            with pytest.raises(AppError):
                bring_modules(load)
        assert not is_awaited()
    finally:
        bring_modules(lambda: None)
        close_studio()
    told = [one.getMessage() for one in caplog.records if "unexpected" in one.getMessage()]
    assert [("in load" in one, "as before" in one) for one in told] == [
        (True, False),
        (False, True),
        (False, True),
    ]


def test_only_so_many_wait_for_modules(
    tmp_path: Path, loading: Loading, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(early_calls, "WAITING_HERE", 1)
    monkeypatch.setattr(early_calls, "WAITING_ELSEWHERE", 1)
    with front(tmp_path, loading) as (pages, client), ThreadPoolExecutor(4) as pool:
        for headers in ({}, FORWARDED):
            asked = [pool.submit(client.get, "/media/x", headers=headers) for _ in range(2)]
            until(partial(is_any_done, asked), "one has no place")
            assert sorted(one.done() for one in asked) == [False, True]
            done = next(one for one in asked if one.done())
            assert done.result().status_code == 503
        assert not pages.reached
        loading.go.set()
        until(lambda: len(pages.reached) == 2, "the others are passed on")


# -- the websocket ---------------------------------------------------------------------------------


async def _asks(pages: Pages, origin: str = "http://localhost") -> list[Message]:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope: Scope = {
        "type": "websocket",
        "path": "/_stcore/stream",
        "raw_path": b"/_stcore/stream",
        "client": ("127.0.0.1", 50_000),
        "server": ("127.0.0.1", 8501),
        "headers": [(b"host", b"localhost"), (b"origin", origin.encode())],
    }
    await BeforePages(pages, base_path=str, pages=PAGES, page_files={})(scope, receive, send)
    return sent


def _bring(load: Callable[[], None]) -> None:
    try:
        bring_modules(load)
    except AppError:
        assert not has_modules()


@pytest.mark.parametrize("is_broken", [False, True])
def test_a_websocket_waits_for_the_modules(loading: Loading, is_broken: bool) -> None:
    async def run() -> list[Message]:
        waiting = asyncio.create_task(_asks(pages))
        for _ in range(5):
            await asyncio.sleep(0)
        assert not waiting.done()
        assert not pages.reached
        loading.go.set()
        await asyncio.to_thread(_bring, loading)
        return await waiting

    pages, loading.is_broken = Pages(), is_broken
    expect_studio()
    try:
        kinds = [one["type"] for one in asyncio.run(run())]
        assert kinds == ["websocket.close" if is_broken else "websocket.accept"]
        assert len(pages.reached) == (0 if is_broken else 1)
    finally:
        bring_modules(lambda: None)
        close_studio()


def test_a_websocket_of_an_unreadable_origin_waits_for_nothing(loading: Loading) -> None:
    pages = Pages()
    expect_studio()
    try:
        told = asyncio.run(_asks(pages, "http://[::1"))
        assert [one["type"] for one in told] == ["websocket.close"]
        assert not pages.reached
    finally:
        bring_modules(lambda: None)
        close_studio()


# -- one thread imports ----------------------------------------------------------------------------


def test_settings_are_not_read_again_before_they_were_read() -> None:
    read: list[int] = []

    def read_settings() -> Settings:
        read.append(1)
        raise InputError("x", "error.unexpected")

    expect_studio()
    try:
        server._reread(read_settings)  # opens a studio, which would import it in another thread
        assert not read
        bring_modules(lambda: None)
        server._reread(read_settings)
        assert read
    finally:
        bring_modules(lambda: None)
        close_studio()


# -- the studio as people run it -------------------------------------------------------------------


@contextmanager
def held(tmp_path: Path, base: str = "") -> Iterator[tuple[RunningApp, HeldImport]]:
    """Run the studio, whose imports do not get past a module of its routes."""
    module = HeldImport.of("core.web.studio_routes", tmp_path / "held")
    variables = {**module.environment, "STREAMLIT_SERVER_BASE_URL_PATH": base}
    with running_app(tmp_path / "data", variables) as app:
        until(lambda: module.is_reached, "the import is reached")
        yield app, module


def _line(app: RunningApp, head: str) -> socket.socket:
    line = socket.create_connection(("127.0.0.1", int(app.url.rpartition(":")[2])), timeout=60)
    line.sendall(head.encode())
    return line


def _heard(line: socket.socket) -> str:
    reply = b""
    while b"\r\n\r\n" not in reply:
        reply += (more := line.recv(4096))
        assert more, reply
    return reply.decode()


@pytest.mark.parametrize("base", ["", "studio"])
def test_a_browser_loads_its_part_while_the_studio_imports_its_own(
    tmp_path: Path, base: str
) -> None:
    below = base and f"/{base}"
    with held(tmp_path, base) as (app, module), httpx.Client(timeout=PATIENCE_S) as client:
        url = app.url + below
        page = client.get(f"{url}/")
        assert page.status_code == 200
        scripts = re.findall(r'(?:src|href)="\./(static/[^"]+)"', page.text)
        assert scripts
        files = {name: client.get(f"{url}/{name}") for name in scripts}
        assert all(one.status_code == 200 for one in files.values())
        assert client.get(f"{url}/_stcore/health").text == "ok"
        assert client.get(f"{url}/static/js/nothing.js").status_code == 404
        assert client.get(f"{url}/readyz").status_code == 503
        host = app.url.removeprefix("http://")
        question = "GET {}/complete?question=q HTTP/1.1\r\nHost: {}\r\n{}\r\n"
        with (
            _line(app, WEBSOCKET.format(base=below, host=host)) as websocket,
            _line(app, question.format(below, "localhost", "X-Real-IP: 203.0.113.9\r\n")) as far,
        ):
            for _ in range(20):
                assert client.get(f"{url}/healthz").status_code == 200
            assert select.select([websocket, far], [], [], 0)[0] == []
            module.let_go()
            assert _heard(websocket).startswith("HTTP/1.1 101")
            assert _heard(far).startswith("HTTP/1.1 403")
        wait_until_there(f"{url}/readyz", app)
        for name, early in files.items():
            late = client.get(f"{url}/{name}")
            assert late.content == early.content
            assert _plain(late.headers) == _plain(early.headers)
        assert client.get(f"{url}/").text == page.text


def _plain(headers: httpx.Headers) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name not in ("date", "set-cookie")}


def test_a_broken_installation_is_told_until_it_is_mended(tmp_path: Path) -> None:
    module = HeldImport.of("core.web.studio_routes", tmp_path / "held")
    module.fail()
    module.let_go()
    with (
        running_app(tmp_path / "data", module.environment) as app,
        httpx.Client(timeout=PATIENCE_S) as client,
    ):
        until(lambda: client.get(f"{app.url}/").status_code == 503, "it is known to be broken")
        assert "cannot open" in client.get(f"{app.url}/readyz").json()["error"]
        assert client.get(f"{app.url}/_stcore/health").status_code == 503
        with _line(app, WEBSOCKET.format(base="", host=app.url.removeprefix("http://"))) as line:
            assert _heard(line).startswith("HTTP/1.1 403")
        log = app.log.read_text()
        assert "The studio cannot open: unexpected ImportError" in log
        assert "core.web.studio_routes" in log
        module.mend()
        wait_until_there(f"{app.url}/readyz", app)
        assert client.get(f"{app.url}/").status_code == 200


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_process_ends_while_it_imports(tmp_path: Path, number: signal.Signals) -> None:
    with held(tmp_path) as (app, _):
        question = "GET /complete?question=q HTTP/1.1\r\nHost: localhost\r\n\r\n"
        host = app.url.removeprefix("http://")
        with _line(app, question) as line, _line(app, WEBSOCKET.format(base="", host=host)):
            wait_until_there(f"{app.url}/healthz", app)
            began = time.monotonic()
            app.process.send_signal(number)
            app.process.wait(PATIENCE_S)
            assert time.monotonic() - began < 3.0  # as with whatever else is open
            assert _heard(line).startswith("HTTP/1.1 503")
