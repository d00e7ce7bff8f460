"""What stands before the studio, seen from outside: each fault of a proxy by its name."""

import asyncio

import pytest

from core.work.checkup.finding import Finding
from core.work.checkup.front import PACES_MS, look_at_front
from tests.unit.checkup.servers import Front


def look(url: str) -> list[Finding]:
    async def all_of_it() -> list[Finding]:
        return [one async for one in look_at_front(url, token="t", timeout_s=30)]

    return asyncio.run(all_of_it())


@pytest.mark.parametrize(
    ("expected", "fault", "base", "asked"),
    [
        ("stream_good", "", "", ""),
        ("stream_good", "", "/ink", "/ink"),
        ("stream_buffered", "buffers", "", ""),
        ("websocket_blocked", "websocket", "", ""),
        ("front_token", "token", "", ""),
        ("front_not_studio", "another", "", "/ink"),
        ("base_path", "", "", "/ink"),
        ("base_path", "", "/ink", "/ink/more"),
    ],
)
def test_each_is_named(expected: str, fault: str, base: str, asked: str) -> None:
    with Front(base=base, fault=fault) as front:
        findings = look(f"http://127.0.0.1:{front.port}{asked}")
    assert expected in {one.id for one in findings}
    bad = {one.id for one in findings if one.level == "fault"}
    assert bad <= {expected}


@pytest.mark.parametrize(("fault", "paces_ms"), [("", [150]), ("busy 1", [150, 400])])
def test_a_moment_in_which_all_comes_at_once_is_no_proxys_doing(
    fault: str, paces_ms: list[int]
) -> None:
    with Front(fault=fault) as front:
        findings = look(f"http://127.0.0.1:{front.port}")
    assert "stream_good" in {one.id for one in findings}
    assert front.paces_ms == paces_ms


def test_what_holds_back_is_asked_at_every_pace() -> None:
    with Front(fault="buffers") as front:
        look(f"http://127.0.0.1:{front.port}")
    assert front.paces_ms == list(PACES_MS)


def test_nobody_there() -> None:
    with Front() as front:
        port = front.port
    assert [one.id for one in look(f"http://127.0.0.1:{port}")] == ["front_unreachable"]
