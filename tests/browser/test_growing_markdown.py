"""Markdown as models write it on the chat page: what is seen at every moment of its growth."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.corpus import DATA
from tests.browser.journeys import PATIENCE_MS
from tests.running_app import running_app
from tests.upstream import DONE, STREAM_HEAD, Plan, Step, Upstream, completion, ending, event

CODE = "\n".join(f"print('line {number} of a long program')" for number in range(40))
TEXT = f"""约 10~20 元，再要 30~40 元。

```python
{CODE}
```

```markdown
# Title

```bash
npm i
```

After inner fence.
```

| 步骤 | 内容 |
|---|---|
| 1 | 先洗米<br>再加水 |

```mermaid
flowchart TD
    A[开始(含括号)] --> B
```

\\begin{{align}}
a &= b \\\\
c &= d
\\end{{align}}

هذا نص عربي.

Tail.
"""
SEEN = [
    "p 约 10~20 元，再要 30~40 元。",
    "code python: " + CODE.replace("\n", "⏎"),
    "code markdown: # Title⏎⏎```bash⏎npm i⏎```⏎⏎After inner fence.",
    "| 步骤 | 内容",
    "| 1 | 先洗米⏎再加水",
    "code diagramsource: flowchart TD⏎    A[开始(含括号)] --> B",
    "math",
    "p هذا نص عربي. ←",
    "p Tail.",
]
# Notes whatever is wrong at a moment at which the answer is drawn, by what it is.
WATCH = """() => {
  window.wrong = {};
  window.boxes = 0;
  const shown = (node) => node.getClientRects().length > 0;
  const look = () => {
    const answer = [...document.querySelectorAll('[data-testid="stChatMessage"]')].at(-1);
    if (!answer) return;
    const of = (selector) => [...answer.querySelectorAll(selector)].filter(shown);
    // What is painted without a gap between is one box to the eye.
    const rects = of('pre:has(.language-python)').map((pre) => pre.getBoundingClientRect());
    const gaps = rects.filter((rect, at) => at && Math.abs(rects[at - 1].bottom - rect.top) >= 1);
    window.boxes = Math.max(window.boxes, rects.length && gaps.length + 1);
    if (of('del').length) window.wrong.struck = true;
    if (of('[data-testid="stMermaidError"]').length) window.wrong.error = true;
    if (of('.katex-error').length) window.wrong.formula = true;
    if (of('p').some((p) => /begin|&=/.test(p.innerText) && !p.querySelector('.katex')))
      window.wrong.environment = of('p').map((p) => p.innerText);
    if (of('td').some((cell) => cell.innerText.includes('<br>'))) window.wrong.cell = true;
    if (of('p, h1').some((p) => /^(# )?Title|npm|After/.test(p.innerText)))
      window.wrong.fence = true;
  };
  new MutationObserver(look).observe(document.body, {childList: true, subtree: true,
                                                     characterData: true});
}"""

pytestmark = pytest.mark.browser


def plan(body: dict[str, Any]) -> Plan:
    if not body["stream"]:
        yield Step(0, completion("Markdown"))
        return
    yield Step(0, STREAM_HEAD)
    for at in range(0, len(TEXT), 6):
        yield Step(0.008, event(content=TEXT[at : at + 6]))
    yield Step(0, ending(usage={"prompt_tokens": 5, "completion_tokens": 9}) + DONE)


@pytest.fixture
def page(browser: Browser, tmp_path: Path) -> Iterator[Page]:
    with Upstream(plan) as upstream:
        settings = {"DEEPSEEK_API_URL": upstream.url, "DEEPSEEK_API_KEY": "sk-0123456789abcdef"}
        with (
            running_app(tmp_path / "data", settings) as app,
            browser.new_context(locale="zh-CN") as context,
        ):
            one = context.new_page()
            one.goto(app.url)
            yield one


def test_nothing_is_seen_otherwise_than_meant_at_any_moment(page: Page) -> None:
    box = page.get_by_test_id("stChatInputTextArea")
    expect(box).to_be_visible(timeout=PATIENCE_MS)
    page.evaluate(WATCH)
    box.fill("写")
    box.press("Enter")
    expect(page.get_by_role("button", name="重新回答")).to_be_visible(timeout=PATIENCE_MS)
    page.wait_for_function(
        """() => document.querySelectorAll('[data-testid="stMermaidError"]').length === 1""",
        timeout=PATIENCE_MS,
    )

    script = (DATA / "seen.js").read_text(encoding="utf-8")
    answer = '[data-testid="stChatMessage"]:last-of-type [data-testid="stMarkdown"]'
    seen = page.evaluate(script, [answer])[0]

    assert page.evaluate("() => window.wrong") == {}
    assert page.evaluate("() => window.boxes") == 1
    assert [line for line in seen if line in SEEN] == SEEN
