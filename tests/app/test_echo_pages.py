"""The echo upstream and the pages: no canary in anything a page sends to a browser."""

import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.access.owners import LOCAL_OWNER
from core.models.generations import GenerationStatus
from core.ui.start.configuration import app_settings
from core.wire.masking.secrets import known_secrets
from core.work.process_studio import open_studio
from core.work.studio import Studio
from tests.app.conftest import ROOT
from tests.app.test_chat_page import ask
from tests.app.test_images_page import generate
from tests.crash.workshop import QUICK
from tests.echo_upstream import ACCESS_KEY, CHAT_KEY, SECRET_KEY, TOKEN, EchoUpstream, Search
from tests.web.serving import ask_once

PAGES = tuple(sorted(path.relative_to(ROOT) for path in (ROOT / "pages").glob("*.py")))
FAULTS = ("400 json", "401 json", "500 html")


@pytest.fixture(params=[False, True], ids=["every form", "the bare key"])
def echo(
    request: pytest.FixtureRequest, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[EchoUpstream]:
    with EchoUpstream(is_bare=request.param) as upstream:
        for name, value in {
            "DEEPSEEK_API_KEY": CHAT_KEY,
            "DEEPSEEK_API_URL": upstream.chat_url,
            "ACCESS_KEY_ID": ACCESS_KEY,
            "ACCESS_KEY_SECRET": SECRET_KEY,
            "KLING_API_ORIGIN": upstream.origin,
            "INKLING_TOKENS": f"ann:{TOKEN}",
        }.items():
            monkeypatch.setenv(name, value)
        # The pages find it open, and quicker than they would open it.
        open_studio(app_settings, partial(ask_once, timings=QUICK))
        yield upstream


def look(app: AppTest, echo: EchoUpstream, search: Search, place: str) -> None:
    """Look at each element as it goes to the browser, whatever it is, and at its buttons' words."""
    assert not app.exception, place
    found = 0
    for block in (app.main, app.sidebar):
        for node in every_node(block):
            found += 1
            search.look(f"{place} {node.type}", told(node), echo.pieces)
    assert found > 3, place


def every_node(block: Any) -> Iterator[Any]:
    for child in block.children.values():
        yield child
        if hasattr(child, "children"):
            yield from every_node(child)


def told(node: Any) -> str:
    proto = getattr(node, "proto", None)
    raw = proto.SerializeToString().decode("utf-8", "replace") if proto is not None else ""
    return f"{raw}\n{proto}\n{getattr(node, 'label', '')}\n{getattr(node, 'value', '')}"


def test_no_page_shows_what_an_echoing_upstream_was_sent(
    app: AppTest,
    echo: EchoUpstream,
    studio: Callable[[], Studio],
    until: Callable[[Callable[[], bool]], None],
) -> None:
    search = Search()

    def every_page(after: str) -> None:
        for page in PAGES:
            app.switch_page(str(page)).run()
            look(app, echo, search, f"{page} after {after}")

    app.run()
    every_page("nothing")

    def has_one(status: GenerationStatus) -> Callable[[], bool]:
        return lambda: any(one.status is status for one in pictures())

    def pictures() -> tuple[Any, ...]:
        return studio().store.generation_lists.list(LOCAL_OWNER).items

    for fault, ends in (("", GenerationStatus.ARCHIVED), ("400 json", GenerationStatus.UNCERTAIN)):
        echo.fault = fault
        app.switch_page("pages/images.py").run()
        generate(app, f"a hill {fault}")
        until(has_one(ends))
        every_page(f"a picture, fault {fault!r}")
    for fault in ("", *FAULTS):
        echo.fault = fault
        app.switch_page("pages/chat.py").run()
        ask(app, f"hello {fault}")
        look(app, echo, search, f"chat, fault {fault!r}")
        every_page(f"an answer, fault {fault!r}")
        app.switch_page("pages/status.py").run()
        for key in [key for one in app.button if (key := one.key or "").startswith("check-")]:
            app.button(key=key).click().run()
            look(app, echo, search, f"status, {key}, fault {fault!r}")
    assert len(pictures()) == 2
    assert known_secrets.is_in(CHAT_KEY)
    assert any("/balance" in one for one in echo.asked)
    assert {CHAT_KEY} < echo.tokens
    sys.stdout.write(f"{search.examined} places examined, {len(search.found)} hold a canary\n")
    assert search.examined > 300
    assert not search.found, "\n".join(search.found)
