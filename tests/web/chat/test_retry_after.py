"""Retry-After: a provider that asks to wait is obeyed, and a wait that is too long is told."""

import json
import time
from collections.abc import Callable
from email.utils import formatdate
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from core.errors import UnavailableError
from core.models.chat import ChatParameters, Turn
from core.web.http_errors import http_error_from
from core.web.timings import HttpTimings
from core.work.chat.timings import AnswerTimings
from core.work.studio import Studio
from tests.upstream import Plan, Step, Upstream, completion, streamed, whole
from tests.waiting import until
from tests.web.serving import Served, serving

BUSY = {"error": {"message": "busy", "type": "rate_limit_error", "code": "rate_limit_exceeded"}}
REASONS = {429: "Too Many Requests", 503: "Service Unavailable", 500: "Internal Server Error"}


def refusal(status: int, *headers: str) -> bytes:
    head, _, body = whole(BUSY, f"{status} {REASONS[status]}").partition(b"\r\n\r\n")
    lines = "".join(f"\r\n{line}" for line in headers).encode()
    return head + lines + b"\r\nconnection: close\r\n\r\n" + body


def refusing(times: int, reply: Callable[[], bytes]) -> Callable[[dict[str, Any]], Plan]:
    """Return a plan that says no so often, and then answers; titles do not count."""
    left = [times]

    def plan(body: dict[str, Any]) -> Plan:
        if left[0] > 0:
            left[0] -= 1
            yield Step(0, reply())
        elif body.get("stream"):
            yield from streamed(["好", "的"], 0)
        else:
            yield Step(0, completion("好的"))

    return plan


def seconds() -> str:
    return "Retry-After: 1"


def date() -> str:
    now = time.time()
    return (
        f"Date: {formatdate(now, usegmt=True)}\r\nRetry-After: {formatdate(now + 1, usegmt=True)}"
    )


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("wish", [seconds, date])
@pytest.mark.parametrize("path", ["/stream", "/complete", "/v1/chat/completions"])
def test_a_short_wait_is_obeyed_and_nobody_hears_of_it(
    tmp_path: Path, status: int, wish: Callable[[], str], path: str
) -> None:
    with (
        Upstream(refusing(1, lambda: refusal(status, wish()))) as upstream,
        serving(tmp_path, chat_url=upstream.url) as served,
    ):
        reply = ask(served, path)
        assert reply.status_code == 200
        assert "error" not in reply.text
        first, second = upstream.exchanges[:2]
        assert second.asked_at - first.asked_at >= 1


def ask(served: Served, path: str, *, streams: bool = False) -> Any:
    body = {"messages": [{"role": "user", "content": "?"}], "stream": streams}
    return served.http.post(path, json=body)


@pytest.mark.parametrize("status", [429, 503])
def test_a_wait_beyond_all_patience_is_told_at_once(tmp_path: Path, status: int) -> None:
    with (
        Upstream(refusing(99, lambda: refusal(status, "Retry-After: 3600"))) as upstream,
        serving(tmp_path, chat_url=upstream.url) as served,
    ):
        for path, streams in (
            ("/complete", False),
            ("/v1/chat/completions", False),
            ("/v1/chat/completions", True),
        ):
            reply = ask(served, path, streams=streams)
            assert (reply.status_code, reply.headers["retry-after"]) == (status, "3600")
            assert "x-should-retry" not in reply.headers
        events = ask(served, "/stream").text
        told = json.loads(events.partition("data: ")[2].partition("\n")[0])
        assert told["retry_after"] == 3600
        assert "asks to wait 3600 s" in told["message"]
        assert len(upstream.exchanges) == 4  # not one more: who must wait is not asked again


def test_waits_add_up_to_a_bound(tmp_path: Path) -> None:
    impatient = partial(Studio.open, answer_timings=AnswerTimings(retry_after_limit_s=1.5))
    with (
        Upstream(refusing(99, lambda: refusal(429, "Retry-After: 1"))) as upstream,
        serving(tmp_path, chat_url=upstream.url, build=impatient) as served,
    ):
        reply = ask(served, "/complete")
        assert (reply.status_code, reply.headers["retry-after"]) == (429, "1")
        assert len(upstream.exchanges) == 2


def test_a_provider_that_wants_no_repeat_gets_none_and_clients_are_told(tmp_path: Path) -> None:
    with (
        Upstream(refusing(99, lambda: refusal(500, "x-should-retry: false"))) as upstream,
        serving(tmp_path, chat_url=upstream.url) as served,
    ):
        reply = ask(served, "/v1/chat/completions")
        assert (reply.status_code, reply.headers["x-should-retry"]) == (500, "false")
        assert len(upstream.exchanges) == 1


def test_clients_repeat_nothing_that_may_have_been_billed(tmp_path: Path) -> None:
    def plan(_body: dict[str, Any]) -> Plan:
        yield Step(0, whole({"what": "is this"}))

    with (
        Upstream(plan) as upstream,
        serving(tmp_path, chat_url=upstream.url) as served,
    ):
        reply = ask(served, "/v1/chat/completions")
        assert reply.status_code >= 500
        assert reply.headers["x-should-retry"] == "false"
        assert len(upstream.exchanges) == 1
    silent = UnavailableError("error.network_timeout", provider="deepseek")
    offline = UnavailableError("error.network_connect", provider="deepseek")
    assert dict(http_error_from(silent, "en").headers) == {"X-Should-Retry": "false"}
    assert http_error_from(offline, "en").headers == ()


def test_a_stream_keeps_its_status_open_while_it_waits(tmp_path: Path) -> None:
    timings = HttpTimings(keep_alive_s=1.0)
    replies = iter([refusal(429, "Retry-After: 2"), refusal(429, "Retry-After: 3600")])
    with (
        Upstream(refusing(2, lambda: next(replies))) as upstream,
        serving(tmp_path, chat_url=upstream.url, timings=timings) as served,
    ):
        reply = ask(served, "/v1/chat/completions", streams=True)
        assert (reply.status_code, reply.headers["retry-after"]) == (429, "3600")


def test_the_readers_of_an_answer_see_how_long_it_waits(tmp_path: Path) -> None:
    with (
        Upstream(refusing(1, lambda: refusal(429, "Retry-After: 2"))) as upstream,
        serving(tmp_path, chat_url=upstream.url) as served,
    ):
        begun = served.studio.answers.ask_posted(
            "local", [Turn.of_text("user", "?")], _parameters(served)
        )
        left = until(lambda: begun.rest_left_s, "it waits")
        assert 0 < left < 3.1
        until(lambda: begun.is_final, "it is answered")
        assert begun.rest_left_s is None
        assert begun.snapshot().content == "好的"


def _parameters(served: Served) -> Any:
    return ChatParameters(model=served.studio.chat_models()[0])
