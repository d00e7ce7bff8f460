"""The transfer component in a real browser: both ways, through broken lines, in both languages."""

import contextlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from core.storage.store import Store
from tests.browser.journeys import PATIENCE_MS
from tests.running_app import RunningApp, running_app, wait_until_there
from tests.web.chat.test_transfer import conversation, export_of

WORDS = {
    "en-US": (
        "Export and import",
        "New conversations: 25;",
        "Import a JSON or zip file of any size",
    ),
    "zh-CN": ("导出与导入", "新增 25 个对话", "导入 JSON 或 zip 文件（大小不限）"),
}

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """More than the server takes from Streamlit's own file input."""
    path = tmp_path_factory.mktemp("upload") / "export.json"
    path.write_bytes(export_of([conversation(number, 10, "墨 " * 24_000) for number in range(25)]))
    assert path.stat().st_size > 22 << 20
    return path


@pytest.fixture(params=["en-US", "zh-CN"])
def page(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    page = browser.new_page(locale=request.param, accept_downloads=True)
    page.locale = request.param  # type: ignore[attr-defined]
    yield page
    page.close()


@pytest.fixture
def app(tmp_path: Path) -> Iterator[RunningApp]:
    with running_app(tmp_path / "data") as running:
        wait_until_there(f"{running.url}/readyz", running)
        yield running


def open_transfer(page: Page, app: RunningApp, words: tuple[str, str, str]) -> None:
    page.goto(f"{app.url}/history")
    page.get_by_role("button", name=words[0]).click(timeout=PATIENCE_MS)
    expect(page.get_by_text(words[2])).to_be_visible(timeout=PATIENCE_MS)


def test_a_large_file_goes_in_through_a_bad_line_and_comes_out_again(
    app: RunningApp, page: Page, file: Path, tmp_path: Path
) -> None:
    words = WORDS[page.locale]  # type: ignore[attr-defined]
    seen = {"PUT": 0, "broken": 0}

    def spoil(route: Route) -> None:
        if route.request.method == "PUT":
            seen["PUT"] += 1
            if seen["PUT"] in (3, 4, 5):
                seen["broken"] += 1
                route.abort()
                return
            if seen["PUT"] == 8:
                seen["broken"] += 1
                route.fulfill(status=503, json={"error": "busy"})
                return
        route.continue_()

    page.route("**/transfer/import*", spoil)
    open_transfer(page, app, words)
    link = page.locator("a.download").get_attribute("href")
    page.locator(".choose input[type=file]").set_input_files(file)
    page.locator("progress").wait_for(timeout=PATIENCE_MS)
    _rerun(page, str(link))  # signs anew, and must not end the upload
    expect(page.get_by_text(words[1])).to_be_visible(timeout=PATIENCE_MS)
    expect(page.get_by_text(words[2])).not_to_be_visible()  # it would cover the outcome
    assert seen["broken"] == 4
    store = Store.open(app.data_dir / "inkling.sqlite3")
    assert store.conversations.count("local") == 25
    store.close()
    open_transfer(page, app, words)
    with page.expect_download(timeout=PATIENCE_MS) as coming:
        page.locator("a.download").click()
    coming.value.save_as(tmp_path / "came.json")
    came = json.loads((tmp_path / "came.json").read_bytes())
    sent = json.loads(file.read_bytes())
    contents = [
        {
            one["id"]: [message["content"] for message in one["messages"]]
            for one in payload["conversations"]
        }
        for payload in (came, sent)
    ]
    assert contents[0] == contents[1]


def test_a_file_that_is_no_export_is_told_in_words(
    app: RunningApp, page: Page, tmp_path: Path
) -> None:
    words = WORDS[page.locale]  # type: ignore[attr-defined]
    wrong = tmp_path / "wrong.json"
    wrong.write_text('{"format": "other"}')
    open_transfer(page, app, words)
    page.locator(".choose input[type=file]").set_input_files(wrong)
    told = {"en-US": "This file cannot be imported", "zh-CN": "无法导入这个文件"}
    expect(page.get_by_text(told[page.locale])).to_be_visible(  # type: ignore[attr-defined]
        timeout=PATIENCE_MS
    )


def refusing(status: int) -> Callable[[Route], None]:
    return lambda route: route.fulfill(status=status, json={"error": "x"})


def test_an_expired_link_and_a_full_disk_are_told_beside_the_button(
    app: RunningApp, page: Page, tmp_path: Path
) -> None:
    words = WORDS[page.locale]  # type: ignore[attr-defined]
    small = tmp_path / "small.json"
    small.write_text("{}")
    open_transfer(page, app, words)
    for status, told in ((403, ("Reload it", "请重新载入")), (507, ("no room", "空间不足"))):
        page.unroute("**/transfer/import*")
        page.route("**/transfer/import*", refusing(status))
        page.locator(".choose input[type=file]").set_input_files(small)
        said = page.locator(".said.error")
        expect(said).to_contain_text(told[page.locale == "zh-CN"], timeout=PATIENCE_MS)  # type: ignore[attr-defined]


def _rerun(page: Page, link: str) -> None:
    """Have the page run again until it shows another ticket: one signs by the second."""
    for _ in range(20):
        page.keyboard.press("r")
        with contextlib.suppress(AssertionError):
            expect(page.locator("a.download")).not_to_have_attribute("href", link, timeout=2_000)
            return
    raise AssertionError("the page did not run again")
