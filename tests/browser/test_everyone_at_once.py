"""Two hundred calls at once by every way there is, pages too, against one budget that they share.

BUDGET_CALLS=200 makes it as many; a run of all tests takes fewer.
"""

import os
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from core.practice.server import PracticeServer
from tests.browser.journeys import PATIENCE_MS
from tests.running_app import RunningApp, running_app, wait_until_there
from tests.threads_client import threads_client
from tests.waiting import until
from tests.web.serving import CHAT_KEY, KLING_KEY, QUICK

pytestmark = [pytest.mark.browser, pytest.mark.postgres]

CALLS = int(os.environ.get("BUDGET_CALLS", "90"))
PICTURES, WORDS = 37, 20  # what the day's budgets pay for: pieces at 1 CNY, answers at 1 USD
ON_PAGES = 2  # pictures asked for on each process's page, of CALLS
CHAT = {"messages": [{"role": "user", "content": "hi"}], "max_tokens": 100}
PICTURE = {"model_name": "kling-v3", "prompt": "a hill", "n": 1}
FAILS = PICTURE | {"prompt": "something sensitive"}  # accepted, then failed: it costs nothing
WAYS = ("/complete", "/stream", "/v1/chat/completions")
SECRETS = f"""
[budget]
day = ["{PICTURES} CNY", "{WORDS} USD"]

[[prices.chat]]
model = "deepseek-flash"
currency = "USD"
input_hit = 0
input_miss = 0
output = 10000

[[prices.images]]
model = "kling-v3"
currency = "CNY"
each = 1
"""


@pytest.fixture
def practice() -> Iterator[PracticeServer]:
    # It fails slowly, so that what it gives back comes while the others still ask, or later.
    with PracticeServer(settings=replace(QUICK, processing_s=1.0)) as server:
        yield server


@pytest.fixture(params=[1, 3] if CALLS >= 200 else [3], ids=lambda many: f"{many} processes")
def apps(
    request: pytest.FixtureRequest, tmp_path: Path, practice: PracticeServer
) -> Iterator[list[RunningApp]]:
    secrets = tmp_path / "secrets.toml"
    secrets.write_text(SECRETS)
    environment = {
        "DEEPSEEK_API_URL": practice.chat_url,
        "DEEPSEEK_API_KEY": CHAT_KEY,
        "KLING_API_ORIGIN": practice.origin,
        "KLING_API_KEY": KLING_KEY,
    }
    if request.param > 1:
        environment["DATABASE_URL"] = request.getfixturevalue("postgres_url")
    with ExitStack() as stack:
        running = [
            stack.enter_context(running_app(tmp_path / "data", environment, secrets=secrets))
            for _ in range(request.param)
        ]
        for app in running:
            wait_until_there(f"{app.url}/readyz", app)
        yield running


def post(client: httpx.Client, path: str, body: dict[str, Any]) -> int:
    reply = client.post(path, json=body, headers={"Accept-Language": "zh"})
    if reply.status_code == 402:
        assert "预算" in reply.text  # refused kindly
        assert int(reply.headers["retry-after"]) > 0
    return reply.status_code


def press_generate(page: Page, times: int) -> None:
    """Ask for pictures as a person does, whatever becomes of it."""
    for number in range(times):
        page.locator(".st-key-image-prompt textarea").fill(f"a hill, seen for the {number}. time")
        page.locator(".st-key-generate button").click()
        expect(page.locator("[data-testid=stApp]")).to_have_attribute(
            "data-test-script-state", "notRunning", timeout=PATIENCE_MS
        )


def every_line(client: httpx.Client) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    query = {"limit": "100"}
    while True:
        body = client.get("/ledger", params=query).json()
        found += body["lines"]
        if body["next"] is None:
            return found
        query["cursor"] = body["next"]


def all_settled(client: httpx.Client) -> list[dict[str, Any]]:
    def settled() -> list[dict[str, Any]]:
        found = every_line(client)
        return [] if any(one["state"] == "reserved" for one in found) else found

    return until(settled, "no line is only held back")  # type: ignore[no-any-return]


def spent(lines: list[dict[str, Any]], kind: str) -> Decimal:
    return sum((Decimal(one["amount"]) for one in lines if one["kind"] == kind), Decimal(0))


def test_no_way_in_passes_the_budget(
    apps: list[RunningApp], practice: PracticeServer, browser: Browser
) -> None:
    with ExitStack() as stack:
        pool = stack.enter_context(ThreadPoolExecutor(32))
        clients = [stack.enter_context(threads_client(app.url, 90)) for app in apps]
        context = stack.enter_context(browser.new_context(locale="en-GB"))
        pages = []
        for app in apps:
            pages.append(context.new_page())
            pages[-1].goto(f"{app.url}/images")
            expect(pages[-1].locator(".st-key-generate button")).to_be_visible(timeout=PATIENCE_MS)

        assert post(clients[0], "/kling/v1/images/generations", FAILS) == 200
        pictures: list[Future[int]] = []
        words: list[Future[int]] = []
        for number in range((CALLS - ON_PAGES * len(apps)) // 2):
            client = clients[number % len(clients)]
            pictures.append(pool.submit(post, client, "/kling/v1/images/generations", PICTURE))
            words.append(pool.submit(post, client, WAYS[number % len(WAYS)], CHAT))
        for page in pages:
            press_generate(page, ON_PAGES)
        wait([*pictures, *words])

        drawn, answered = ([one.result() for one in some] for some in (pictures, words))
        assert set(drawn) == set(answered) == {200, 402}
        lines = all_settled(clients[-1])
        if spent(lines, "image") < PICTURES:  # what failed gave its yuan back after the rush
            assert post(clients[-1], "/kling/v1/images/generations", PICTURE) == 200
            lines = all_settled(clients[0])
        assert post(clients[0], "/kling/v1/images/generations", PICTURE) == 402

        assert spent(lines, "image") == PICTURES
        assert practice.counters.tasks_accepted == PICTURES + 1  # and the one that failed
        assert WORDS - 1 < spent(lines, "chat") <= WORDS
        assert practice.counters.chat_requests == answered.count(200)
        assert sum(one["kind"] == "chat" for one in lines) == answered.count(200)
