"""Files in the chat box, in a real browser on a phone: taken, told, asked with, folded."""

import io
import re
from collections.abc import Iterator

import pytest
from PIL import Image
from playwright.sync_api import Browser, FilePayload, Page, expect

from tests.browser.journeys import PATIENCE_MS
from tests.running_app import RunningApp, running_app
from tests.unit.attachments.files import drawn, ole, pdf

pytestmark = pytest.mark.browser
INPUT = '[data-testid="stChatInputFileUploadButton"] input[type="file"]'
TRAY = ".st-key-attached"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    with running_app(tmp_path_factory.mktemp("attached") / "data") as running:
        yield running


@pytest.fixture
def page(browser: Browser, app: RunningApp) -> Iterator[Page]:
    context = browser.new_context(locale="zh-CN", viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.goto(f"{app.url}/chat")
    yield page
    context.close()


def payload(name: str, content: bytes) -> FilePayload:
    return {"name": name, "mimeType": "application/octet-stream", "buffer": content}


def red_picture() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (320, 200), (205, 40, 40)).save(out, "PNG")
    return out.getvalue()


def choose(page: Page, *files: FilePayload) -> None:
    page.locator(INPUT).set_input_files(list(files))
    for file in files:
        expect(page.get_by_text(file["name"]).first).to_be_visible()


def send(page: Page, words: str) -> None:
    box = page.get_by_test_id("stChatInputTextArea")
    box.fill(words)
    # While files are on their way Streamlit's box sends nothing, and says nothing.
    expect(page.get_by_role("button", name="发送")).to_be_enabled(timeout=PATIENCE_MS)
    expect(page.get_by_test_id("stChatInput").get_by_role("progressbar")).to_have_count(0)
    box.press("Enter")


def answer(page: Page, number: int = 0) -> str:
    said = page.get_by_test_id("stChatMessage").nth(2 * number + 1)
    expect(said.locator('[class*="st-key-again-"]')).to_be_visible(timeout=PATIENCE_MS)
    return said.inner_text()


def test_files_go_with_a_question_and_are_folded_under_it(page: Page) -> None:
    choose(
        page,
        payload("report.pdf", pdf([drawn("The total is 4711")])),
        payload("城市.txt", "杭州、苏州、绍兴".encode("gb18030")),
        payload("red.png", red_picture()),
    )
    send(page, "请总结这些文件")
    told = answer(page)
    assert "4711" in told
    assert "杭州、苏州、绍兴" in told
    assert re.search(r"320 × 200，主要是红色", told)
    question = page.get_by_test_id("stChatMessage").first
    expect(question.get_by_role("img", name="red.png")).to_be_visible()
    expect(page.locator(TRAY).get_by_role("button")).to_have_count(0)
    expect(question.get_by_text("The total is 4711")).to_have_count(0)  # folded: not even sent
    question.get_by_text(re.compile(r"report\.pdf · 约 \d+ 个 token")).click()
    expect(question.get_by_text("The total is 4711")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.reload()
    expect(page.get_by_role("img", name="red.png")).to_be_visible(timeout=PATIENCE_MS)


def test_what_cannot_be_read_is_told_and_nothing_is_asked(page: Page) -> None:
    choose(page, payload("locked.xlsx", ole("EncryptedPackage")), payload("a.txt", b"one word"))
    send(page, "里面写了什么")
    expect(page.get_by_text("locked.xlsx 有密码保护")).to_be_visible(timeout=PATIENCE_MS)
    expect(page.get_by_test_id("stChatInputTextArea")).to_have_value("里面写了什么")
    expect(page.get_by_test_id("stChatMessage")).to_have_count(0)
    waiting = page.locator(TRAY).get_by_role("button", name=re.compile("a.txt"))
    expect(waiting).to_be_visible()
    page.get_by_test_id("stChatInputTextArea").press("Enter")
    assert "one word" in answer(page)
    expect(page.get_by_text("locked.xlsx")).to_have_count(0)


def test_files_alone_wait_and_can_be_taken_away(page: Page) -> None:
    choose(page, payload("a.txt", b"first"), payload("b.txt", b"second"))
    page.get_by_test_id("stChatInputSubmitButton").click()
    tray = page.locator(TRAY)
    expect(tray.get_by_role("button")).to_have_count(2, timeout=PATIENCE_MS)
    expect(tray).to_contain_text(re.compile(r"附件约 \d+ 个 token"))
    tray.get_by_role("button", name=re.compile("a.txt")).click()
    expect(tray.get_by_role("button")).to_have_count(1)
    send(page, "说说看")
    told = answer(page)
    assert "second" in told
    assert "first" not in told


def test_more_than_ten_files_are_told_of(page: Page) -> None:
    files = [payload(f"{number}.txt", b"words") for number in range(12)]
    page.locator(INPUT).set_input_files(files)
    expect(page.get_by_text("11.txt")).to_be_visible()
    send(page, "都看看")
    expect(page.get_by_text("一个问题最多附 10 个文件")).to_be_visible(timeout=PATIENCE_MS)
    expect(page.locator(TRAY).get_by_role("button")).to_have_count(10)
    # However many wait, the box and the first words of the page stay in sight.
    box = page.locator(TRAY).bounding_box()
    assert box is not None
    assert box["height"] <= 844 * 0.25


def test_a_model_that_does_not_see_is_told_before_anything_is_sent(page: Page) -> None:
    model = page.get_by_role("combobox").first
    model.click()
    page.get_by_role("option", name="deepseek-v4-pro").click()
    choose(page, payload("red.png", red_picture()))
    send(page, "这是什么颜色")
    expect(page.get_by_text("deepseek-v4-pro 看不了图片").first).to_be_visible(timeout=PATIENCE_MS)
    expect(page.get_by_test_id("stChatInputTextArea")).to_have_value("这是什么颜色")
    expect(page.get_by_test_id("stChatMessage")).to_have_count(0)
    page.get_by_role("combobox").first.click()
    page.get_by_role("option", name="deepseek-flash").click()
    expect(page.get_by_text("看不了图片")).to_have_count(0)
    page.get_by_test_id("stChatInputTextArea").press("Enter")
    assert "红色" in answer(page)
