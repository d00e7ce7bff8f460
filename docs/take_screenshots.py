"""Take the README's pictures from the running app: `.venv/bin/python docs/take_screenshots.py`.

Starts the studio in practice mode on a data folder of its own, uses it as a person would in both
languages, and writes docs/images/*.png. Needs requirements-dev.txt in that environment, Chromium
(/usr/bin/chromium, or wherever CHROMIUM says) and a Chinese font.
"""

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
IMAGES = ROOT / "docs" / "images"
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
FLAGS = ["--no-sandbox", "--disable-gpu", "--font-render-hinting=none"]
PATIENCE_MS = 60_000

WORDS = {
    "zh-CN": {
        "question": "用 Python 写一个带退避的重试函数，并解释",
        "images": "画图",
        "prompt": "提示词",
        "wish": "雪山下的湖，湖上有一只小船，水墨画",
        "again": "重新回答",
        "count": "张数",
        "generate": "生成",
        "gallery": "作品",
        "history": "历史",
        "money": "费用",
        "xray": "透视",
        "status": "状态",
    },
    "en-US": {
        "question": "Write a retry with backoff in Python and explain it",
        "images": "Images",
        "prompt": "Prompt",
        "wish": "A cat on a hill above a night city, full moon, ink wash",
        "again": "Regenerate",
        "count": "How many",
        "generate": "Generate",
        "gallery": "Gallery",
        "history": "History",
        "money": "Money",
        "xray": "X-ray",
        "status": "Status",
    },
}


@contextlib.contextmanager
def running_app(data_dir: Path) -> Iterator[str]:
    """Run the app on a free port until the block ends; yield its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    keyless = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("DEEPSEEK", "KLING", "ACCESS_KEY", "VITE_", "DATABASE_URL"))
    }
    server = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "streamlit",
            "run",
            "app.py",
            "--server.headless",
            "true",
            "--server.address",
            "127.0.0.1",
            "--server.port",
            str(port),
        ],
        cwd=ROOT,
        env={**keyless, "INKLING_DATA_DIR": str(data_dir)},
        stdout=subprocess.DEVNULL,
    )
    try:
        wait_until_healthy(f"http://127.0.0.1:{port}/healthz")
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(20)


def wait_until_healthy(address: str) -> None:
    """Return as soon as the server answers; fail after a minute."""
    deadline = time.monotonic() + 60
    while True:
        try:
            urllib.request.urlopen(address).close()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def scroll_to_top(page: Page) -> None:
    """Show the beginning of whatever scrolls."""
    page.evaluate("document.querySelectorAll('*').forEach(one => one.scrollTop = 0)")
    page.mouse.move(0, 0)
    page.wait_for_timeout(500)


def take_chat(page: Page, words: dict[str, str], name: str) -> None:
    """Ask, wait for the whole answer, take the picture."""
    box = page.get_by_test_id("stChatInputTextArea")
    box.fill(words["question"])
    box.press("Enter")
    expect(page.get_by_role("button", name=words["again"])).to_be_visible(timeout=PATIENCE_MS)
    scroll_to_top(page)
    page.screenshot(path=IMAGES / f"chat-{name}.png")


def take_images(page: Page, words: dict[str, str], name: str) -> None:
    """Wish for four pictures, wait for them, take the picture."""
    page.get_by_role("link", name=words["images"]).click()
    page.get_by_label(words["prompt"], exact=True).fill(words["wish"])
    page.locator(".st-key-image-options summary").click()
    page.get_by_label(words["count"]).fill("4")
    page.get_by_label(words["count"]).press("Tab")
    page.get_by_role("button", name=words["generate"]).click()
    pictures = page.locator('[class*="st-key-picture-"] img')
    expect(pictures).to_have_count(4, timeout=PATIENCE_MS)
    page.locator(".st-key-image-options summary").click()
    page.wait_for_function("[...document.images].every(one => one.complete)")
    scroll_to_top(page)
    page.screenshot(path=IMAGES / f"images-{name}.png")


def take_page(page: Page, words: dict[str, str], which: str, name: str) -> None:
    """Open one of the other pages, wait until it has been drawn, take the picture."""
    page.get_by_role("link", name=words[which], exact=True).click()
    expect(page.get_by_role("heading", name=words[which]).first).to_be_visible(timeout=PATIENCE_MS)
    page.wait_for_function(
        "document.querySelector('[data-testid=stApp]').dataset.testScriptState !== 'running'"
        " && [...document.images].every(one => one.complete)"
    )
    scroll_to_top(page)
    page.screenshot(path=IMAGES / f"{which}-{name}.png")


def main() -> None:
    """Take all pictures."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for locale, words in WORDS.items():
            with tempfile.TemporaryDirectory() as folder, running_app(Path(folder)) as address:
                context = browser.new_context(
                    locale=locale, viewport={"width": 1280, "height": 860}, color_scheme="light"
                )
                page = context.new_page()
                page.goto(address)
                name = locale.partition("-")[0]
                expect(page.get_by_test_id("stChatInputTextArea")).to_be_visible(
                    timeout=PATIENCE_MS
                )
                take_chat(page, words, name)
                take_images(page, words, name)
                for which in ("gallery", "history", "money", "xray", "status"):
                    take_page(page, words, which, name)
                context.close()
        browser.close()


if __name__ == "__main__":
    main()
