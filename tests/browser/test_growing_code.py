"""A long code block as it grows on the chat page: one box with a beginning of the code, always."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Locator,
    Page,
    ViewportSize,
    WebSocket,
    expect,
)
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from tests.browser.journeys import PATIENCE_MS, wait_until
from tests.running_app import RunningApp, running_app
from tests.upstream import DONE, STREAM_HEAD, Plan, Step, Upstream, completion, ending, event

ODD_LINES = [
    "def f(a):",
    "\tby_a_tab = '<b>&amp;</b>'  # 注释",
    "",
    "",
    "    return $x$, '$5 to $9', ':red[a]'",
    "</div>",
    "~~~",
    "# heading",
    "- item [a](b) **c**",
    "> quote",
    "``` js",
    "    indented",
    "",
    "| a | b |",
    "of Windows\r",
    "\r",
    "x" * 150,
]
CODE = "\n".join(
    f"{line}{n if line.startswith('def') else ''}" for n in range(12) for line in ODD_LINES
)
PARAGRAPHS = "".join(f"第 {n} 段。\n\n" for n in range(12))
HALF, MOST = CODE[: len(CODE) // 2], CODE[: 3 * len(CODE) // 4]
SCRIPT = [
    f"{PARAGRAPHS}前言。\n\n````python\n{HALF}",
    MOST[len(HALF) :],
    f"{CODE[len(MOST) :]}\n````\n\n后文。",
    "\n\n结尾。",
]
FIRST, MORE, WHOLE, END = range(len(SCRIPT))

# What is seen of the code, and by how many boxes: what is painted without a gap is one.
LOOK = """() => {
  const shown = (node) => node.getClientRects().length > 0;
  const answer = [...document.querySelectorAll('[data-testid="stChatMessage"]')].at(-1);
  const pres = answer ? [...answer.querySelectorAll('pre')].filter(shown) : [];
  if (!pres.length) return null;
  const rects = pres.map((pre) => pre.getBoundingClientRect());
  const touches = (a, b) => Math.abs(a.bottom - b.top) < 1 && a.x === b.x && a.width === b.width;
  return {
    text: pres.map((pre) => pre.textContent).join(''), parts: pres.length,
    boxes: rects.filter((rect, at) => !at || !touches(rects[at - 1], rect)).length,
    buttons: [...answer.querySelectorAll('[data-testid="stCode"] button')].filter(shown).length,
    height: Math.round(rects.at(-1).bottom - rects[0].top),
    paragraphs: [...answer.querySelectorAll('p')].filter(shown).map((one) => one.textContent),
  };
}"""
PARAGRAPHS_SHOWN = """() => {
  const answer = document.querySelectorAll('[data-testid="stChatMessage"]')[1];
  const shown = [...(answer?.querySelectorAll('p') ?? [])].filter(
    (node) => node.getClientRects().length > 0 && node.textContent.includes("段。"));
  return shown.length ? { paragraphs: shown.map((node) => node.textContent) } : null;
}"""
LAST = HALF[HALF.rindex("def ") :].splitlines()[0]
BOTH_SHOWN = f"""() => [...document.querySelectorAll('[data-testid="stChatMessage"] pre')]
  .filter((node) => node.getClientRects().length > 0)
  .map((node) => node.textContent).join('').split('{LAST}').length === 3"""
# The latest run draws the answer: what it has drawn is told apart from what others left.
DRAWN_ANEW = """() => document.querySelector('[data-test-script-state="running"]')
  && document.querySelector('.inkling-growing')
    ?.closest('[data-testid="stElementContainer"]').dataset.stale === 'false'"""
COLOURS = """() => [...document.querySelectorAll(
  '[class*="st-key-growing-code-"], [class*="st-key-code-parts-"] pre'
)].map((node) => getComputedStyle(node).backgroundColor)"""
# Looks before each painting, once the page's own scripts have.
WATCH = """() => {
  const look = %s;
  const keep = () => {
    const sample = look();
    if (sample && JSON.stringify(sample) !== JSON.stringify(window.samples.at(-1)))
      window.samples.push(sample);
  };
  window.samples = [];
  new MutationObserver(() => queueMicrotask(keep)).observe(
    document.body, {childList: true, subtree: true, characterData: true, attributes: true});
}"""

pytestmark = pytest.mark.browser


class Teller:
    """Tells an answer in steps; each waits until it is let go."""

    def __init__(self, script: list[str]) -> None:
        self._script = script
        self.steps = [threading.Event() for _ in script]
        self.cut = threading.Event()

    def let_go(self, number: int) -> None:
        for step in self.steps[: number + 1]:
            step.set()

    def plan(self, body: dict[str, Any]) -> Plan:
        if not body["stream"]:
            yield Step(0, completion("代码"))
            return
        yield Step(0, STREAM_HEAD)
        for step, text in zip(self.steps, self._script, strict=True):
            while not step.is_set():
                yield Step(0.02, b"")
                if self.cut.is_set():
                    return
            for at in range(0, len(text), 11):
                yield Step(0.006, event(content=text[at : at + 11]))
        yield Step(0, ending(usage={"prompt_tokens": 5, "completion_tokens": 9}) + DONE)


@pytest.fixture
def teller() -> Iterator[Teller]:
    one = Teller(SCRIPT)
    yield one
    one.let_go(len(SCRIPT))


@contextmanager
def asking(teller: Teller, folder: Path) -> Iterator[RunningApp]:
    """A studio whose answers the teller tells."""
    with Upstream(teller.plan) as upstream:
        settings = {"DEEPSEEK_API_URL": upstream.url, "DEEPSEEK_API_KEY": "sk-0123456789abcdef"}
        with running_app(folder / "data", settings) as running:
            yield running


@pytest.fixture
def app(tmp_path: Path, teller: Teller) -> Iterator[RunningApp]:
    with asking(teller, tmp_path) as running:
        yield running


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    with browser.new_context(locale="zh-CN") as one:
        yield one


def asked(page: Page, app: RunningApp, look: str = LOOK) -> Page:
    page.goto(app.url)
    box = page.get_by_test_id("stChatInputTextArea")
    expect(box).to_be_visible(timeout=PATIENCE_MS)
    page.evaluate(WATCH % look)
    box.fill("写")
    box.press("Enter")
    return page


def answer(page: Page) -> Locator:
    return page.get_by_test_id("stChatMessage").last


def wait_for_code(page: Page, code: str) -> None:
    """Wait until the page shows so much of the code."""
    page.wait_for_function(
        """code => [...document.querySelectorAll('[data-testid="stChatMessage"]:last-of-type pre')]
          .filter(pre => pre.getClientRects().length)
          .map(pre => pre.textContent).join('').trimEnd() === code.trimEnd()""",
        arg=code,
        timeout=PATIENCE_MS,
    )


def samples(page: Page) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = page.evaluate("() => window.samples")
    return found


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_it_is_one_box_that_only_grows_and_stays_as_it_is_when_it_ends(
    browser: Browser, app: RunningApp, teller: Teller, scheme: str, width: int
) -> None:
    size = ViewportSize(width=width, height=900)
    is_dark = scheme == "dark"
    with browser.new_context(
        locale="zh-CN", viewport=size, color_scheme="dark" if is_dark else "light"
    ) as context:
        page = asked(context.new_page(), app)
        teller.let_go(FIRST)
        wait_for_code(page, HALF)
        growing = samples(page)[-1]
        colours = page.evaluate(COLOURS)
        teller.let_go(WHOLE)
        expect(answer(page).get_by_text("后文。")).to_be_visible()
        ended = samples(page)[-1]
        teller.let_go(END)
        expect(page.get_by_role("button", name="重新回答")).to_be_visible()
        wait_for_code(page, CODE)
        found = samples(page)

    assert growing["parts"] > 2
    assert len(set(colours)) == 1
    assert ended["parts"] == found[-1]["parts"] == 1
    assert {sample["boxes"] for sample in found} == {1}
    assert all(sample["buttons"] <= 1 for sample in found)
    for before, after in pairwise(found):
        assert (CODE + "\n").startswith(after["text"])
        assert len(before["text"].rstrip()) <= len(after["text"].rstrip())
        assert before["height"] <= after["height"]
    assert ended["height"] == found[-1]["height"]


class Runs:
    """Counts the runs of the script that a page was told of."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._count = 0
        page.on("websocket", self._listen)

    def _listen(self, socket: WebSocket) -> None:
        socket.on("framereceived", self._frame)

    def _frame(self, frame: str | bytes) -> None:
        self._count += ForwardMsg.FromString(frame).WhichOneof("type") == "new_session"

    def draw_anew(self) -> None:
        """Change a setting, by which the script runs anew, and wait until it does."""
        count = self._count
        self._page.get_by_role("button", name="设置").click()
        self._page.get_by_role("slider").first.press("ArrowRight")
        wait_until(self._page, lambda: self._count > count, "it runs anew")
        self._page.wait_for_function(DRAWN_ANEW)
        self._page.keyboard.press("Escape")


def expect_one_box(page: Page, code: str) -> dict[str, Any]:
    wait_for_code(page, code)
    seen: dict[str, Any] = page.evaluate(LOOK)
    assert seen["boxes"] == 1
    assert seen["buttons"] <= 1
    return seen


def test_who_comes_later_sees_it_whole(
    context: BrowserContext, app: RunningApp, teller: Teller
) -> None:
    page = asked(context.new_page(), app)
    teller.let_go(FIRST)
    expect_one_box(page, HALF)

    page.reload()
    expect_one_box(page, HALF)
    expect(answer(page).get_by_text("前言。")).to_be_visible()

    with page.expect_popup() as opened:
        page.evaluate("() => window.open(location.href)")
    second = opened.value
    expect_one_box(second, HALF)

    page.get_by_role("button", name="设置").click()
    page.get_by_role("slider").first.press("ArrowRight")
    page.keyboard.press("Escape")
    expect_one_box(page, HALF)

    teller.let_go(WHOLE)
    for each in (page, second):
        expect(answer(each).get_by_text("后文。")).to_be_visible()
        assert expect_one_box(each, CODE)["parts"] == 1
    teller.let_go(END)
    for each in (page, second):
        expect(each.get_by_role("button", name="重新回答")).to_be_visible()
        assert expect_one_box(each, CODE)["parts"] == 1


def test_a_rerun_in_the_middle_shows_nothing_twice(
    context: BrowserContext, app: RunningApp, teller: Teller
) -> None:
    page = context.new_page()
    runs = Runs(page)
    asked(page, app)
    teller.let_go(FIRST)
    expect_one_box(page, HALF)
    page.evaluate("() => { window.samples = []; }")

    # Each run finds what those before it left, and the second what was added to it.
    for step, code, has_grown in (
        (FIRST, HALF, True),
        (MORE, MOST, True),
        (MORE, MOST, False),
        (MORE, MOST, False),
    ):
        teller.let_go(step)
        expect_one_box(page, code)
        if has_grown:
            page.wait_for_function(f"() => ({LOOK})().parts > 2")
        runs.draw_anew()
        page.wait_for_function(f"() => ({LOOK})()?.parts <= 2")
        expect_one_box(page, code)
        expect(answer(page).get_by_text("段。").filter(visible=True)).to_have_count(12)
    teller.let_go(WHOLE)
    expect(answer(page).get_by_text("后文。")).to_be_visible()

    found = samples(page)
    assert {sample["boxes"] for sample in found} == {1}
    assert all((CODE + "\n").startswith(sample["text"]) for sample in found)
    assert all(len(set(one["paragraphs"])) == len(one["paragraphs"]) for one in found)
    expect(answer(page).get_by_text("段。").filter(visible=True)).to_have_count(12)


def test_what_comes_behind_a_second_block_is_seen_at_once(
    context: BrowserContext, tmp_path: Path
) -> None:
    # What the run before left of the second one stands behind the text that comes then.
    block = f"````python\n{HALF}\n````"
    begun = f"前。\n\n{block}\n\n中一。\n\n中二。\n\n{block.removesuffix('````')}"
    teller = Teller([begun, "````\n\n后一。\n\n", "后二。\n\n", "后三。\n\n", "后四。\n\n"])
    with asking(teller, tmp_path) as app:
        page = context.new_page()
        runs = Runs(page)
        asked(page, app)
        teller.let_go(0)
        page.wait_for_function(BOTH_SHOWN)
        runs.draw_anew()
        page.wait_for_function(BOTH_SHOWN)
        for number, words in enumerate(("后一。", "后二。", "后三。", "后四。"), 1):
            teller.let_go(number)
            expect(answer(page).get_by_text(words).filter(visible=True)).to_have_count(1)


def test_paragraphs_are_seen_once_however_often_they_are_drawn_anew(
    context: BrowserContext, tmp_path: Path
) -> None:
    whole = [f"第 {number} 段。" for number in range(60)]
    thirds = [whole[at : at + 20] for at in range(0, 60, 20)]
    teller = Teller([*("".join(f"{one}\n\n" for one in third) for third in thirds), ""])
    with asking(teller, tmp_path) as app:
        page = context.new_page()
        runs = Runs(page)
        asked(page, app, PARAGRAPHS_SHOWN)
        for number, third in enumerate(thirds):
            teller.let_go(number)
            last = answer(page).get_by_text(third[-1]).filter(visible=True)
            for _ in range(2):
                expect(last).to_have_count(1)
                runs.draw_anew()
            expect(last).to_have_count(1)
        teller.let_go(len(thirds))
        expect(page.get_by_role("button", name="重新回答")).to_be_visible()
        found = samples(page)
    for one in found:
        assert one["paragraphs"] == whole[: len(one["paragraphs"])]
    assert found[-1]["paragraphs"] == whole


@pytest.mark.parametrize("way", ["stop", "cut"])
def test_what_ends_in_the_middle_of_it_is_one_box_with_what_came(
    context: BrowserContext, app: RunningApp, teller: Teller, way: str
) -> None:
    page = asked(context.new_page(), app)
    teller.let_go(FIRST)
    expect_one_box(page, HALF)

    if way == "stop":
        page.get_by_role("button", name="停止").click()
    else:
        teller.cut.set()
    expect(page.get_by_role("button", name="重新回答")).to_be_visible()
    seen = expect_one_box(page, HALF)

    assert seen["parts"] == 1


def test_the_keyboard_scrolls_it_as_one_and_a_selection_is_its_text(
    context: BrowserContext, app: RunningApp, teller: Teller
) -> None:
    page = asked(context.new_page(), app)
    page.set_viewport_size({"width": 390, "height": 800})
    teller.let_go(FIRST)
    expect_one_box(page, HALF)
    box = answer(page).locator('[class*="st-key-growing-code-"]')
    selected = box.evaluate(
        "(box) => { getSelection().selectAllChildren(box); return `${getSelection()}`; }"
    )
    page.get_by_role("button", name="朗读").focus()
    page.keyboard.press("Shift+Tab")
    expect(box).to_be_focused()
    page.keyboard.press("ArrowRight")
    page.wait_for_function(
        """() => document.activeElement.scrollLeft > 0""",
    )
    page.keyboard.press("Shift+Tab")

    assert selected.rstrip() == HALF.rstrip()
    growing = page.locator(
        '[data-testid="stVerticalBlock"]:has(> [data-testid="stElementContainer"] .inkling-growing)'
    )
    assert not growing.evaluate("(answer) => answer.contains(document.activeElement)")
    assert box.get_by_role("button").count() == 0
