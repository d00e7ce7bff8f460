"""What browsers do: Enter at the end of a composition, pasted and dropped pictures, own words."""

import base64
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from core.access.owners import LOCAL_OWNER
from core.storage.store import Store
from core.texts.catalogue import texts_of
from tests.browser.journeys import PATIENCE_MS, await_scripts
from tests.picture_cases import Case, exif, problems, saved, stored
from tests.running_app import RunningApp, running_app, wait_until_there
from tests.waiting import until

TITLE = "Cranes"
QUESTION = "Where do they fly?"
HALF, WHOLE = "半句话", "一整句话"

pytestmark = pytest.mark.browser

# Chromium and Firefox: the key is of the composition, and ends it.
CHROMIUM_ORDER = """
(box) => {
  box.dispatchEvent(new CompositionEvent("compositionstart", {bubbles: true}));
  box.dispatchEvent(new KeyboardEvent("keydown", {
    key: "Enter", code: "Enter", keyCode: 229, isComposing: true, bubbles: true, cancelable: true,
    ctrlKey: CTRL}));
  box.dispatchEvent(new CompositionEvent("compositionend", {bubbles: true}));
  box.dispatchEvent(new KeyboardEvent("keyup", {key: "Enter", keyCode: 13, bubbles: true}));
}
"""
# Safari: the composition ends first, and only the code tells the key from another.
SAFARI_ORDER = """
(box) => {
  box.dispatchEvent(new CompositionEvent("compositionstart", {bubbles: true}));
  box.dispatchEvent(new CompositionEvent("compositionend", {bubbles: true}));
  box.dispatchEvent(new KeyboardEvent("keydown", {
    key: "Enter", code: "Enter", keyCode: 229, isComposing: false, bubbles: true, cancelable: true,
    ctrlKey: CTRL}));
  box.dispatchEvent(new KeyboardEvent("keyup", {key: "Enter", keyCode: 13, bubbles: true}));
}
"""


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    with running_app(tmp_path_factory.mktemp("habits") / "data") as running:
        wait_until_there(f"{running.url}/readyz", running)
        yield running


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(locale="en-US", viewport={"width": 1280, "height": 1300})
    yield context.new_page()
    context.close()


# -- compositions ----------------------------------------------------------------------------------


def chat_box(page: Page, app: RunningApp) -> Locator:
    page.goto(app.url)
    return page.get_by_test_id("stChatInputTextArea")


def conversation_box(page: Page, app: RunningApp) -> Locator:
    open_conversation(page, app)
    return page.get_by_test_id("stChatInputTextArea")


def rename_in_history(page: Page, app: RunningApp) -> Locator:
    new_conversation(app)
    page.goto(f"{app.url}/history")
    page.get_by_test_id("stMain").get_by_test_id("stPopoverButton").nth(1).click(
        timeout=PATIENCE_MS
    )
    return page.get_by_test_id("stForm").locator("input")


def rename_in_dialog(page: Page, app: RunningApp) -> Locator:
    open_conversation(page, app)
    page.locator('[class*="st-key-menu-"] button').first.click(timeout=PATIENCE_MS)
    page.get_by_text("Rename", exact=True).click(timeout=PATIENCE_MS)
    return page.get_by_role("dialog").locator("input")


def edited_question(page: Page, app: RunningApp) -> Locator:
    open_conversation(page, app)
    page.get_by_role("button", name="Edit").first.click(timeout=PATIENCE_MS)
    return page.get_by_test_id("stForm").locator("textarea")


def new_conversation(app: RunningApp) -> str:
    store = Store.open(app.data_dir / "inkling.sqlite3")
    made = store.conversations.create(LOCAL_OWNER, title=TITLE)
    add = store.messages.add
    question = add(LOCAL_OWNER, made.id, parent_id=None, role="user", content=QUESTION)
    add(LOCAL_OWNER, made.id, parent_id=question.id, role="assistant", content="South.")
    store.close()
    return made.id


def open_conversation(page: Page, app: RunningApp) -> None:
    page.goto(f"{app.url}/?c={new_conversation(app)}")
    expect(page.get_by_text("South.")).to_be_visible(timeout=PATIENCE_MS)


BOXES: dict[str, tuple[Callable[[Page, RunningApp], Locator], str]] = {
    "chat": (chat_box, "Enter"),
    "conversation": (conversation_box, "Enter"),
    "rename-in-history": (rename_in_history, "Enter"),
    "rename-in-dialog": (rename_in_dialog, "Enter"),
    "edited-question": (edited_question, "Control+Enter"),
}


class Sent:
    """What the page has told the server about its text boxes."""

    def __init__(self, page: Page) -> None:
        self.frames: list[bytes] = []
        page.on("websocket", lambda socket: socket.on("framesent", self._note))

    def _note(self, payload: str | bytes) -> None:
        self.frames.append(payload.encode() if isinstance(payload, str) else payload)

    def holds(self, words: str) -> bool:
        return any(words.encode() in frame for frame in self.frames)


@pytest.mark.parametrize("order", [CHROMIUM_ORDER, SAFARI_ORDER], ids=["chromium", "safari"])
@pytest.mark.parametrize("name", BOXES)
def test_the_enter_that_ends_a_composition_sends_nothing_and_the_next_one_does(
    page: Page, app: RunningApp, name: str, order: str
) -> None:
    opened, key = BOXES[name]
    sent = Sent(page)
    box = opened(page, app)
    expect(box).to_be_visible(timeout=PATIENCE_MS)
    # The box is there before the script that knows of compositions.
    await_scripts(page, "browser")
    box.fill(HALF)
    box.evaluate(order.replace("CTRL", "true" if "Control" in key else "false"))
    # Whatever it would have sent goes out before what comes next on the same line.
    box.fill(f"{TITLE} {WHOLE}")
    assert box.input_value() == f"{TITLE} {WHOLE}"
    box.press(key)
    expect(page.get_by_text(WHOLE).first).to_be_visible(timeout=PATIENCE_MS)
    page.wait_for_function("() => !document.querySelector('[data-testid=stStatusWidget]')")
    until = time.monotonic() + PATIENCE_MS / 1000
    while not sent.holds(WHOLE):
        assert time.monotonic() < until, "the next Enter sends"
        page.wait_for_timeout(20)
    assert not sent.holds(HALF)


def test_a_box_that_searches_takes_an_enter_after_a_composition(
    page: Page, app: RunningApp
) -> None:
    new_conversation(app)
    page.goto(f"{app.url}/history")
    box = page.get_by_test_id("stTextInput").locator("input").first
    await_scripts(page, "browser")
    box.fill("fly")
    box.evaluate(SAFARI_ORDER.replace("CTRL", "false"))
    expect(page.locator("[class*=st-key-hit-]").first).to_be_visible(timeout=PATIENCE_MS)


# -- pictures --------------------------------------------------------------------------------------

PASTE = """
([content, type, words, selector]) => {
  const bytes = Uint8Array.from(atob(content), (sign) => sign.charCodeAt(0));
  const data = new DataTransfer();
  data.items.add(new File([bytes], "image.png", {type}));
  if (words) data.setData("text/plain", words);
  const target = selector ? document.querySelector(selector) : document.body;
  const event = new ClipboardEvent("paste", {clipboardData: data, bubbles: true, cancelable: true});
  target.dispatchEvent(event);
  return event.defaultPrevented;
}
"""
DROP = """
([content, type]) => {
  const bytes = Uint8Array.from(atob(content), (sign) => sign.charCodeAt(0));
  const data = new DataTransfer();
  data.items.add(new File([bytes], "photo.jpg", {type}));
  const zone = document.querySelector("[data-testid=stFileUploaderDropzone]");
  for (const kind of ["dragenter", "dragover", "drop"]) {
    zone.dispatchEvent(new DragEvent(kind, {dataTransfer: data, bubbles: true, cancelable: true}));
  }
}
"""
PHOTO = Case("photo.jpg", saved(stored(6), "JPEG", exif=exif(6), quality=92))


def open_images(page: Page, app: RunningApp) -> None:
    page.goto(f"{app.url}/images")
    accepts = page.get_by_test_id("stFileUploaderDropzoneInput")
    expect(accepts).to_have_attribute("accept", re.compile("image/.*heic"), timeout=PATIENCE_MS)


def base64_of(case: Case) -> str:
    return base64.b64encode(case.content).decode()


def shown(page: Page) -> Locator:
    return page.get_by_text("400 × 600 pixels")


def last_reference(app: RunningApp) -> bytes:
    store = Store.open(app.data_dir / "inkling.sqlite3")
    until = time.monotonic() + PATIENCE_MS / 1000
    while not (rows := store.generation_lists.list(LOCAL_OWNER, limit=1).items):
        assert time.monotonic() < until, "nothing was asked for"
        time.sleep(0.02)
    newest = rows[0]
    (reference,) = store.generations.references(newest.id)
    store.close()
    return reference.content


@pytest.mark.parametrize("selector", [None, "textarea"], ids=["page", "prompt"])
def test_a_pasted_picture_becomes_the_reference(
    page: Page, app: RunningApp, selector: str | None
) -> None:
    open_images(page, app)
    assert page.evaluate(PASTE, [base64_of(PHOTO), "image/png", "", selector])
    expect(shown(page)).to_be_visible(timeout=PATIENCE_MS)
    page.get_by_label("Prompt", exact=True).fill("like this one")
    page.get_by_role("button", name="Generate").click()
    expect(page.get_by_text("like this one", exact=True).last).to_be_visible(timeout=PATIENCE_MS)
    assert problems(PHOTO, last_reference(app)) == []


def test_pasted_words_with_their_picture_stay_words(page: Page, app: RunningApp) -> None:
    open_images(page, app)
    assert not page.evaluate(PASTE, [base64_of(PHOTO), "image/png", "a table", "textarea"])
    expect(shown(page)).to_have_count(0)
    expect(page.get_by_test_id("stFileChip")).to_have_count(0)


def test_a_dropped_picture_is_shown_upright(page: Page, app: RunningApp) -> None:
    open_images(page, app)
    page.evaluate(DROP, [base64_of(PHOTO), "image/jpeg"])
    expect(shown(page)).to_be_visible(timeout=PATIENCE_MS)
    sides = (
        page.get_by_test_id("stImage")
        .locator("img")
        .first.evaluate(
            "(image) => image.decode().then(() => [image.naturalWidth, image.naturalHeight])"
        )
    )
    assert sides[0] * 3 == sides[1] * 2


@pytest.mark.parametrize(("locale", "language"), [("zh-CN", "zh"), ("en-US", "en")])
def test_the_file_input_speaks_the_readers_language(
    browser: Browser, app: RunningApp, tmp_path: Path, locale: str, language: str
) -> None:
    texts = texts_of(language)
    large = tmp_path / "large.heic"
    large.write_bytes(bytes(51 << 20))
    context = browser.new_context(locale=locale)
    page = context.new_page()
    open_images(page, app)
    page.locator(".st-key-image-reference-fold summary").click()
    words = 'getComputedStyle(document.querySelector("{}"), "::after").content'
    zone = "[data-testid=stFileUploaderDropzone]"
    told = page.evaluate(words.format("[data-testid=stFileUploaderDropzoneInstructions] span"))
    assert told.strip('"') == texts["images.reference_drop"].format(limit=50)
    chosen = page.evaluate(words.format(f"{zone} button p"))
    assert chosen.strip('"') == texts["upload.choose"]
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(large)
    chip = page.get_by_test_id("stFileChip")
    expect(chip.get_by_role("alert")).to_have_text(texts["upload.refused"], timeout=PATIENCE_MS)
    remove = f"{texts['upload.remove']} large.heic"
    expect(chip.get_by_role("button")).to_have_attribute("aria-label", remove)
    tip = page.get_by_test_id("stTooltipErrorContent")
    until(lambda: shows_its_tip(page, chip, tip), "the tip is shown")
    expect(tip).to_have_text(texts["upload.refused"], timeout=PATIENCE_MS)
    context.close()


def shows_its_tip(page: Page, chip: Locator, tip: Locator) -> bool:
    """Come to it with the mouse, once more where the page was drawn anew under it."""
    page.mouse.move(0, 0)
    chip.hover()
    page.wait_for_timeout(500)
    return tip.count() > 0


# -- Streamlit's own words -------------------------------------------------------------------------

# Names, hints and text nodes in Latin letters alone, outside of what people and models wrote.
LATIN = """
() => {
  const found = new Set();
  const isLatin = (said) => said && /[A-Za-z]{2}/.test(said) && !/[\\u4e00-\\u9fff]/.test(said);
  const own = "[data-testid=stMarkdownContainer], [data-testid*=Icon], code, noscript, script,"
    + " style, [data-testid=stText], [data-testid=stFileUploaderDropzoneInstructions]";
  for (const name of ["aria-label", "aria-valuetext", "placeholder", "alt"]) {
    for (const part of document.querySelectorAll(`[${name}]`)) {
      if (isLatin(part.getAttribute(name))) found.add(part.getAttribute(name));
    }
  }
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const { data, parentElement } = texts.currentNode;
    if (isLatin(data) && !parentElement.closest(own)) found.add(data.trim());
  }
  return [...found];
}
"""
# Names of models and of what is chosen, which are the same in every language.
PROPER = re.compile(r"Top-p|deepseek-\S+|Image \d.*|kling-\S+|:material/\w+:|expand_\w+")


def latin(page: Page) -> list[str]:
    """Return what stays in Latin letters once the page has come to rest."""
    page.wait_for_function("() => document.documentElement.lang === 'zh-CN'")
    page.wait_for_function("() => !document.querySelector('[data-testid=stStatusWidget]')")
    until = (
        time.monotonic() + PATIENCE_MS / 1000
    )  # parts that come late are named in the frame after
    while True:
        page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
        left = [said for said in page.evaluate(LATIN) if not PROPER.fullmatch(said)]
        if not left or time.monotonic() > until:
            return left


def test_a_chinese_page_speaks_no_english_of_streamlits(browser: Browser, app: RunningApp) -> None:
    context = browser.new_context(locale="zh-CN", viewport={"width": 1280, "height": 1100})
    page = context.new_page()
    page.goto(app.url)
    box = page.get_by_role("button", name="发送")
    expect(box).to_be_attached(timeout=PATIENCE_MS)
    assert latin(page) == []
    page.get_by_test_id("stChatInputTextArea").fill("写一个标题和一段代码")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="重新回答")).to_be_visible(timeout=PATIENCE_MS)
    assert latin(page) == []
    page.goto(f"{app.url}/images")
    prompt = page.locator("textarea").first
    expect(prompt).to_be_visible(timeout=PATIENCE_MS)
    prompt.fill("山")
    expect(page.get_by_text("按 Ctrl+回车生效")).to_be_visible(timeout=PATIENCE_MS)
    page.get_by_text("选项 ·").click()
    page.get_by_test_id("stSelectbox").first.click()
    page.keyboard.type("zzz")
    expect(page.get_by_text("添加：zzz")).to_be_visible(timeout=PATIENCE_MS)
    assert latin(page) == []
    page.goto(f"{app.url}/gallery")
    page.get_by_test_id("stPopoverButton").first.click(timeout=PATIENCE_MS)
    page.get_by_role("spinbutton").first.click()
    expect(page.get_by_text("日期范围", exact=True)).to_be_visible(timeout=PATIENCE_MS)
    page.get_by_test_id("stPopoverBody").get_by_test_id("stSelectbox").first.click()
    page.keyboard.type("zzz")
    expect(page.get_by_text("没有符合的选项")).to_be_visible(timeout=PATIENCE_MS)
    assert latin(page) == []
    for name in ("history", "status"):
        page.goto(f"{app.url}/{name}")
        expect(page.get_by_test_id("stHeading").first).to_be_visible(timeout=PATIENCE_MS)
        assert latin(page) == []
    context.close()


def test_what_people_and_models_write_is_left_alone(browser: Browser, app: RunningApp) -> None:
    context = browser.new_context(locale="zh-CN")
    page = context.new_page()
    page.goto(app.url)
    page.get_by_test_id("stChatInputTextArea").fill("Close")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="重新回答")).to_be_visible(timeout=PATIENCE_MS)
    asked = page.get_by_test_id("stChatMessageContent").first
    expect(asked).to_contain_text("Close")
    expect(asked).to_have_attribute("aria-label", "我说的")  # by our script, in the frame after
    context.close()
