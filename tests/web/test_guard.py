"""Limits, and what a denial tells: through the guard as the layer uses it."""

import socket
import struct
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from core.access.forwarders import LATCH
from core.practice.server import PracticeServer
from core.settings import AccessSettings, Secret
from core.texts.catalogue import language_of
from core.web.guard.guess_limit import MOST_GUESSES, MOST_WAIT_S, PAUSE_S
from core.web.guard.limits import FULL_RETRY_S, Allowance, Limits
from tests.upstream import STREAM_HEAD, Plan, Step, Upstream, streamed, whole
from tests.waiting import until
from tests.web.events import hear, opened
from tests.web.serving import QUICK, Served, serving, serving_practice

TOKEN = "token-of-the-phone-0123456789"


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_caller_waits_while_too_much_is_under_way() -> None:
    limits = Limits(clock=Clock(), each=Allowance(2, 100), all_=Allowance(3, 100))
    assert [limits.begin("a"), limits.begin("a"), limits.begin("a")] == [None, None, FULL_RETRY_S]
    assert limits.begin("b") is None
    assert limits.begin("b") == FULL_RETRY_S  # all together
    limits.end("a")
    assert limits.begin("b") is None


def test_a_minute_has_to_pass_when_too_much_was_begun() -> None:
    clock = Clock()
    limits = Limits(clock=clock, each=Allowance(9, 2), all_=Allowance(9, 9))
    for _ in range(2):
        assert limits.begin("a") is None
        limits.end("a")
        clock.now += 10
    assert limits.begin("a") == 40
    assert limits.begin("b") is None
    clock.now += 40
    assert limits.begin("a") is None


def test_a_refused_request_counts_for_nothing() -> None:
    clock = Clock()
    limits = Limits(clock=clock, each=Allowance(1, 2), all_=Allowance(9, 9))
    limits.begin("a")
    for _ in range(5):
        assert limits.begin("a") is not None
    limits.end("a")
    assert limits.begin("a") is None


def silent(_body: dict[str, Any]) -> Plan:
    """Answer a head, and then nothing."""
    yield Step(0, STREAM_HEAD)
    yield Step(0, None)


def one_at_a_time() -> Limits:
    return Limits(each=Allowance(1, 100), all_=Allowance(9, 100))


def test_too_many_at_once_are_told_when_to_come_back(tmp_path: Path) -> None:
    with (
        Upstream(silent) as upstream,
        serving(tmp_path, chat_url=upstream.url, new_limits=one_at_a_time) as served,
    ):
        with opened(served.http, "/stream", params={"question": "q"}) as (_, reading):
            next(reading)
            # The head of a posted chat is sent before its request.
            until(lambda: upstream.exchanges, "the first question at the upstream")
            reply = served.http.get("/complete", params={"question": "q"})
            assert reply.status_code == 429
            assert reply.headers["retry-after"] == str(FULL_RETRY_S)
            assert served.http.get("/healthz").status_code == 200
        assert len(upstream.exchanges) == 1


def read_to_the_end(http: httpx.Client) -> None:
    assert hear(http, "/stream", params={"question": "q"}).has_ended


def read_whole(http: httpx.Client) -> None:
    assert http.get("/complete", params={"question": "q"}).status_code == 200


def send_what_is_refused(http: httpx.Client) -> None:
    assert http.post("/complete", json={"question": 5}).status_code == 400


def leave_early(http: httpx.Client) -> None:
    with opened(http, "/stream", params={"question": "stay silent"}) as (_, reading):
        next(reading)


def break_off(http: httpx.Client) -> None:
    """Send half a request, and reset the connection."""
    address = http.base_url.host, http.base_url.port
    with socket.create_connection(address) as line:
        line.sendall(b"POST /complete HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n\r\n{")
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@pytest.mark.parametrize(
    "call", [read_to_the_end, read_whole, send_what_is_refused, leave_early, break_off]
)
def test_a_call_that_has_ended_makes_room_for_the_next(
    tmp_path: Path, call: Callable[[httpx.Client], None]
) -> None:
    def plan(body: dict[str, Any]) -> Plan:
        question = body["messages"][-1]["content"]
        if question == "stay silent":
            yield from silent(body)
        elif body.get("stream"):
            yield from streamed(["a"], 0)
        else:
            yield Step(0, whole({"choices": [{"message": {"content": "a"}}]}))

    with (
        Upstream(plan) as upstream,
        serving(tmp_path, chat_url=upstream.url, new_limits=one_at_a_time) as served,
    ):
        for _ in range(3):
            call(served.http)
            until(
                lambda: served.http.get("/v1/models").status_code == 200, "the next call is let in"
            )


@pytest.fixture(scope="module")
def practice() -> Iterator[PracticeServer]:
    with PracticeServer(settings=QUICK) as server:
        yield server


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, practice: PracticeServer) -> Iterator[Served]:
    access = AccessSettings(
        origins=("https://front.example",),
        hosts=("studio.lan",),
        tokens={"phone": Secret(TOKEN), "tablet": Secret("token-of-the-tablet-012345")},
    )
    with serving_practice(tmp_path_factory.mktemp("guard"), practice, access) as running:
        yield running


TURNS = int(MOST_WAIT_S / PAUSE_S)
ELSEWHERE = {"X-Forwarded-For": "203.0.113.9"}


@pytest.mark.parametrize(
    ("headers", "query", "status"),
    [
        ({"Authorization": f"Bearer {TOKEN}"}, "", 200),
        ({"authorization": f"bearer {TOKEN}"}, "", 200),
        ({}, f"&access_token={TOKEN}", 200),
        ({}, "", 403),
        ({"Authorization": f"Bearer {TOKEN[:-1]}"}, "", 401),
        ({"Authorization": f"Bearer {TOKEN}x"}, "", 401),
        ({"Authorization": f"Basic {TOKEN}"}, "", 403),
        ({}, f"&access_token={TOKEN[:-1]}0", 401),
    ],
)
def test_from_elsewhere_only_with_a_token(
    served: Served, practice: PracticeServer, headers: dict[str, str], query: str, status: int
) -> None:
    before = practice.counters.chat_requests
    reply = served.http.get(f"/complete?question=hi{query}", headers={**ELSEWHERE, **headers})
    assert reply.status_code == status
    assert practice.counters.chat_requests - before == (1 if status == 200 else 0)
    assert TOKEN not in reply.text
    if status == 401:
        assert reply.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    ("headers", "names"),
    [
        (ELSEWHERE, "INKLING_TOKENS"),
        ({"Host": "evil.example"}, "behind_proxy = true under [access]"),
        ({"Host": "studio.local"}, "hosts under [access]"),
        ({"Origin": "https://evil.example"}, "origins under [access]"),
    ],
)
def test_a_refusal_says_what_to_configure(
    served: Served, headers: dict[str, str], names: str
) -> None:
    reply = served.http.get("/stream?question=x", headers=headers)
    assert reply.status_code == 403
    assert names in reply.json()["error"]
    assert "access-control-allow-origin" not in reply.headers
    chinese = served.http.get(
        "/stream?question=x", headers={**headers, "Accept-Language": "zh-CN,zh;q=0.9,en;q=0.8"}
    ).json()["error"]
    assert "墨灵" in chinese
    assert all(name in chinese for name in names.split(" under "))


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        (None, "en"),
        ("", "en"),
        ("*", "en"),
        ("zh", "zh"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("zh-Hant-TW", "zh"),
        ("en-GB,en;q=0.9,zh;q=0.8", "en"),
        ("de, zh ; q=0.5, en;q=0.4", "zh"),
        ("fr-FR,zha", "en"),
        ("zh;q=much,en;q=0.1", "en"),
        ("zh;q=0", "en"),
        (",;=,zh;q=nan" * 40, "en"),
    ],
)
def test_a_refusal_comes_in_the_language_that_is_asked_for(
    accepted: str | None, language: str
) -> None:
    assert language_of(accepted) == language


def test_a_listed_page_elsewhere_may_ask_first_and_then_call_with_its_token(
    served: Served,
) -> None:
    page = {**ELSEWHERE, "Origin": "https://front.example"}
    assert served.http.options("/stream", headers=page).status_code == 204
    reply = served.http.get(
        "/complete?question=hi", headers={**page, "Authorization": f"Bearer {TOKEN}"}
    )
    assert reply.status_code == 200
    assert reply.headers["access-control-allow-origin"] == "https://front.example"
    refused = served.http.get("/complete?question=hi", headers=page)
    assert refused.status_code == 403


def test_tokens_and_keys_stay_out_of_the_log(
    served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    served.http.get(f"/complete?question=hi&access_token={TOKEN}", headers=ELSEWHERE)
    served.http.get(f"/kling/v1/images/generations?access_token={TOKEN}", headers=ELSEWHERE)
    lines = [one.getMessage() for one in caplog.records if not one.name.startswith("http")]
    assert any('"GET /complete HTTP/1.1" 200' in line for line in lines)  # a host that keeps one
    assert not any(TOKEN in line or "question" in line for line in lines)


def test_a_reply_to_a_foreign_page_never_says_that_it_may_read(served: Served) -> None:
    for path in ("/stream?question=x", "/v1/models", "/kling/v1/x", "/healthz", "/readyz"):
        reply = served.http.get(path, headers={"Origin": "https://evil.example"})
        assert "access-control-allow-origin" not in reply.headers, path


def test_the_plan_of_a_provider_is_not_needed_for_the_models(tmp_path: Path) -> None:
    def plan(_body: dict[str, Any]) -> Plan:
        yield Step(0, whole({}))

    with Upstream(plan) as upstream, serving(tmp_path, chat_url=upstream.url) as served:
        assert served.http.get("/v1/models").status_code == 200
        assert upstream.exchanges == []


def test_guesses_are_slowed_and_nobody_else_is(tmp_path: Path, practice: PracticeServer) -> None:
    access = AccessSettings(tokens={"phone": Secret(TOKEN), "tablet": Secret(TOKEN[::-1])})
    with serving_practice(tmp_path, practice, access) as served:

        def ask(token: str, **headers: str) -> httpx.Response:
            named = {"Authorization": f"Bearer {token}", **headers}
            return served.http.get("/complete?question=hi", headers=named)

        here = {"Host": "localhost"}
        away = {"Host": "localhost", "X-Forwarded-For": "203.0.113.9"}
        assert ask(TOKEN, **away).status_code == 200
        for number in range(MOST_GUESSES):
            assert ask(f"guess-number-{number:08}", **away).status_code == 401
        with ThreadPoolExecutor(2 * TURNS) as pool:  # from here on one after another
            guesses = [f"another-guess-{number:08}" for number in range(2 * TURNS)]
            replies = list(pool.map(lambda token: ask(token, **away), guesses))
        kept_out = [reply for reply in replies if reply.status_code == 429]
        assert kept_out
        assert {reply.status_code for reply in replies} == {401, 429}
        assert all(int(reply.headers["retry-after"]) > 0 for reply in kept_out)
        assert ask(TOKEN, **away).status_code == 200  # it was right from there before
        assert ask(TOKEN[::-1], **away).status_code == 200  # it has waited for its turn
        LATCH.release()
        assert ask("sk-of-any-client-0123456789", **here).status_code == 200
