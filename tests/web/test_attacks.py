"""What must not get through: each is refused, none reaches the upstream, and the pages go on."""

import resource
import socket
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from core.practice.server import PracticeServer
from tests.browser.chromium import launched
from tests.running_app import RunningApp, running_app
from tests.waiting import until
from tests.web.serving import CHAT_KEY, KLING_KEY, QUICK

TOKEN = "token-of-the-phone-0123456789"
TIMEOUT_S = 20.0


@pytest.fixture(scope="module")
def practice() -> Iterator[PracticeServer]:
    with PracticeServer(settings=QUICK) as server:
        yield server


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory, practice: PracticeServer) -> Iterator[RunningApp]:
    """The studio as people run it, pages and all, with keys that cost money."""
    environment = {
        "DEEPSEEK_API_KEY": CHAT_KEY,
        "DEEPSEEK_API_URL": practice.chat_url,
        "KLING_API_KEY": KLING_KEY,
        "KLING_API_ORIGIN": practice.origin,
        "INKLING_TOKENS": f"phone:{TOKEN}",
    }
    with running_app(tmp_path_factory.mktemp("attacked") / "data", environment) as running:
        until(lambda: send(running, b"GET /readyz HTTP/1.1\r\nHost: localhost\r\n")[0] == 200, "up")
        yield running


@pytest.fixture(autouse=True)
def nothing_is_spent(app: RunningApp, practice: PracticeServer) -> Iterator[None]:
    """After each attack: the upstream has heard nothing, no key was told, the pages are there."""
    before = practice.counters
    yield
    assert practice.counters == before
    status, page = send(app, b"GET / HTTP/1.1\r\nHost: localhost\r\n")
    assert status == 200
    assert b"<!DOCTYPE html>" in page or b"<!doctype html>" in page


def send(app: RunningApp, head: bytes, body: bytes = b"") -> tuple[int, bytes]:
    """Send raw bytes; return the reply's status and everything that came."""
    with socket.create_connection(("127.0.0.1", port_of(app)), timeout=TIMEOUT_S) as line:
        line.sendall(head + b"Connection: close\r\n\r\n" + body)
        reply = b""
        while chunk := line.recv(65_536):
            reply += chunk
    for secret in (CHAT_KEY, KLING_KEY, TOKEN):
        assert secret.encode() not in reply
    return int(reply.split(b" ", 2)[1]), reply


def port_of(app: RunningApp) -> int:
    port = urlsplit(app.url).port
    assert port is not None
    return port


# -- foreign pages, without a browser --------------------------------------------------------------

ASK = b"GET /stream?question=x HTTP/1.1\r\n"
CHAT = b'{"question": "x"}'
PICTURE = b'{"prompt": "x"}'
ASKED = [
    (ASK, b""),
    (b"GET /complete?question=x HTTP/1.1\r\n", b""),
    (b"POST /stream HTTP/1.1\r\nContent-Type: application/json\r\n", CHAT),
    (b"POST /stream HTTP/1.1\r\nContent-Type: text/plain\r\n", CHAT),
    (b"POST /v1/chat/completions HTTP/1.1\r\nContent-Type: text/plain\r\n", CHAT),
    (b"GET /v1/models HTTP/1.1\r\n", b""),
    (b"POST /kling/v1/images/generations HTTP/1.1\r\nContent-Type: text/plain\r\n", PICTURE),
    (b"POST /kling/v1/videos/text2video HTTP/1.1\r\nContent-Type: text/plain\r\n", PICTURE),
    (b"GET /kling/v1/images/generations HTTP/1.1\r\n", b""),
]


@pytest.mark.parametrize(
    "headers",
    [
        b"Host: localhost\r\nOrigin: https://evil.example\r\n",
        b"Host: localhost\r\nOrigin: null\r\n",
        b"Host: localhost\r\nOrigin: http://localhost.evil.example\r\n",
        b"Host: localhost\r\nSec-Fetch-Site: cross-site\r\nSec-Fetch-Dest: image\r\n",
        b"Host: localhost\r\nReferer: https://evil.example/x\r\n",
        b"Host: evil.example\r\n",
        b"Host: evil.example\r\nOrigin: http://evil.example\r\nSec-Fetch-Site: same-origin\r\n",
        b"Host: localhost\r\nHost: evil.example\r\n",
        b"Host: localhost\r\nOrigin: http://localhost\r\nOrigin: https://evil.example\r\n",
    ],
)
@pytest.mark.parametrize(("line", "body"), ASKED)
def test_foreign_callers_are_refused(
    app: RunningApp, line: bytes, body: bytes, headers: bytes
) -> None:
    length = b"Content-Length: %d\r\n" % len(body) if body else b""
    status, reply = send(app, line + headers + length, body)
    assert status in (400, 403)
    assert b"access-control-allow-origin" not in reply.lower()


@pytest.fixture(scope="module")
def forwarded_to(
    tmp_path_factory: pytest.TempPathFactory, practice: PracticeServer
) -> Iterator[RunningApp]:
    """A studio of its own: once a call was forwarded to it, nobody is its owner any more."""
    environment = {
        "DEEPSEEK_API_KEY": CHAT_KEY,
        "DEEPSEEK_API_URL": practice.chat_url,
        "INKLING_TOKENS": f"phone:{TOKEN}",
    }
    with running_app(tmp_path_factory.mktemp("forwarded") / "data", environment) as running:
        until(lambda: send(running, b"GET /readyz HTTP/1.1\r\nHost: localhost\r\n")[0] == 200, "up")
        yield running


@pytest.mark.parametrize(
    "headers",
    [
        b"Host: localhost\r\nX-Forwarded-For: 127.0.0.1\r\n",
        b"Host: localhost\r\nX-Forwarded-For: 203.0.113.9, 127.0.0.1\r\n",
        b"Host: localhost\r\nForwarded: for=127.0.0.1\r\n",
        b"Host: localhost\r\nX-Real-IP: 127.0.0.1\r\n",
        b"Host: evil.example\r\nX-Forwarded-Host: localhost\r\n",
    ],
)
@pytest.mark.parametrize(("line", "body"), ASKED)
def test_a_forwarded_call_is_refused(
    forwarded_to: RunningApp, line: bytes, body: bytes, headers: bytes
) -> None:
    length = f"Content-Length: {len(body)}\r\n".encode() if body else b""
    assert send(forwarded_to, line + headers + length, body)[0] == 403


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""]
)
@pytest.mark.parametrize(
    "path",
    ["/stream", "/complete", "/v1/chat/completions", "/kling/v1/images/generations", "/kling/v1/x"],
)
def test_a_form_of_an_old_browser_is_refused(app: RunningApp, path: str, content_type: str) -> None:
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\n"
    head += f"Content-Type: {content_type}\r\n" if content_type else ""
    head += f"Content-Length: {len(CHAT)}\r\n"
    assert send(app, head.encode(), CHAT)[0] == 415


@pytest.mark.parametrize("index", range(len(TOKEN)))
def test_a_token_off_by_one_byte_is_refused(forwarded_to: RunningApp, index: int) -> None:
    wrong = bytearray(TOKEN.encode())
    wrong[index] ^= 1
    head = b"Host: localhost\r\nX-Forwarded-For: 203.0.113.9\r\n"
    status, _ = send(forwarded_to, ASK + head + b"Authorization: Bearer " + bytes(wrong) + b"\r\n")
    assert status == 401


# -- paths -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "/kling/v1/../account/costs",
        "/kling/v1/..",
        "/kling/v1/images/generations;x=1",
        "/kling/v1/images/generations%3bx",
        "/kling/v1/%2e%2e/account/costs",
        "/kling/v1/%2E%2e/account/costs",
        "/kling/v1/.%2e/account/costs",
        "/kling/v1/%252e%252e/account/costs",
        "/kling/v1/%25252e%25252e/account/costs",
        "/kling/v1/%2525252525252e%2525252525252e/x",
        "/kling/v1/..%2faccount/costs",
        "/kling/v1/%2e%2e%2faccount%2fcosts",
        "/kling/v1/..%252faccount/costs",
        "/kling/v1/..\\account\\costs",
        "/kling/v1/..%5caccount%5ccosts",
        "/kling/v1/x\\..\\..\\account",
        "/kling/v1/%5c%5chost/x",
        "/kling/v1/..;/account/costs",
        "/kling/v1/%c0%ae%c0%ae/account/costs",
        "/kling/v1/%e0%80%ae/x",
        "/kling/v1//evil.example/x",
        "/kling/v1/x%2f%2fevil.example",
        "/kling/v1/./x",
        "/kling/v1/x%00",
        "/kling/v1/x%0d%0aX-Evil:%201",
        "/kling/v1/x%0aHost:%20evil.example",
        "/kling//v1/x",
        "/kling/../v1/models",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_path_that_could_lead_elsewhere_is_not_forwarded(
    app: RunningApp, method: str, path: str
) -> None:
    body = PICTURE if method == "POST" else b""
    head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n".encode("latin-1")
    if body:
        head += b"Content-Type: application/json\r\nContent-Length: %d\r\n" % len(body)
    assert send(app, head, body)[0] in (400, 404)


def test_line_ends_in_a_query_stay_in_it(app: RunningApp) -> None:
    for path in (b"/stream?question=%20&x=%0d%0aX-Evil:%201", b"/healthz?x=%0d%0aX-Evil:%201"):
        _, reply = send(app, b"GET " + path + b" HTTP/1.1\r\nHost: localhost\r\n")
        assert b"x-evil" not in reply.lower()


@pytest.mark.parametrize(
    "head",
    [
        b"GET /stream?question=x HTTP/1.1\r\nHost: localhost\r\nOri\x00gin: x\r\n",
        b"GET /stream?question=x HTTP/1.1\r\nHost : localhost\r\n",
        b"GET /stream?question=x HTTP/1.1\r\n Host: localhost\r\n",
    ],
)
def test_broken_requests_are_bad_requests(app: RunningApp, head: bytes) -> None:
    assert send(app, head)[0] in (400, 403)


# -- sizes, and patience ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "size_mb"),
    [
        ("/stream", 60),
        ("/v1/chat/completions", 60),
        ("/kling/v1/images/generations", 30),
        ("/kling/v1/account", 2),
        ("/kling/v1/videos/text2video", 30),
    ],
)
@pytest.mark.parametrize("is_declared", [True, False])
def test_a_body_past_its_bound_is_refused(
    app: RunningApp, path: str, size_mb: int, is_declared: bool
) -> None:
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    size = size_mb * 1024 * 1024
    head += f"Content-Length: {size}\r\n" if is_declared else "Transfer-Encoding: chunked\r\n"
    with socket.create_connection(("127.0.0.1", port_of(app)), timeout=TIMEOUT_S) as line:
        line.sendall(head.encode() + b"\r\n")
        chunk = b"x" * 65_536
        framed = chunk if is_declared else b"10000\r\n" + chunk + b"\r\n"

        def pour() -> None:
            try:
                for _ in range(size // len(chunk)):
                    line.sendall(framed)
            except OSError:
                return  # the server has hung up, as it should

        pouring = threading.Thread(target=pour)
        pouring.start()
        reply = line.recv(65_536)
        line.shutdown(socket.SHUT_RDWR)
        pouring.join(TIMEOUT_S)
    assert reply.startswith(b"HTTP/1.1 413 ")


def test_a_body_that_never_comes_is_not_waited_for(
    app: RunningApp, request: pytest.FixtureRequest
) -> None:
    head = b"POST /stream HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    with socket.create_connection(("127.0.0.1", port_of(app)), timeout=60) as line:
        line.sendall(head + b"Content-Length: 100\r\n\r\n{")
        assert line.recv(65_536).startswith(b"HTTP/1.1 408 ")


def test_thousands_of_idle_connections_keep_nobody_out(app: RunningApp) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < 4_000:
        if hard < 4_000:
            pytest.skip("2,000 connections need more open files than this machine allows")
        resource.setrlimit(resource.RLIMIT_NOFILE, (4_000, hard))
    idle = [
        socket.create_connection(("127.0.0.1", port_of(app)), timeout=TIMEOUT_S)
        for _ in range(2_000)
    ]
    try:
        assert send(app, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n")[0] == 200
        assert send(app, b"GET / HTTP/1.1\r\nHost: localhost\r\n")[0] == 200
    finally:
        for line in idle:
            line.close()


# -- foreign pages, in a browser -------------------------------------------------------------------


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    # A foreign name for this machine: the browser believes the page to come from elsewhere.
    rules = "--host-resolver-rules=MAP *.example 127.0.0.1"
    with sync_playwright() as playwright, launched(playwright, rules) as chromium:
        yield chromium


@pytest.fixture
def evil(browser: Browser) -> Iterator[Page]:
    """A page of evil.example."""
    page = browser.new_page()
    page.route(
        "http://evil.example/**",
        lambda route: route.fulfill(body="<p>evil</p>", content_type="text/html"),
    )
    page.goto("http://evil.example/")
    yield page
    page.close()


@pytest.mark.browser
@pytest.mark.parametrize(
    "attack",
    [
        "fetch(`${url}/stream?question=x`).then(() => 'read', () => 'refused')",
        "fetch(`${url}/complete?question=x`, {mode: 'no-cors'}).then(r => r.type, () => 'refused')",
        "fetch(`${url}/complete`, {method: 'POST', body: '{\"question\":\"x\"}', "
        "headers: {'Content-Type': 'application/json'}}).then(() => 'read', () => 'refused')",
        "fetch(`${url}/complete`, {method: 'POST', mode: 'no-cors', body: '{\"question\":\"x\"}'})"
        ".then(r => r.type, () => 'refused')",
        "new Promise(done => { const source = new EventSource(`${url}/stream?question=x`); "
        "source.onmessage = () => done('read'); source.onerror = () => done('refused'); })",
        "new Promise(done => { const image = new Image(); image.onerror = () => done('refused'); "
        "image.onload = () => done('read'); image.src = `${url}/complete?question=x`; })",
        "new Promise(done => { const frame = document.createElement('iframe'); "
        "frame.name = 'target'; frame.onload = () => done('sent'); document.body.append(frame); "
        "const form = document.createElement('form'); form.method = 'POST'; "
        "form.action = `${url}/kling/v1/images/generations`; form.enctype = 'text/plain'; "
        "form.target = 'target'; document.body.append(form); form.submit(); })",
    ],
    ids=["fetch", "no-cors", "json post", "text post", "EventSource", "img", "form"],
)
def test_a_foreign_page_spends_nothing(app: RunningApp, evil: Page, attack: str) -> None:
    result = evil.evaluate(f"url => {attack}", app.url.replace("127.0.0.1", "localhost"))
    assert result in ("refused", "opaque", "sent")


@pytest.mark.browser
def test_a_name_that_resolves_to_this_machine_spends_nothing(
    app: RunningApp, browser: Browser
) -> None:
    page = browser.new_page()
    address = f"http://rebound.example:{port_of(app)}"
    page.goto(f"{address}/healthz")  # the very origin the layer is on, under a foreign name
    statuses = page.evaluate(
        """async address => Promise.all(['/stream?question=x', '/complete?question=x', '/v1/models']
           .map(path => fetch(address + path).then(reply => reply.status)))""",
        address,
    )
    assert statuses == [403, 403, 403]
    page.close()
