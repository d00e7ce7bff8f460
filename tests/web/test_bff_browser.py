"""A browser against the layer: its EventSource over a line that breaks, OpenAI's client's fetch."""

import functools
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.browser.chromium import launched
from tests.browser.journeys import PATIENCE_MS
from tests.upstream import Plan, Upstream, streamed
from tests.web.cutting_proxy import CuttingProxy
from tests.web.serving import serving

PIECES = [f"第{number}片，" for number in range(120)]

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with sync_playwright() as playwright, launched(playwright) as chromium:
        yield chromium.new_page()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="module")
def pages() -> Iterator[str]:
    """Where the front end is served: another port of this machine."""
    handler = functools.partial(_Quiet, directory=str(Path(__file__).parent / "pages"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://localhost:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    "cuts",
    [[], [900], [b"retry: 1000\n\n"], [1500, 700, 1], [2000, 333]],
    ids=["whole", "once", "before text", "thrice", "twice"],
)
def test_the_whole_text_comes_once_from_one_upstream_request(
    tmp_path: Path, page: Page, pages: str, cuts: list[int | bytes]
) -> None:
    def plan(_body: dict[str, Any]) -> Plan:
        return streamed(PIECES, 0.01)

    with (
        Upstream(plan) as upstream,
        serving(tmp_path, chat_url=upstream.url) as served,
        CuttingProxy(served.port, cuts) as proxy,
    ):
        query = urlencode({"proxy": f"http://localhost:{proxy.port}", "question": "讲个故事"})
        page.goto(f"{pages}/stream.html?{query}")
        expect(page.locator("#state")).to_have_text("done", timeout=PATIENCE_MS)
        assert page.locator("#text").text_content() == "".join(PIECES)
        assert proxy.cuts_made == len(cuts)
        assert len(upstream.exchanges) == 1
        assert len(served.studio.store.conversations.list("local").items) == 1


# What openai 6.49 for JavaScript sends from a page of Chromium, beside what the browser adds.
CLIENT_HEADERS = {
    "Accept": "application/json",
    "Authorization": "Bearer any",
    "Content-Type": "application/json",
    "X-Stainless-Arch": "unknown",
    "X-Stainless-Helper-Method": "stream",
    "X-Stainless-Lang": "js",
    "X-Stainless-OS": "Unknown",
    "X-Stainless-Package-Version": "6.49.0",
    "X-Stainless-Retry-Count": "0",
    "X-Stainless-Runtime": "browser:chrome",
    "X-Stainless-Runtime-Version": "140.0.0",
    "X-Stainless-Timeout": "600",
    "Idempotency-Key": "one",
}
_ASK = """async ([url, headers, body]) => {
    const reply = await fetch(url, {method: 'POST', headers, body: JSON.stringify(body)});
    return [reply.status, reply.headers.get('x-request-id'), await reply.text()];
}"""


def test_the_official_clients_requests_go_through_from_another_origin(
    tmp_path: Path, page: Page, pages: str
) -> None:
    chat = {"model": "deepseek-flash", "messages": [{"role": "user", "content": "hello"}]}
    calls: list[tuple[str, object, int]] = [
        ("chat/completions", chat | {"stream": True}, 200),
        ("chat/completions", {"model": "deepseek-flash", "messages": []}, 400),
        ("responses", {"model": "deepseek-flash", "input": "hello"}, 200),
        ("images/generations", {"prompt": ""}, 400),
        ("no-such-path", {}, 404),
    ]
    with serving(tmp_path) as served:
        page.goto(f"{pages}/stream.html")
        for path, body, expected in calls:
            url = f"http://127.0.0.1:{served.port}/v1/{path}"
            status, request_id, text = page.evaluate(_ASK, [url, CLIENT_HEADERS, body])
            assert (status, request_id[:4]) == (expected, "req_"), text
