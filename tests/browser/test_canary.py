"""No byte of a key leaves the server: not by a websocket frame, a page, a log line or a file."""

import base64
import contextlib
import sqlite3
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Download, Page, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeoutError

from core.practice.server import PracticeServer
from core.practice.settings import PracticeSettings
from tests.browser.journeys import PATIENCE_MS
from tests.running_app import running_app

CHAT_KEY = "sk-canary-CHAT-1f7c90aa52e64c0f"
ACCESS_KEY = "AK-canary-ACCESS-93b1d2"
SECRET_KEY = "SK-canary-SECRET-77e0c41b9aa2f36d5e8811"
DATABASE = "sqlite-canary-DATABASE-55aa"
SECRETS = (CHAT_KEY, ACCESS_KEY, SECRET_KEY)

pytestmark = pytest.mark.browser


def forms(secret: str) -> list[bytes]:
    """Return a secret as it stands, and as it would stand in base64 at any offset."""
    raw = secret.encode()
    encoded = []
    for offset in range(3):
        whole = base64.b64encode(b"\0" * offset + raw)
        encoded.append(whole[4 : len(whole) - 4])  # the ends depend on what stands around
    return [raw, *encoded]


def holds_secret(content: bytes) -> str | None:
    for secret in SECRETS:
        if any(form in content for form in forms(secret)):
            return secret
    return None


def download_of(page: Page) -> Download:
    """Click until the download begins: a page that is just drawn anew swallows the click."""
    for _ in range(5):
        with contextlib.suppress(PlaywrightTimeoutError):
            with page.expect_download(timeout=6_000) as download:
                page.get_by_role("button", name="Download: Picture 1").click()
            return download.value
    raise AssertionError("the download does not begin")


def test_keys_stay_on_the_server(tmp_path: Path, browser: Browser) -> None:
    settings = PracticeSettings(
        chat_key=CHAT_KEY,
        access_key=ACCESS_KEY,
        secret_key=SECRET_KEY,
        first_delta_s=0.05,
        delta_interval_s=0.002,
        submitted_s=0.2,
        processing_s=0.3,
    )
    frames: list[bytes] = []
    bodies: list[bytes] = []
    with (
        PracticeServer(settings=settings) as provider,
        running_app(
            tmp_path / "data",
            {
                "DEEPSEEK_API_KEY": CHAT_KEY,
                "DEEPSEEK_API_URL": provider.chat_url,
                "ACCESS_KEY_ID": ACCESS_KEY,
                "ACCESS_KEY_SECRET": SECRET_KEY,
                "KLING_API_ORIGIN": provider.origin,
            },
        ) as app,
    ):
        page = browser.new_page(locale="en-US")
        page.on(
            "websocket",
            lambda socket: socket.on(
                "framereceived",
                lambda frame: frames.append(frame if isinstance(frame, bytes) else frame.encode()),
            ),
        )
        page.on("response", lambda response: bodies.append(str(response.headers).encode()))
        page.goto(app.url)
        box = page.get_by_test_id("stChatInputTextArea")
        for question in ("Tell me about keys", "/practice 401", "/practice 402", "/practice html"):
            expect(box).to_be_visible(timeout=PATIENCE_MS)
            answers = page.get_by_role("button", name="Regenerate").count()
            box.fill(question)
            box.press("Enter")
            expect(page.get_by_role("button", name="Regenerate")).to_have_count(
                answers + 1, timeout=PATIENCE_MS
            )
        page.get_by_role("link", name="Images").click()
        page.get_by_label("Prompt", exact=True).fill("a mountain")
        page.get_by_role("button", name="Generate").click()
        expect(page.get_by_test_id("stDownloadButton")).to_have_count(1, timeout=PATIENCE_MS)
        download = download_of(page)
        downloaded = download.path().read_bytes()
        bodies.append(page.content().encode())
        page.close()
        assert provider.counters.tasks_accepted == 1
        assert provider.counters.chat_requests >= 4
        log = app.log.read_bytes()

    assert frames
    assert downloaded.startswith(b"\x89PNG")
    for name, content in (
        ("a websocket frame", b"\n".join(frames)),
        ("a page or header", b"\n".join(bodies)),
        ("the log", log + app.log.read_bytes()),
        ("a downloaded picture", downloaded),
    ):
        assert holds_secret(content) is None, f"{name} holds a key"
    files = [path for path in (tmp_path / "data").rglob("*") if path.is_file()]
    assert any(path.suffix == ".sqlite3" for path in files)
    for path in files:
        assert holds_secret(path.read_bytes()) is None, f"{path.name} holds a key"
        # Signed links are secrets too: the archive keeps pictures, never where they came from.
        assert provider.origin.encode() not in path.read_bytes() or path.suffix == ".jsonl"


def test_the_canary_would_be_seen(tmp_path: Path) -> None:
    database = tmp_path / "x.sqlite3"
    with sqlite3.connect(database) as connection:
        connection.execute("CREATE TABLE t (v TEXT)")
        connection.execute("INSERT INTO t VALUES (?)", (CHAT_KEY,))
    connection.close()
    assert holds_secret(database.read_bytes()) == CHAT_KEY
    assert holds_secret(base64.b64encode(f"x{SECRET_KEY}y".encode())) == SECRET_KEY
