"""No request gets the page's HTML with 200, unless it is for a page; below a base path too."""

import http.client
import json
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urljoin

import pytest

from tests.running_app import RunningApp, free_port, running_app, wait_until_there

NAVIGATION = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8", "Sec-Fetch-Mode": "navigate"}
PAGES = ("", "images", "gallery", "history", "status")
PREFIXES = ("stream", "complete", "v1", "kling", "healthz", "readyz", "openapi.json")
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS")


@dataclass(frozen=True)
class Reply:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def kind(self) -> str:
        return str(self.headers.get("content-type", "")).partition(";")[0]

    @property
    def is_page(self) -> bool:
        return self.kind == "text/html" and b"Streamlit" in self.body


@pytest.fixture(scope="module", params=["", "inkling", "/a/墨灵/"], ids=["root", "one", "two"])
def base(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def app(base: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    environment = {"STREAMLIT_SERVER_BASE_URL_PATH": base} if base else {}
    data_dir = tmp_path_factory.mktemp("never") / "data"
    with running_app(data_dir, environment, port=free_port()) as running:
        wait_until_there(f"{running.url}/readyz", running)
        yield running


@pytest.fixture(params=["kept", "stripped"])
def prefix(request: pytest.FixtureRequest, base: str) -> str:
    """What a proxy leaves before the path: one keeps the base, another strips it."""
    if request.param == "stripped":
        return ""
    return "".join(f"/{part}" for part in base.split("/") if part).replace(
        "墨灵", "%E5%A2%A8%E7%81%B5"
    )


def ask(app: RunningApp, target: str, method: str = "GET", **headers: str) -> Reply:
    """Send a target as it is written: clients tidy paths up."""
    line = http.client.HTTPConnection("127.0.0.1", int(app.url.rpartition(":")[2]), timeout=60)
    try:
        line.putrequest(method, target, skip_accept_encoding=True)
        for name, value in headers.items():
            line.putheader(name.replace("_", "-"), value)
        line.endheaders()
        reply = line.getresponse()
        return Reply(reply.status, reply.headers, reply.read())
    finally:
        line.close()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_a_page(app: RunningApp, prefix: str, name: str) -> None:
    for query in ("", "?c=1"):
        reply = ask(app, f"{prefix}/{name}{query}")
        assert (reply.status, reply.is_page) == (200, True)
    assert ask(app, f"{prefix}/{name}", "HEAD").status == 200
    posted = ask(app, f"{prefix}/{name}", "POST")
    assert (posted.status, posted.headers["allow"], posted.kind) == (
        405,
        "GET, HEAD",
        "application/json",
    )


def test_a_page_with_a_slash_leads_to_the_page(app: RunningApp, prefix: str) -> None:
    for name in PAGES[1:]:
        reply = ask(app, f"{prefix}/{name}/?c=1")
        assert reply.status == 308
        target = urljoin(f"http://outside/sub/path/{name}/?c=1", reply.headers["location"])
        assert target == f"http://outside/sub/path/{name}?c=1"


def test_the_first_page_is_at_the_root_and_its_name_leads_there(
    app: RunningApp, prefix: str
) -> None:
    for path in ("chat", "chat/"):
        reply = ask(app, f"{prefix}/{path}?c=1")
        assert reply.status == 308
        target = urljoin(f"http://outside/sub/path/{path}?c=1", reply.headers["location"])
        assert target == "http://outside/sub/path/?c=1"


def test_the_base_without_its_slash_leads_to_the_first_page(app: RunningApp, base: str) -> None:
    parts = [part for part in base.split("/") if part]
    if not parts:
        return
    path = "/".join(parts).replace("墨灵", "%E5%A2%A8%E7%81%B5")
    reply = ask(app, f"/{path}")
    assert reply.status == 308
    assert urljoin(f"http://outside/{path}", reply.headers["location"]) == f"http://outside/{path}/"


def strange(word: str) -> list[str]:
    """Return ways to write a path around a word that is not the path of that word."""
    return [
        *(f"/{word}/x", f"/{word}//", f"//{word}", f"///{word}", f"/{word}%2f", f"/{word}%2fx"),
        *(f"/./{word}", f"/x/../{word}", f"/{word}/..", f"/{word}/.", f"/{word}/%2e%2e/gallery"),
        *(f"/{word}%5c", f"/%2f{word}", f"/{word.upper()}", f"/{word.title()}", f"/{word}.html"),
        *(
            f"/{word}%00",
            f"/{word}%20",
            f"/{word};x",
            f"/{word}%3Fx",
            f"/x/{word}",
            f"/{word}%252f",
        ),
        *(f"/gallery/../{word}/x", f"/gallery%2f..%2f{word}x", f"/{word}\\x"),
    ]


@pytest.mark.parametrize("word", [*PREFIXES, "chat", "gallery", "status"])
def test_no_other_way_of_writing_it_is_a_page(app: RunningApp, prefix: str, word: str) -> None:
    for target in strange(word):
        reply = ask(app, f"{prefix}{target}")
        assert not reply.is_page, target
        assert reply.status in (308, 400, 404, 405), target
        assert reply.kind == "application/json" or reply.status in (308, 400), target


@pytest.mark.parametrize("word", PREFIXES)
def test_no_path_of_the_http_layer_is_ever_html(app: RunningApp, prefix: str, word: str) -> None:
    for target in (f"/{word}", f"/{word}/", f"/{word}/x", f"/{word}%2fx", f"/{word}?a=%2f"):
        for method in METHODS:
            reply = ask(app, f"{prefix}{target}", method, **{"Accept": NAVIGATION["Accept"]})
            assert reply.kind != "text/html", (method, target)
            assert reply.status < 500


@pytest.mark.parametrize(
    "path",
    [
        *("metric", "health", "livez", "ready", "ping", "robots.txt", ".env", "index.html"),
        *(".well-known/security.txt", "api/v1/users", "wp-login.php", "gallery.json", "x/y/z"),
        *("static/nope.js", "static/", "static/js", "app/static/x", "_stcore/nope", "_stcore"),
        *("component/", "component/x", "media/", "media/x", "history/_stcore/health"),
        *("gallery/static/js/x.js", "auth/nope", "_stcore/health/x", "nope/_stcore/host-config"),
        *("%E5%9B%BE", "inkling/inkling/gallery", "favicon.ico", "page/../metrics"),
    ],
)
def test_what_is_not_there_is_never_html(app: RunningApp, prefix: str, path: str) -> None:
    for method in METHODS:
        reply = ask(app, f"{prefix}/{path}", method)
        if method == "OPTIONS" and reply.status == 204:
            continue  # Streamlit's own reply to a preflight
        assert reply.status in (400, 404, 405), (method, path)
        assert reply.kind in ("application/json", "text/plain"), (method, path)
    if ask(app, f"{prefix}/{path}").kind == "application/json":
        assert "error" in json.loads(ask(app, f"{prefix}/{path}").body)


def test_streamlits_own_files_pass(app: RunningApp, prefix: str) -> None:
    page = ask(app, f"{prefix}/").body.decode()
    script = page.partition('src="./static/js/')[2].partition('"')[0]
    assert ask(app, f"{prefix}/static/js/{script}").kind in (
        "text/javascript",
        "application/javascript",
    )
    assert ask(app, f"{prefix}/favicon.png").kind == "image/png"
    assert ask(app, f"{prefix}/_stcore/health").body == b"ok"
    assert ask(app, f"{prefix}/_stcore/host-config").kind == "application/json"


def test_the_http_layer_answers_below_the_base(app: RunningApp, prefix: str, base: str) -> None:
    assert json.loads(ask(app, f"{prefix}/healthz").body) == {"status": "ok"}
    assert json.loads(ask(app, f"{prefix}/readyz").body)["status"] == "ready"
    assert "error" not in json.loads(ask(app, f"{prefix}/v1/models").body)
    assert ask(app, f"{prefix}/kling/v1/images/generations?pageNum=1&pageSize=1").status == 200
    assert b"event: end" in ask(app, f"{prefix}/stream?question=hi").body
    described = json.loads(ask(app, f"{prefix}/openapi.json").body)
    wanted = "".join(f"/{part}" for part in base.split("/") if part)
    assert described.get("servers", [{"url": ""}])[0]["url"] == wanted.replace(
        "墨灵", "%E5%A2%A8%E7%81%B5"
    )


class Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value or "" for name, value in attrs if name == "href"]


@pytest.mark.parametrize("path", ["galery", "galery/", "a/b", "gallery/x/y", "Status"])
def test_a_person_with_a_mistyped_link_is_led_back(app: RunningApp, prefix: str, path: str) -> None:
    address = f"http://outside/sub/path/{path}"
    for language, words in (("zh-CN,zh;q=0.9", "没有这个页面"), ("en", "no such page")):
        headers = {**NAVIGATION, "Accept-Language": language}
        reply = ask(app, f"{prefix}/{path}", "GET", **headers)
        assert (reply.status, reply.kind, reply.is_page) == (404, "text/html", False)
        assert words in reply.body.decode()
        links = Links()
        links.feed(reply.body.decode())
        assert [urljoin(address, link) for link in links.found] == ["http://outside/sub/path/"]
    fetched = ask(app, f"{prefix}/{path}", "GET", **{**NAVIGATION, "Sec-Fetch-Mode": "cors"})
    assert fetched.kind == "application/json"


def test_a_scraper_that_reads_text_gets_text(app: RunningApp, prefix: str) -> None:
    accept = "application/openmetrics-text;version=1.0.0,text/plain;q=0.5,*/*;q=0.1"
    reply = ask(app, f"{prefix}/metrics", "GET", Accept=accept)
    assert (reply.status, reply.kind) == (200, "text/plain")


def test_nothing_of_it_is_an_error_in_the_log(app: RunningApp, tmp_path: Path) -> None:
    assert "Traceback" not in app.log.read_text()
