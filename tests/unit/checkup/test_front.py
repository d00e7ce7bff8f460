"""What stands before the studio, seen from outside: each fault of a proxy by its name."""

import asyncio

import pytest

from core.work.checkup.finding import Finding
from core.work.checkup.front import TRIES, judge_beats, look_at_front
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


def test_a_moment_in_which_all_comes_at_once_is_no_proxys_doing() -> None:
    with Front(fault="busy 1") as front:
        findings = look(f"http://127.0.0.1:{front.port}")
    assert "stream_good" in {one.id for one in findings}
    assert front.beats >= 2


def test_what_holds_back_is_asked_a_few_times() -> None:
    with Front(fault="buffers") as front:
        look(f"http://127.0.0.1:{front.port}")
    assert front.beats == TRIES


@pytest.mark.parametrize(
    ("arrivals", "expected"),
    [
        ([], "stream_buffered"),
        ([0.8], "stream_buffered"),
        ([0.75] * 6, "stream_buffered"),
        ([0.01, 0.16, 0.31, 0.46, 0.61, 0.76], "stream_good"),
        ([0.3, 0.3, 0.5, 0.8], "stream_good"),  # a reader that was late at first
        ([0.2, 0.75], "stream_buffered"),  # what is held is passed on once a second
        ([0.4, 0.4, 0.4, 0.75], "stream_buffered"),
    ],
)
def test_pieces_are_judged_by_when_they_came(arrivals: list[float], expected: str) -> None:
    assert judge_beats(arrivals).id == expected


def test_nobody_there() -> None:
    with Front() as front:
        port = front.port
    assert [one.id for one in look(f"http://127.0.0.1:{port}")] == ["front_unreachable"]
