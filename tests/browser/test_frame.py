"""The frame as a person meets it: the sidebar's list, the tab's title, notices, a phone."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Locator,
    Page,
    Response,
    WebSocket,
    expect,
)
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from core.access.owners import LOCAL_OWNER
from core.storage.store import Store
from tests.browser.journeys import PATIENCE_MS, Journey, wait_until
from tests.running_app import RunningApp, running_app, wait_until_there

COUNT = 60

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    """A studio with conversations of sixty days, one a day."""
    folder = tmp_path_factory.mktemp("frame") / "data"
    folder.mkdir()
    now = [datetime.now(UTC)]
    store = Store.open(str(folder / "inkling.sqlite3"), clock=lambda: now[0])
    for day in reversed(range(COUNT)):
        now[0] = datetime.now(UTC) - timedelta(days=day)
        store.conversations.create(LOCAL_OWNER, title=f"第 {day} 天前")
    store.close()
    with running_app(folder) as running:
        wait_until_there(f"{running.url}/readyz", running)
        yield running


@pytest.fixture(scope="module")
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(locale="zh-CN", viewport={"width": 1280, "height": 900})
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext, app: RunningApp) -> Iterator[Page]:
    page = context.new_page()
    page.goto(app.url)
    expect(sidebar_list(page)).to_be_visible(timeout=PATIENCE_MS)
    yield page
    page.close()


def sidebar_list(page: Page) -> Locator:
    return page.get_by_role("navigation", name="对话列表")


def row(page: Page, title: str) -> Locator:
    return sidebar_list(page).get_by_role("listitem").filter(has_text=title)


def menu_of(page: Page, title: str) -> Locator:
    return page.get_by_role("button", name=f"更多操作：{title}", exact=True)


def test_the_list_is_grouped_by_day_and_leads_to_every_conversation(page: Page) -> None:
    groups = sidebar_list(page).locator(".label")
    expect(groups.first).to_have_text("今天")
    expect(groups.nth(1)).to_have_text("昨天")
    expect(groups.last).to_have_text("更早")
    oldest = f"第 {COUNT - 1} 天前"
    expect(row(page, oldest)).to_have_count(0)
    with Journey(page, "open the oldest conversation") as journey:
        journey.click(page.get_by_role("button", name="显示更多"))
        journey.click(row(page, oldest).get_by_role("link"))
        expect(page).to_have_title(f"{oldest} · 墨灵", timeout=PATIENCE_MS)
    assert (journey.clicks, journey.keys) == (2, 0)
    expect(row(page, oldest).get_by_role("link")).to_have_attribute("aria-current", "page")
    expect(page.get_by_role("button", name="显示更多")).to_have_count(0)


def test_a_row_is_a_real_link(page: Page) -> None:
    with Journey(page, "open a conversation in a new tab") as journey:
        with page.context.expect_page() as opened:
            row(page, "第 2 天前").get_by_role("link").click(modifiers=["ControlOrMeta"])
            journey.clicks += 1
        expect(opened.value).to_have_title("第 2 天前 · 墨灵", timeout=PATIENCE_MS)
    opened.value.close()
    assert journey.clicks == 1
    expect(page).to_have_title("对话 · 墨灵")


def test_a_row_has_a_menu_of_its_own(page: Page) -> None:
    title, other = "第 3 天前", "墨与砚"
    with Journey(page, "rename a conversation from the sidebar") as journey:
        row(page, title).hover()
        journey.click(menu_of(page, title))
        journey.click(page.get_by_role("menuitem", name="重命名"))
        journey.write(other)  # the title is selected
        journey.press("Enter")
        journey.see(row(page, other))
    assert (journey.clicks, journey.keys) == (2, 1)
    with Journey(page, "pin a conversation from the sidebar") as journey:
        row(page, other).hover()
        journey.click(menu_of(page, other))
        journey.click(page.get_by_role("menuitem", name="置顶", exact=True))
        expect(sidebar_list(page).locator(".label").first).to_have_text("置顶", timeout=PATIENCE_MS)
    assert journey.clicks == 2
    export = Journey(page, "export one conversation from the sidebar")
    with export as journey, page.expect_download(timeout=PATIENCE_MS) as download:
        row(page, other).hover()
        journey.click(menu_of(page, other))
        journey.click(page.get_by_role("menuitem", name="导出 JSON"))
    assert journey.clicks == 2
    assert other in download.value.suggested_filename
    exported = json.loads(Path(download.value.path()).read_text(encoding="utf-8"))
    assert other in json.dumps(exported, ensure_ascii=False)
    with Journey(page, "delete a conversation from the sidebar and take it back") as journey:
        row(page, other).hover()
        journey.click(menu_of(page, other))
        journey.click(page.get_by_role("menuitem", name="删除"))
        expect(row(page, other)).to_have_count(0, timeout=PATIENCE_MS)
        journey.click(page.get_by_role("button", name="撤销"))
        journey.see(row(page, other))
    assert journey.clicks == 3


def test_the_menu_is_reached_by_keys_alone(page: Page) -> None:
    row(page, "第 4 天前").get_by_role("link").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("menuitem", name="重命名")).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(page.get_by_role("menuitem", name="删除")).to_be_focused()
    page.keyboard.press("Escape")
    expect(menu_of(page, "第 4 天前")).to_be_focused()


def test_a_finished_answer_is_seen_in_the_title_of_a_tab_nobody_looks_at(page: Page) -> None:
    page.get_by_test_id("stChatInputTextArea").fill("/practice slow 200 你好")
    page.keyboard.press("Enter")
    expect(page.get_by_label("正在回答")).to_be_visible(timeout=PATIENCE_MS)
    look(page, hidden=True)
    page.wait_for_function("document.title.startsWith('● ')", timeout=PATIENCE_MS)
    look(page, hidden=False)
    page.wait_for_function("!document.title.startsWith('● ')")
    assert page.evaluate("document.documentElement.lang") == "zh-CN"


def look(page: Page, *, hidden: bool) -> None:
    """Have the page believe that its tab was left, or come back to."""
    page.evaluate(
        """(hidden) => {
          Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
          document.dispatchEvent(new Event("visibilitychange"));
        }""",
        hidden,
    )


def test_the_practice_notice_is_put_away_until_the_tab_closes(page: Page) -> None:
    notice = page.get_by_text("回答由本机给出")
    expect(notice).to_be_visible()
    with Journey(page, "find where the key goes") as journey:
        journey.click(notice)
        journey.see(page.get_by_text('DEEPSEEK_API_KEY = "sk-…"'))
    assert journey.clicks == 1
    with Journey(page, "put the practice notice away") as journey:
        journey.click(page.get_by_role("button", name="收起", exact=True))
        expect(notice).to_be_hidden(timeout=PATIENCE_MS)
    assert journey.clicks == 1
    page.reload()
    expect(sidebar_list(page)).to_be_visible(timeout=PATIENCE_MS)
    expect(notice).to_be_hidden()


def test_a_program_is_given_a_token_and_loses_it(page: Page, app: RunningApp) -> None:
    page.goto(f"{app.url}/status")
    with Journey(page, "give a program a token") as journey:
        journey.click(page.get_by_text("新令牌", exact=True))
        journey.click(page.get_by_label("程序名称"))
        journey.write("open-webui")
        journey.press("Tab")
        journey.click(page.get_by_role("button", name="生成令牌"))
        token = page.get_by_text("ink_")
        journey.see(token)
    assert (journey.clicks, journey.keys) == (3, 1)
    headers = {"Authorization": f"Bearer {token.inner_text()}"}
    pictures = f"{app.url}/v1/images/generations"
    assert page.request.post(pictures, headers=headers, data={"prompt": "x"}).status == 403
    with Journey(page, "take a program's token back") as journey:
        journey.click(page.get_by_role("button", name="收回"))
        expect(page.get_by_text("open-webui", exact=True)).to_have_count(0, timeout=PATIENCE_MS)
    assert journey.clicks == 1


def test_a_phones_sidebar_closes_once_something_is_chosen(
    browser: Browser, app: RunningApp
) -> None:
    context = browser.new_context(
        locale="zh-CN", viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
    )
    page = context.new_page()
    page.goto(app.url)
    sidebar = page.get_by_test_id("stSidebar")
    with Journey(page, "open a conversation on a phone") as journey:
        journey.click(page.get_by_test_id("stExpandSidebarButton"))
        journey.click(row(page, "第 5 天前").get_by_role("link"))
        expect(sidebar).to_have_attribute("data-collapsed", "true", timeout=PATIENCE_MS)
        expect(page).to_have_title("第 5 天前 · 墨灵", timeout=PATIENCE_MS)
    assert journey.clicks == 2
    page.get_by_test_id("stExpandSidebarButton").click()
    page.get_by_role("button", name="新对话").click()
    expect(sidebar).to_have_attribute("data-collapsed", "true", timeout=PATIENCE_MS)
    context.close()


def test_an_old_conversation_a_months_cost_and_the_other_language_are_two_clicks_at_most(
    browser: Browser, app: RunningApp
) -> None:
    context = browser.new_context(locale="zh-CN", viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto(app.url)
    expect(sidebar_list(page)).to_be_visible(timeout=PATIENCE_MS)
    with Journey(page, "find an old conversation by a word in History") as journey:
        journey.click(page.get_by_role("link", name="历史", exact=True))
        journey.click(page.get_by_role("searchbox"))
        journey.write("第 5 天前")
        expect(page.get_by_test_id("stMain").get_by_text("第 5 天前").first).to_be_visible(
            timeout=PATIENCE_MS
        )
        expect(page.get_by_test_id("stMain").get_by_text("第 7 天前")).to_have_count(
            0, timeout=PATIENCE_MS
        )
    assert (journey.clicks, journey.keys) == (2, 0)
    with Journey(page, "see what this month cost") as journey:
        journey.click(page.get_by_role("link", name="费用", exact=True))
        journey.see(page.get_by_role("heading", name="费用"))
    assert journey.clicks == 1
    with Journey(page, "see whether all is well") as journey:
        journey.click(page.get_by_role("link", name="状态", exact=True))
        journey.see(page.get_by_role("heading", name="状态"))
    assert journey.clicks == 1
    with Journey(page, "read it in English") as journey:
        journey.click(page.get_by_test_id("stSidebar").get_by_text("English"))
        journey.see(page.get_by_role("heading", name="Status"))
    assert journey.clicks == 1
    context.close()


# What a run of the chat page may send beside what was said, with sixty conversations in the list.
MOST_OF_A_RUN_BYTES = 20_000
ASSETS = [one for kind in ("js", "css") for one in Path("core/ui").rglob(f"components/*.{kind}")]


def note_frames(sent: list[bytes], socket: WebSocket) -> None:
    def note(frame: str | bytes) -> None:
        assert isinstance(frame, bytes)  # Streamlit sends no other
        sent.append(frame)

    socket.on("framereceived", note)


def has_run(frame: bytes) -> bool:
    told: str = ForwardMsg.FromString(frame).WhichOneof("type")
    return told == "script_finished"


def run_of(page: Page, sent: list[bytes]) -> list[bytes]:
    """Return the frames up to the end of a run: a busy machine draws the page once more."""
    wait_until(page, lambda: any(has_run(one) for one in sent), "a run has ended")
    return sent[: next(place for place, one in enumerate(sent, 1) if has_run(one))]


def test_a_run_sends_no_script_and_no_style(browser: Browser, app: RunningApp) -> None:
    page = browser.new_page(locale="zh-CN", viewport={"width": 1366, "height": 850})
    sent: list[bytes] = []
    fetched: list[Response] = []

    def note_asset(response: Response) -> None:
        if "/assets/" in response.url:
            fetched.append(response)

    page.on("websocket", partial(note_frames, sent))
    page.on("response", note_asset)
    page.goto(app.url)
    page.get_by_test_id("stChatInputTextArea").wait_for()
    page.wait_for_function("document.documentElement.dataset.copying === ''")  # its scripts run
    assert 0 < sum(len(one) for one in run_of(page, sent)) < MOST_OF_A_RUN_BYTES
    lines = {line.encode() for one in ASSETS for line in one.read_text("utf-8").splitlines()}
    told = {line for line in lines if len(line) > 60}
    assert len(told) > 100
    assert not [line for line in told if any(line in frame for frame in sent)]
    wanted = {"browser", "composer", "copying", "shortcuts", "chat", "frame", "words"}

    def names() -> set[str]:
        return {one.url.rpartition("/")[2].partition(".")[0] for one in fetched}

    wait_until(page, lambda: wanted <= names(), "all have been fetched, whichever comes last")
    assert {one.status for one in fetched} == {200}
    count = len(fetched)
    page.locator('[data-testid="stSidebarNavLink"][href$="/money"]').click()
    page.wait_for_url("**/money")
    page.locator('[data-testid="stSidebarNavLink"]').first.click()
    page.get_by_test_id("stChatInputTextArea").wait_for()
    assert len(fetched) == count
    page.close()


def test_a_run_names_what_the_browser_has_instead_of_sending_it(
    browser: Browser, app: RunningApp
) -> None:
    page = browser.new_page(locale="zh-CN", viewport={"width": 1366, "height": 850})
    sent: list[bytes] = []
    page.on("websocket", partial(note_frames, sent))
    page.goto(app.url)
    box = page.get_by_test_id("stChatInputTextArea")
    question = "".join(f"第 {number} 句话。" for number in range(2_000))
    box.fill(question)
    box.press("Enter")
    expect(page.locator(".inkling-copy")).to_have_count(2, timeout=PATIENCE_MS)  # it has ended
    sizes: list[int] = []
    # In some of them the title has come, or a busy machine draws the page once more.
    while not any(size < MOST_OF_A_RUN_BYTES for size in sizes) and len(sizes) < 12:
        sent.clear()
        page.get_by_test_id("stCheckbox").first.click()
        sizes.append(sum(len(one) for one in run_of(page, sent)))
    assert 0 < min(sizes) < MOST_OF_A_RUN_BYTES < len(question.encode()), sizes
    page.close()


def test_an_answer_is_drawn_without_what_draws_tables(browser: Browser, tmp_path: Path) -> None:
    with running_app(tmp_path / "data") as own:
        page = browser.new_page(locale="zh-CN")
        page.goto(own.url)
        box = page.get_by_test_id("stChatInputTextArea")
        box.fill("墨是什么？", timeout=PATIENCE_MS)
        box.press("Enter")
        expect(page.locator(".inkling-copy").nth(1)).to_be_attached(timeout=PATIENCE_MS)
        libraries = Path(f"/proc/{own.process.pid}/maps").read_text()
        page.close()
    assert "msgspec" in libraries
    assert not [one for one in ("pandas", "pyarrow", "numpy") if one in libraries]
