"""What a hand does on the chat page: copy, stop, go on writing, edit, delete, find, by few clicks.

One studio and one browser for all of it; journeys count clicks and keys.
"""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Locator,
    Page,
    Playwright,
    ViewportSize,
    expect,
)

from tests.browser.chromium import launched
from tests.browser.journeys import PATIENCE_MS, Journey, await_scripts
from tests.running_app import RunningApp, running_app

# Plain http under a name that is not the machine's own: a browser gives such a page no clipboard.
ELSEWHERE = "studio.test"
QUESTION = "介绍一下这个应用"
# Writes into the chat box in the moment in which it comes, before any script of ours does.
EARLY = """new MutationObserver((_, watcher) => {
    const box = document.querySelector('[data-testid="stChatInputTextArea"]')
    if (!box) return
    watcher.disconnect()
    const { set } = Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, "value")
    set.call(box, "写得很早")
    box.dispatchEvent(new Event("input", { bubbles: true }))
}).observe(document, { childList: true, subtree: true })"""
# Written so slowly that it is not over before it is stopped.
LONG = "/practice slow 200 写 2000 字，关于砚台与墨的历史"

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    """A studio in practice mode."""
    with running_app(tmp_path_factory.mktemp("hands")) as running:
        yield running


@pytest.fixture(scope="module")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    rule = f"--host-resolver-rules=MAP {ELSEWHERE} 127.0.0.1"
    with launched(playwright, rule) as running:
        yield running


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    made = chromium.new_context(locale="zh-CN", viewport={"width": 1366, "height": 850})
    made.grant_permissions(["clipboard-read", "clipboard-write"])
    yield made
    made.close()


@pytest.fixture
def page(context: BrowserContext, app: RunningApp) -> Page:
    page = context.new_page()
    page.goto(app.url)
    expect(box(page)).to_be_focused(timeout=PATIENCE_MS)
    await_scripts(page, "composer", "copying", "shortcuts")
    return page


def box(page: Page) -> Locator:
    return page.get_by_test_id("stChatInputTextArea")


def answers(page: Page) -> Locator:
    return page.get_by_role("button", name="复制这个回答")


def stop(page: Page) -> Locator:
    return page.get_by_role("button", name="停止")


def ask(page: Page, question: str = QUESTION) -> None:
    before = answers(page).count()
    box(page).fill(question)
    box(page).press("Enter")
    expect(answers(page)).to_have_count(before + 1, timeout=PATIENCE_MS)


def clipboard(page: Page) -> str:
    return str(page.evaluate("navigator.clipboard.readText()"))


def test_an_answer_is_copied_by_one_click_as_markdown_or_as_text(page: Page) -> None:
    with Journey(page, "copy an answer") as one:
        ask(page, "用 Python 写一个带退避的重试函数，并解释")
        one.click(answers(page).last)
        one.see(page.locator("button.done"))
        assert one.clicks == 1
    assert "```python" in clipboard(page)
    with Journey(page, "copy an answer as plain text") as one:
        one.click(page.get_by_role("button", name="改为复制纯文本"))
        assert one.clicks == 1
    text = clipboard(page)
    assert "```" not in text
    assert "def " in text
    with Journey(page, "copy the last answer by key") as one:
        one.press("Alt+KeyC")
        assert (one.clicks, one.keys) == (0, 1)
    assert "```python" in clipboard(page)


def test_a_phone_in_the_home_network_copies_by_one_tap_too(
    chromium: Browser, app: RunningApp
) -> None:
    size: ViewportSize = {"width": 390, "height": 844}
    phone = chromium.new_context(locale="zh-CN", viewport=size, has_touch=True, is_mobile=True)
    page = phone.new_page()
    page.goto(app.url.replace("127.0.0.1", ELSEWHERE))
    expect(box(page)).to_be_visible(timeout=PATIENCE_MS)
    assert not page.evaluate("window.isSecureContext")
    ask(page, "用 Python 写一个带退避的重试函数，并解释")
    answers(page).last.click()
    expect(page.locator("button.done")).to_be_visible()
    box(page).click()
    page.keyboard.press("Control+v")
    expect(box(page)).to_have_value(re.compile("```python"))
    box(page).fill("")
    code = page.get_by_test_id("stChatMessage").get_by_test_id("stCode").first
    code.get_by_role("button").first.click()
    box(page).click()
    page.keyboard.press("Control+v")
    expect(box(page)).to_have_value(re.compile(r"^(?!```)[\s\S]*def "))
    phone.close()


def test_esc_stops_while_the_next_question_is_typed(page: Page) -> None:
    box(page).fill(LONG)
    box(page).press("Enter")
    expect(stop(page)).to_be_visible(timeout=PATIENCE_MS)
    with Journey(page, "stop an answer") as one:
        one.write("下一个问题")
        page.keyboard.press("Enter")  # is not lost, and sends nothing yet
        expect(box(page)).to_have_value("下一个问题")
        one.press("Escape")
        expect(stop(page)).to_have_count(0, timeout=PATIENCE_MS)
        assert (one.clicks, one.keys) == (0, 1)
    expect(page.get_by_text("已停止")).to_be_visible(timeout=PATIENCE_MS)
    expect(box(page)).to_be_focused()
    expect(box(page)).to_have_value("下一个问题")


def test_drafts_stay_with_their_conversation(page: Page) -> None:
    ask(page)
    box(page).press_sequentially("一半的问题")
    with Journey(page, "find a draft again after another page and a reload") as one:
        one.click(page.get_by_role("link", name="历史", exact=True))
        expect(page.get_by_role("searchbox")).to_be_visible(timeout=PATIENCE_MS)
        one.click(page.get_by_role("link", name="对话", exact=True))
        expect(box(page)).to_have_value("一半的问题", timeout=PATIENCE_MS)
        assert one.clicks == 2
    page.reload()
    expect(box(page)).to_have_value("一半的问题", timeout=PATIENCE_MS)
    await_scripts(page, "shortcuts")
    page.keyboard.press("Alt+KeyN")
    expect(page.get_by_text("想聊什么")).to_be_visible(timeout=PATIENCE_MS)
    expect(box(page)).to_have_value("")
    page.keyboard.press("Alt+ArrowDown")
    expect(box(page)).to_have_value("一半的问题", timeout=PATIENCE_MS)
    box(page).fill("")


def test_what_was_written_before_the_page_was_ready_stays(
    context: BrowserContext, app: RunningApp
) -> None:
    page = context.new_page()
    page.add_init_script(EARLY)
    page.goto(app.url)
    expect(box(page)).to_be_focused(timeout=PATIENCE_MS)  # which our script does
    expect(box(page)).to_have_value("写得很早")
    page.reload()  # and then it is a draft, which is not written twice
    expect(box(page)).to_be_focused(timeout=PATIENCE_MS)
    expect(box(page)).to_have_value(re.compile("写得很早"))
    box(page).fill("")


def test_a_question_is_edited_by_one_key_and_a_turn_comes_back(page: Page) -> None:
    page.set_viewport_size({"width": 1366, "height": 3000})  # nothing scrolls under an open menu
    ask(page)
    with Journey(page, "edit the last question") as one:
        one.press("ArrowUp")
        editor = page.get_by_label("编辑问题")
        expect(editor).to_be_focused(timeout=PATIENCE_MS)
        assert (one.clicks, one.keys) == (0, 1)
    page.keyboard.press("Escape")
    expect(editor).to_have_count(0, timeout=PATIENCE_MS)
    with Journey(page, "rename a conversation") as one:
        one.click(page.get_by_role("button", name="更多").first)
        one.click(page.get_by_role("menuitem", name="重命名"))
        title = page.get_by_role("dialog").get_by_role("textbox")
        expect(title).to_be_focused(timeout=PATIENCE_MS)
        one.write("砚台")
        one.press("Enter")
        expect(page.get_by_role("heading", name="砚台")).to_be_visible(timeout=PATIENCE_MS)
        assert (one.clicks, one.keys) == (2, 1)
    with Journey(page, "delete a turn and bring it back") as one:
        one.click(page.get_by_test_id("stChatMessage").first.get_by_role("button", name="更多"))
        one.click(page.get_by_role("menuitem", name="删除这一轮问答"))
        expect(answers(page)).to_have_count(0, timeout=PATIENCE_MS)
        one.click(page.get_by_role("button", name="撤销"))
        expect(answers(page)).to_have_count(1, timeout=PATIENCE_MS)
        assert one.clicks == 3


def test_the_palette_finds_a_conversation_by_keys_alone(page: Page) -> None:
    ask(page, "独一无二的词是翡翠砚")
    address = page.url
    page.keyboard.press("Alt+KeyN")
    expect(page.get_by_text("想聊什么")).to_be_visible(timeout=PATIENCE_MS)
    with Journey(page, "find a conversation and open it") as one:
        one.press("Control+k")
        query = page.get_by_role("dialog").get_by_role("searchbox")
        expect(query).to_be_focused(timeout=PATIENCE_MS)
        one.write("翡翠砚")
        one.press("Enter")
        expect(answers(page)).to_have_count(1, timeout=PATIENCE_MS)
        assert (one.clicks, one.keys) == (0, 2)
    assert page.url.startswith(address)
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog").get_by_text("键盘快捷键")).to_be_visible(timeout=PATIENCE_MS)


def test_settings_export_and_a_fork_are_two_clicks_at_most(page: Page) -> None:
    ask(page)
    with Journey(page, "turn thinking on") as one:
        one.click(page.get_by_text("思考", exact=True).first)
        effort = page.get_by_role("combobox", name="思考强度")
        one.see(effort)
        assert one.clicks == 1
    with Journey(page, "think harder") as one:
        one.click(effort)
        one.click(page.get_by_role("option", name="最高"))
        expect(effort).to_have_value("最高", timeout=PATIENCE_MS)
        assert one.clicks == 2
    # A run that comes to its end behind the click would scroll the menu away.
    page.wait_for_function(
        "document.querySelector('[data-testid=stApp]').dataset.testScriptState === 'notRunning'",
        timeout=PATIENCE_MS,
    )
    with Journey(page, "export this conversation") as one:
        one.click(page.get_by_role("button", name="导出"))
        with page.expect_download(timeout=PATIENCE_MS) as file:
            one.click(page.get_by_role("button", name="Markdown"))
        assert file.value.suggested_filename.endswith(".md")
        assert one.clicks == 2
    page.keyboard.press("Escape")
    address = page.url
    with Journey(page, "go on in a new chat from an answer") as one:
        one.click(page.get_by_test_id("stChatMessage").last.get_by_role("button", name="更多"))
        one.click(page.get_by_role("menuitem", name="从这里另开对话"))
        expect(page.get_by_role("heading", name="（分支）")).to_be_visible(timeout=PATIENCE_MS)
        assert one.clicks == 2
    assert page.url != address
    expect(answers(page)).to_have_count(1)
