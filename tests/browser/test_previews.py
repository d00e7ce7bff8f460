"""Previews of what a model wrote, in a real browser: they are drawn, and nothing gets out.

A listener of our own takes every connection and datagram: what a browser looks up before a policy
refuses it counts as well.
"""

import re
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, FrameLocator, Locator, Page, expect

from tests.browser.journeys import PATIENCE_MS, wait_until
from tests.running_app import RunningApp, running_app
from tests.upstream import Plan, Upstream, completion, streamed
from tests.upstream import Step as UpstreamStep

pytestmark = pytest.mark.browser
A_PAGE = 12  # blocks of an answer that can be shown


class Outside:
    """Someone elsewhere: notes whoever comes, by TCP or UDP."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self._tcp = socket.create_server(("127.0.0.1", 0))
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._udp.bind(("127.0.0.1", 0))
        self.port: int = self._tcp.getsockname()[1]
        self.udp_port: int = self._udp.getsockname()[1]
        self._threads = [threading.Thread(target=one) for one in (self._take, self._receive)]
        for thread in self._threads:
            thread.start()

    def _take(self) -> None:
        while True:
            line, _ = self._tcp.accept()
            with line:
                line.settimeout(5)
                try:
                    words = line.recv(200).decode("latin-1")
                except OSError:
                    words = ""
            if words == "over":
                return
            self.heard.append(words or "connected")

    def _receive(self) -> None:
        while (datagram := self._udp.recv(2000)) != b"over":
            self.heard.append(f"datagram {datagram[:20]!r}")

    def close(self) -> None:
        """End both threads."""
        self._udp.sendto(b"over", self._udp.getsockname())
        with socket.create_connection(("127.0.0.1", self.port)) as line:
            line.sendall(b"over")
        for thread in self._threads:
            thread.join(60)
        self._tcp.close()
        self._udp.close()


def hostile(outside: Outside) -> dict[str, str]:
    """Return ways of HTML to ask for something elsewhere, by name."""
    at = f"http://127.0.0.1:{outside.port}"
    stun = f"stun:127.0.0.1:{outside.udp_port}"
    turn = f"turn:127.0.0.1:{outside.port}?transport=tcp"
    peer = "c=new RTCPeerConnection({iceServers:[{urls:'%s',username:'a',credential:'b'}]});"
    offer = "c.createDataChannel('a');c.createOffer().then(o=>c.setLocalDescription(o))"
    call = "<script>%s</script>"
    return {
        "picture": f"<img src={at}/a><img srcset='{at}/b 1x'><input type=image src={at}/c>",
        "no scheme": f"<img src='//127.0.0.1:{outside.port}/a'>",
        "spaces": f"<img src='\n\t {at}/a'><iframe src=' \n{at}/b'></iframe>",
        "styles": f"<style>@import url({at}/a);body{{background:url({at}/b)}}</style>"
        f"<p style='background:url({at}/c)'>x</p>",
        "font": f"<style>@font-face{{font-family:q;src:url({at}/a)}}p{{font-family:q}}</style>",
        "links": f"<link rel=stylesheet href={at}/a><link rel=icon href={at}/b>"
        f"<link rel=manifest href={at}/c>",
        "early": f"<link rel=preconnect href={at}/><link rel=dns-prefetch href={at}/>"
        f"<link rel=prefetch href={at}/a><link rel=preload as=image href={at}/b>"
        f"<link rel=modulepreload href={at}/c>",
        "script": f"<script src={at}/a></script><script type=module src={at}/b></script>",
        "fetch": call % f"fetch('{at}/a',{{mode:'no-cors'}});navigator.sendBeacon('{at}/b')",
        "events": f"<img src=x: onerror=\"fetch('{at}/a')\"><body onload=\"fetch('{at}/b')\">"
        f"<svg onload=\"fetch('{at}/c')\"></svg><details open ontoggle=\"fetch('{at}/d')\">",
        "peer": call % (peer % stun + offer) + call % (peer % turn + offer),
        "peer in a frame": f'<iframe srcdoc="{call % (peer % stun + offer)}"></iframe>',
        "leaves": call % f"location='{at}/a'",
        "refresh": f"<meta http-equiv=refresh content='0;url={at}/a'>",
        "above": call % f"top.location='{at}/a';parent.location='{at}/b'",
        "window": call % f"open('{at}/a')",
        "frames": f"<iframe src={at}/a></iframe><frameset><frame src={at}/b></frameset>",
        "objects": f"<object data={at}/a></object><embed src={at}/b><applet code={at}/c></applet>",
        "form": f"<form id=f action={at}/a></form>" + call % "f.submit()",
        "media": f"<video autoplay src={at}/a poster={at}/b></video>"
        f"<audio autoplay src={at}/c></audio><video><source src={at}/d></video>",
        "base": f"<base href={at}/><img src=a><link rel=stylesheet href=b>",
        "drawing": f"<svg><image href={at}/a /><use href='{at}/b#c'/>"
        f"<image xlink:href={at}/d /><feImage href={at}/e /></svg>",
        "animated": f"<svg><image><set attributeName=href to={at}/a /></image>"
        f"<a><animate attributeName=href values={at}/b /></a></svg>",
        "click by itself": f"<a id=a href={at}/a ping={at}/b>x</a>" + call % "a.click()",
        "speculation": "<script type=speculationrules>"
        f'{{"prefetch":[{{"source":"list","urls":["{at}/a"]}}]}}</script>',
        "no script": f"<noscript><img src={at}/a><iframe src={at}/b></iframe></noscript>",
        "template": f"<div><template shadowrootmode=open><iframe src={at}/a></iframe>"
        "</template></div>",
        "mutation": f"<svg></p><style><a id='</style><iframe src={at}/a></iframe>'></svg>"
        f"<math><mtext><table><mglyph><style><!--</style><iframe src={at}/b></iframe>",
        "own policy": f"<meta http-equiv=Content-Security-Policy content=\"img-src 'none'; "
        f'report-uri {at}/a"><img src=data:,x>',
        "blob": call % f"location=URL.createObjectURL(new Blob(['<img src={at}/a>']))",
        "javascript:": f"<iframe src=\"javascript:fetch('{at}/a')\"></iframe>",
        "old": f"<body background={at}/a><table background={at}/b><tr><td>x</table>",
    }


def block(language: str, source: str) -> str:
    return f"```{language}\n{source}\n```\n"


@pytest.fixture(scope="module")
def outside() -> Iterator[Outside]:
    one = Outside()
    yield one
    one.close()


@pytest.fixture(scope="module")
def answers(outside: Outside) -> dict[str, str]:
    """Answers by their questions."""
    ways = list(hostile(outside).values())
    told = {
        f"hostile {start // A_PAGE}": "\n".join(
            block("html", f"<p>drawn {number}</p>{way}<p>whole</p>")
            for number, way in enumerate(ways[start : start + A_PAGE], start)
        )
        for start in range(0, len(ways), A_PAGE)
    }
    at = f"http://127.0.0.1:{outside.port}"
    told["pictures"] = block(
        "svg", '<svg viewBox="0 0 40 20" width="40" height="20"><rect width="9" height="9"/></svg>'
    ) + block(
        "xml",
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><image href="{at}/a"/>'
        f'<script href="{at}/b"/><script>fetch("{at}/c")</script><style>@import "{at}/d";</style>'
        f'<foreignObject><iframe xmlns="http://www.w3.org/1999/xhtml" src="{at}/e"/>'
        "</foreignObject></svg>",
    )
    told["broken"] = block("svg", "<svg><g>") + block("json", '{\n "a": 1,\n}')
    told["data"] = block("json", '{"studio": {"name": "墨灵", "rooms": [1, 2]}}') + block(
        "json", "[" * 9000 + "]" * 9000
    )
    told["none"] = block("python", "print('hi')") + "text"
    return told


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory, answers: dict[str, str]) -> Iterator[RunningApp]:
    def plan(body: dict[str, Any]) -> Plan:
        if not body.get("stream"):
            yield UpstreamStep(0, completion("Title"))
            return
        yield from streamed([answers[body["messages"][-1]["content"]]], 0)

    with Upstream(plan) as upstream:
        settings = {"DEEPSEEK_API_URL": upstream.url, "DEEPSEEK_API_KEY": "sk-0123456789abcdef"}
        with running_app(tmp_path_factory.mktemp("previews") / "data", settings) as running:
            yield running


@pytest.fixture
def page(browser: Browser, app: RunningApp) -> Iterator[Page]:
    with browser.new_context(locale="en-US", viewport={"width": 390, "height": 844}) as context:
        one = context.new_page()
        one.goto(app.url)
        yield one


def ask(page: Page, question: str) -> None:
    box = page.get_by_test_id("stChatInputTextArea")
    box.fill(question)
    box.press("Enter")


def preview(page: Page, question: str) -> Locator:
    """Ask, and open the previews of the answer."""
    ask(page, question)
    button = page.get_by_role("button", name="Preview", exact=True)
    expect(button).to_be_visible(timeout=PATIENCE_MS)
    button.click()
    return page.locator('[class*="st-key-previews-"]')


def frames(page: Page, shown: Locator, count: int) -> list[FrameLocator]:
    expect(shown.locator("iframe")).to_have_count(count, timeout=PATIENCE_MS)
    found = shown.locator("iframe")
    for number in range(count):  # those out of sight are loaded late
        found.nth(number).scroll_into_view_if_needed()
    return [found.nth(number).content_frame for number in range(count)]


@pytest.mark.parametrize("part", range(3))
def test_nothing_that_a_page_holds_gets_out(page: Page, outside: Outside, part: int) -> None:
    ways = list(hostile(outside))
    assert 2 * A_PAGE < len(ways) <= 3 * A_PAGE
    names = ways[part * A_PAGE : (part + 1) * A_PAGE]
    outside.heard.clear()
    shown = preview(page, f"hostile {part}")
    for place, frame in enumerate(frames(page, shown, len(names)), part * A_PAGE):
        expect(frame.get_by_text(f"drawn {place}", exact=True)).to_be_attached()
        for link in frame.locator("a").all():
            link.dispatch_event("click")
    # Whatever was asked for came before this, which is asked for now.
    last = f"http://127.0.0.1:{outside.port}/last"
    page.evaluate("address => fetch(address, {mode: 'no-cors'}).catch(() => {})", last)
    wait_until(page, lambda: any("/last" in words for words in outside.heard), "the last")
    heard = [words.partition("\r\n")[0] for words in outside.heard]
    assert heard == ["GET /last HTTP/1.1"], names
    assert page.context.pages == [page]


def test_frames_have_no_rights_and_stay_in_a_rerun(page: Page) -> None:
    shown = preview(page, "hostile 0")
    first = frames(page, shown, A_PAGE)[0]
    expect(first.get_by_text("drawn 0", exact=True)).to_be_attached()
    assert shown.locator("iframe").evaluate_all(
        "all => all.every(f => f.getAttribute('sandbox') === '' && f.contentDocument === null)"
    )
    shown.locator("iframe").first.evaluate("frame => frame.dataset.seen = 'before'")
    ask(page, "none")
    expect(page.get_by_test_id("stChatMessage")).to_have_count(4, timeout=PATIENCE_MS)
    expect(page.get_by_role("button", name="Preview", exact=True)).to_have_count(0)
    expect(shown.locator('iframe[data-seen="before"]')).to_have_count(1)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("button", name="Close preview").click()
    expect(page.locator("iframe")).to_have_count(0)


def test_pictures_are_drawn_as_pictures(page: Page, outside: Outside) -> None:
    outside.heard.clear()
    shown = preview(page, "pictures")
    images = shown.locator("img[data-preview=svg]")
    expect(images).to_have_count(2, timeout=PATIENCE_MS)
    page.wait_for_function(
        "[...document.querySelectorAll('img[data-preview]')].every(i => i.naturalWidth)"
    )
    expect(images.first).to_have_attribute("alt", re.compile("Block 1"))
    assert outside.heard == []


def test_what_cannot_be_shown_is_told(page: Page) -> None:
    shown = preview(page, "broken")
    expect(shown.get_by_text("This SVG cannot be drawn")).to_be_visible(timeout=PATIENCE_MS)
    expect(shown.get_by_text("This is not valid JSON: line 3, column 1.")).to_be_visible()


def test_json_is_shown_as_a_tree(page: Page) -> None:
    shown = preview(page, "data")
    expect(shown.get_by_test_id("stJson")).to_be_visible(timeout=PATIENCE_MS)
    expect(shown.get_by_text("墨灵")).to_be_visible()
    expect(shown.get_by_text("nested too deeply")).to_be_visible()
