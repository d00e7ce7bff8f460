"""Voice in a real browser: an answer is heard while it is still written, stops at once, is kept.

One studio and one browser for all of it; the voice and the ear are practice's.
"""

import json
import re
import struct
import threading
import wave
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, Playwright, expect

from core.practice.server import PracticeServer
from core.practice.settings import PRACTICE_SPEECH_KEY, PracticeSettings
from core.practice.speech.server import heard
from core.practice.speech.voice import tones
from core.wire.audio import RATE
from tests.browser.chromium import launched
from tests.browser.journeys import PATIENCE_MS
from tests.running_app import RunningApp, running_app
from tests.waiting import PATIENCE_S, until

# Written slowly: long after the first sentence was heard.
LONG = "/practice slow 120 写 2000 字，关于砚台与墨的历史"
LEVEL = "window[Symbol.for('inkling.reading')].level()"
READ = ".inkling-read button"
BAR = ".inkling-reading"

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def practice() -> Iterator[PracticeServer]:
    with PracticeServer(settings=PracticeSettings(voice_pace=4.0)) as server:
        yield server


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory, practice: PracticeServer) -> Iterator[RunningApp]:
    environment = {
        "SPEECH_API_URL": practice.origin,
        "SPEECH_API_KEY": PRACTICE_SPEECH_KEY,
        "TRANSCRIBE_API_URL": practice.origin,
    }
    with running_app(tmp_path_factory.mktemp("voice") / "data", environment) as running:
        yield running


@pytest.fixture(scope="module")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    ears = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
    with launched(playwright, *ears) as running:
        yield running


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    made = chromium.new_context(locale="zh-CN", viewport={"width": 1366, "height": 850})
    yield made
    made.close()


@pytest.fixture
def page(context: BrowserContext, app: RunningApp) -> Page:
    page = context.new_page()
    page.goto(app.url)
    expect(page.get_by_test_id("stChatInputTextArea")).to_be_visible(timeout=PATIENCE_MS)
    return page


def ask(page: Page, question: str) -> None:
    box = page.get_by_test_id("stChatInputTextArea")
    box.fill(question)
    box.press("Enter")


def falls_silent(page: Page) -> None:
    """At once: within a second of the page's own frames, which come later on a busy machine."""
    assert page.evaluate(f"""async () => {{
        for (let frame = 0; frame < 60; frame++) {{
            if ({LEVEL} < 0.001) return true;
            await new Promise(requestAnimationFrame);
        }}
        return false;
    }}""")


def test_an_answer_is_heard_while_it_is_written_and_stop_is_silent(
    page: Page, practice: PracticeServer
) -> None:
    ask(page, LONG)
    page.locator(READ).click(timeout=PATIENCE_MS)
    page.wait_for_function(f"{LEVEL} > 0.02", timeout=PATIENCE_MS)
    # It is still being written: Stop stands on the chat box.
    assert page.locator(".st-key-stop-answer").is_visible()
    assert practice.speech_book[0].by == "server"
    expect(page.locator(f"{BAR} .words")).to_have_text("正在朗读")
    # Some seconds on, over whatever Streamlit draws anew meanwhile.
    page.wait_for_function(
        "() => { const player = window[Symbol.for('inkling.reading')];"
        " return player.heard.length > 20 && player.level() > 0.02 }",
        timeout=PATIENCE_MS,
    )
    page.locator(f"{BAR} .stop").click()
    falls_silent(page)
    until(lambda: practice.counters.voices_open == 0, "the voice is closed upstream")
    # What was heard can be kept, as a file that others read.
    with page.expect_download(timeout=PATIENCE_MS) as waiting:
        page.locator(f"{BAR} .save").click()
    with wave.open(str(waiting.value.path())) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (24_000, 1, 2)
        assert any(file.readframes(file.getnframes()))
    page.locator(".st-key-stop-answer button").click(timeout=PATIENCE_MS)
    # Ended now: the same button reads the answer that stands in the history, and ends it too.
    expect(page.locator(".st-key-stop-answer")).to_have_count(0, timeout=PATIENCE_MS)
    page.locator(READ).click()
    page.wait_for_function(f"{LEVEL} > 0.02", timeout=PATIENCE_MS)
    page.locator(READ).click()
    falls_silent(page)


def test_a_refusal_of_the_voice_is_told_where_it_was_to_be_heard(
    page: Page, practice: PracticeServer, context: BrowserContext
) -> None:
    ask(page, "介绍一下这个应用")
    read = page.locator(READ)
    expect(page.get_by_text("重新回答")).to_be_visible(timeout=PATIENCE_MS)
    context.route(
        "**/speech/read**", lambda route: route.fulfill(status=403, json={"error": "不行"})
    )
    read.click()
    expect(page.locator(f"{BAR}.error .words")).to_have_text("不行")
    page.locator(f"{BAR} .stop").click()
    expect(page.locator(BAR)).to_be_hidden()
    context.unroute("**/speech/read**")


def frames(seconds: float, last: bytes) -> bytes:
    """Return what our route sends: so much sound in frames of a fifth of a second, and an end."""
    fifth = tones("好" * 40)[: 2 * RATE // 5]
    frame = b"s" + struct.pack("<I", len(fifth)) + fifth
    return frame * round(5 * seconds) + last


def answered(page: Page) -> Locator:
    ask(page, "介绍一下这个应用")
    expect(page.get_by_text("重新回答")).to_be_visible(timeout=PATIENCE_MS)
    return page.locator(READ)


def test_the_sound_ends_with_an_error(page: Page, context: BrowserContext) -> None:
    read = answered(page)
    told = json.dumps({"sentence": "断了", "again": False}).encode()
    body = frames(3, b"e" + struct.pack("<I", len(told)) + told)
    context.route("**/speech/read**", lambda route: route.fulfill(status=200, body=body))
    read.click()
    expect(page.locator(f"{BAR}.error .words")).to_have_text("断了")
    falls_silent(page)
    # For longer than the sound that came would have lasted.
    loudest = page.evaluate(f"""async () => {{
        const player = window[Symbol.for("inkling.reading")];
        const until = player.context.currentTime + 3.2;
        let loudest = 0;
        while (player.context.currentTime < until) {{
            await new Promise((wait) => setTimeout(wait, 20));
            loudest = Math.max(loudest, {LEVEL});
        }}
        return loudest;
    }}""")
    assert loudest < 0.001
    page.locator(f"{BAR} .stop").click()
    expect(page.locator(BAR)).to_be_hidden()
    context.unroute("**/speech/read**")


def test_no_more_sound_is_taken_than_is_about_to_be_heard(
    page: Page, context: BrowserContext
) -> None:
    read = answered(page)
    body = frames(90, b"." + struct.pack("<I", 0))
    context.route("**/speech/read**", lambda route: route.fulfill(status=200, body=body))
    read.click()
    page.wait_for_function(f"{LEVEL} > 0.02", timeout=PATIENCE_MS)
    player = "window[Symbol.for('inkling.reading')]"
    page.wait_for_function(f"{player}.context.currentTime > 3 || !{player}.isOn")
    assert page.evaluate(f"{player}.isOn")
    assert page.evaluate(f"{player}.next - {player}.context.currentTime") < 12
    page.locator(f"{BAR} .stop").click()
    falls_silent(page)
    context.unroute("**/speech/read**")


def test_what_was_said_is_put_into_the_box_to_be_read_before_it_is_asked(page: Page) -> None:
    page.get_by_test_id("stChatInputMicButton").click(timeout=PATIENCE_MS)
    page.wait_for_timeout(1_200)  # what is said takes its time
    page.get_by_test_id("stChatInputApproveButton").click()
    box = page.get_by_test_id("stChatInputTextArea")
    expect(box).to_have_value(re.compile("练习：听到一段 .* 秒的录音。"), timeout=PATIENCE_MS)
    assert page.get_by_test_id("stChatMessage").count() == 0


def test_what_was_said_comes_into_its_box_whatever_is_done_meanwhile(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_write, is_heard = threading.Event(), threading.Event()

    def slowly(recording: bytes) -> str:
        is_heard.set()
        may_write.wait(PATIENCE_S)
        return heard(recording)

    monkeypatch.setattr("core.practice.speech.server.heard", slowly)
    box = page.get_by_test_id("stChatInputTextArea")
    box.fill("写过的：", timeout=PATIENCE_MS)
    page.get_by_test_id("stChatInputMicButton").click(timeout=PATIENCE_MS)
    page.wait_for_timeout(1_200)  # what is said takes its time
    page.get_by_test_id("stChatInputApproveButton").click()
    assert is_heard.wait(PATIENCE_S)
    # Typed now, it would be lost for the words that come.
    expect(box).to_be_disabled(timeout=PATIENCE_MS)
    expect(box).to_have_attribute("placeholder", re.compile("写成文字"))
    pages = page.get_by_test_id("stSidebarNavItems")
    pages.get_by_role("link", name="历史").click()
    expect(page.get_by_role("heading", name="历史")).to_be_visible(timeout=PATIENCE_MS)
    pages.get_by_role("link", name="对话").click()
    expect(box).to_be_disabled(timeout=PATIENCE_MS)
    page.get_by_text("联网", exact=True).click()
    may_write.set()
    expect(box).to_have_value(
        re.compile("写过的： 练习：听到一段 .* 秒的录音。"), timeout=PATIENCE_MS
    )
    expect(box).to_be_enabled()
    expect(page.get_by_role("switch", name="联网")).to_be_checked()


def test_where_there_is_no_microphone_the_page_says_why(
    context: BrowserContext, app: RunningApp, page: Page
) -> None:
    lack = page.locator(".inkling-no-microphone")
    expect(lack).to_have_count(1, timeout=PATIENCE_MS)
    expect(lack).to_be_hidden()
    # What plain http under another name is like: a browser gives such a page none.
    context.add_init_script("Object.defineProperty(navigator, 'mediaDevices', {value: undefined})")
    page.reload()
    expect(lack).to_be_visible(timeout=PATIENCE_MS)
