"""The pages through real proxies, and from another user's browser: judged as the HTTP layer is."""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from core.practice.server import PracticeServer
from tests.browser.journeys import PATIENCE_MS
from tests.browser.test_access import QUICK, ask, live
from tests.proxy_programs import caddy, nginx
from tests.running_app import RunningApp, free_port, running_app
from tests.waiting import until

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(os.geteuid() != 0, reason="another user's proxy is started by root"),
]

WEBSOCKET = """
proxy_http_version 1.1;
proxy_set_header Upgrade $http_upgrade;
proxy_set_header Connection $connection_upgrade;
proxy_set_header Host $http_host;"""
MAP = "map $http_upgrade $connection_upgrade { default upgrade; '' ''; }"
FORWARDED = "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;"


@pytest.fixture
def provider() -> Iterator[PracticeServer]:
    with PracticeServer(settings=QUICK) as server:
        yield server


def server_block(app: RunningApp, port: int, lines: str) -> str:
    location = f"location / {{ proxy_pass {app.url}; {WEBSOCKET} {lines} }}"
    return f"{MAP} server {{ listen 127.0.0.1:{port}; {location} }}"


def chat(page: Page, url: str) -> None:
    page.goto(url)
    expect(page.get_by_test_id("stChatInputTextArea")).to_be_visible(timeout=PATIENCE_MS)


def with_access(tmp_path: Path, access: str) -> Path:
    secrets = tmp_path / "secrets.toml"
    secrets.write_text(f"[access]\n{access}\n")
    return secrets


@pytest.mark.parametrize("lines", ["", FORWARDED])
def test_a_page_through_another_users_proxy_spends_nothing_and_says_why(
    tmp_path: Path, browser: Browser, provider: PracticeServer, lines: str
) -> None:
    port = free_port()
    with (
        running_app(tmp_path / "data", live(provider)) as app,
        nginx(server_block(app, port, lines), port) as proxy,
    ):
        page = browser.new_page(locale="en-US")
        chat(page, f"http://localhost:{proxy.port}")
        why = re.compile("through a proxy" if lines else "does not belong to the user")
        expect(page.get_by_text(why)).to_be_visible(timeout=PATIENCE_MS)
        ask(page, "hello")
        assert provider.counters.chat_requests == 0
        page.close()

        owner = browser.new_page(locale="en-US")  # beside it, on the machine itself
        chat(owner, app.url)
        ask(owner, "hello")
        assert provider.counters.chat_requests >= 1
        owner.close()


def test_an_open_page_of_the_owners_is_told_that_a_forwarder_was_seen(
    tmp_path: Path, browser: Browser, provider: PracticeServer
) -> None:
    with running_app(tmp_path / "data", live(provider)) as app:
        page = browser.new_page(locale="en-US")
        chat(page, app.url)
        ask(page, "hello")
        until(lambda: provider.counters.chat_requests == 2, "the title was asked for, too")
        subprocess.run(
            ["curl", "-sS", "--noproxy", "*", "-0", f"{app.url}/healthz"],
            check=True,
            capture_output=True,
        )
        chat(page, app.url)
        expect(page.get_by_text("has passed on calls of others")).to_be_visible(timeout=PATIENCE_MS)
        ask(page, "hello")
        assert provider.counters.chat_requests == 2
        page.close()


def test_a_listed_proxy_names_the_person_and_nobody_else_does(
    tmp_path: Path, browser: Browser, provider: PracticeServer
) -> None:
    access = (
        'proxies = ["127.0.0.1"]\nuser_header = "X-Forwarded-Email"\nusers = ["ann@example.com"]'
    )
    secrets = with_access(tmp_path, access)
    ports = {name: free_port() for name in ("ann", "mallory")}
    with running_app(tmp_path / "data", live(provider), secrets=secrets) as app:
        for name, is_listed in (("ann", True), ("mallory", False)):
            lines = f"{FORWARDED} proxy_set_header X-Forwarded-Email {name}@example.com;"
            block = server_block(app, ports[name], lines)
            with nginx(block, ports[name]) as proxy:
                page = browser.new_page(locale="en-US")
                chat(page, f"http://localhost:{proxy.port}")
                told = page.get_by_text("is not on the owner's list")
                expect(told).to_have_count(0 if is_listed else 1, timeout=PATIENCE_MS)
                ask(page, f"a question of {name}")
                if is_listed:  # the title is asked for, too
                    until(lambda: provider.counters.chat_requests == 2, "two were asked for")
                assert provider.counters.chat_requests == 2
                page.close()


def test_caddy_with_its_own_defaults(
    tmp_path: Path, browser: Browser, provider: PracticeServer
) -> None:
    port = free_port()
    with running_app(tmp_path / "data", live(provider)) as app:
        text = f"http://:{port} {{\n    reverse_proxy {app.url.removeprefix('http://')}\n}}\n"
        with caddy(text, port) as proxy:
            page = browser.new_page(locale="en-US")
            chat(page, f"http://localhost:{proxy.port}")
            expect(page.get_by_text("through a proxy")).to_be_visible(timeout=PATIENCE_MS)
            ask(page, "hello")
            assert provider.counters.chat_requests == 0
            page.close()
