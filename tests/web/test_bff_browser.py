"""A browser's own EventSource against the layer, over a line that breaks."""

import functools
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.browser.conftest import CHROMIUM, FLAGS
from tests.upstream import Plan, Upstream, streamed
from tests.web.cutting_proxy import CuttingProxy
from tests.web.serving import serving

PIECES = [f"第{number}片，" for number in range(120)]
PATIENCE_MS = 30_000

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    if not Path(CHROMIUM).exists():
        pytest.skip("Chromium is not installed (apt-get install chromium)")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium.new_page()
        chromium.close()


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
