"""Readers who come back: the same answer from the same upstream request, whole and once."""

import asyncio
import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from core.models.chat import AnswerStatus
from core.settings import AccessSettings, Secret
from core.web.chat.audience import Audiences
from core.web.timings import HttpTimings
from tests.upstream import DONE, STREAM_HEAD, Plan, Step, Upstream, ending, event
from tests.waiting import until
from tests.web.events import hear, opened
from tests.web.serving import Served, serving

PIECES = [f"第{number}片。" for number in range(40)]


class Script:
    """An answer that stops half-way until it is told to go on."""

    def __init__(self) -> None:
        self.go_on = threading.Event()
        self.half = len(PIECES) // 2

    def __call__(self, _body: dict[str, Any]) -> Plan:
        yield Step(0, STREAM_HEAD)
        for number, piece in enumerate(PIECES):
            while number == self.half and not self.go_on.is_set():
                yield Step(0.01, b": wait\n\n")
            yield Step(0, event(content=piece))
        yield Step(0, ending() + DONE)


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
def upstream(script: Script) -> Iterator[Upstream]:
    with Upstream(script) as running:
        yield running


@pytest.fixture
def served(tmp_path: Path, upstream: Upstream, request: pytest.FixtureRequest) -> Iterator[Served]:
    marker = request.node.get_closest_marker("timings")
    timings = HttpTimings(**marker.kwargs) if marker else HttpTimings()
    with serving(tmp_path, chat_url=upstream.url, timings=timings) as running:
        yield running


def read_until(served: Served, enough: Callable[[str], bool]) -> tuple[str, str]:
    """Ask, read until there is enough, hang up; return the text and the last event's id."""
    with opened(served.http, "/stream", params={"question": "q"}) as (_, reading):
        for heard in reading:
            if enough(heard.text):
                return heard.text, heard.last_event_id
    raise AssertionError("the stream ended early")


def come_back(served: Served, last_event_id: str) -> Any:
    return hear(
        served.http, "/stream", params={"question": "q"}, headers={"Last-Event-ID": last_event_id}
    )


def test_a_reader_cut_off_in_mid_answer_gets_the_rest_once(
    served: Served, upstream: Upstream, script: Script
) -> None:
    first, last_event_id = read_until(served, lambda text: PIECES[script.half - 1] in text)
    script.go_on.set()
    rest = come_back(served, last_event_id)
    assert first + rest.text == "".join(PIECES)
    assert rest.has_ended
    assert len(upstream.exchanges) == 1


def test_a_reader_cut_off_before_the_first_piece_pays_once(
    served: Served, upstream: Upstream, script: Script
) -> None:
    script.half = 0
    with opened(served.http, "/stream", params={"question": "q"}) as (_, reading):
        last_event_id = next(heard for heard in reading if heard.last_event_id).last_event_id
    script.go_on.set()
    assert come_back(served, last_event_id).text == "".join(PIECES)
    assert len(upstream.exchanges) == 1


def test_who_comes_back_after_the_end_reads_it_from_the_history(
    served: Served, upstream: Upstream, script: Script
) -> None:
    first, last_event_id = read_until(served, lambda text: PIECES[3] in text)
    script.go_on.set()
    answer_id = last_event_id.partition(".")[0]
    until(lambda: served.studio.answers.live(answer_id) is None, "the answer has ended")
    rest = come_back(served, last_event_id)
    assert first + rest.text == "".join(PIECES)
    assert len(upstream.exchanges) == 1


@pytest.mark.parametrize("last_event_id", ["x", "0" * 32 + ".5", "' OR 1=1", "9" * 500, "é"])
def test_an_id_that_is_not_ours_asks_nothing(
    served: Served, upstream: Upstream, last_event_id: str
) -> None:
    reply = served.http.get(
        "/stream", params={"question": "q"}, headers={b"Last-Event-ID": last_event_id.encode()}
    )
    assert reply.status_code == 204  # which tells an EventSource to stay away
    assert upstream.exchanges == []


TOKEN = "token-of-the-owners-front-end"
PEOPLE = AccessSettings(
    proxies=(ip_network("127.0.0.1/32"),),
    user_header="x-person",
    users=("example.org",),
    tokens={"phone": Secret(TOKEN)},
)


def by_proxy(person: str) -> dict[str, str]:
    """Return what a proxy that signs people in adds to a request."""
    return {"X-Forwarded-For": "203.0.113.9", "X-Person": person}


def test_a_running_answer_is_resumed_by_whoever_asked_and_by_nobody_else(
    tmp_path: Path, upstream: Upstream, script: Script
) -> None:
    with serving(tmp_path, chat_url=upstream.url, access=PEOPLE) as served:
        asked = {"question": "q"}
        ann = by_proxy("ann@example.org")
        with opened(served.http, "/stream", params=asked, headers=ann) as (_, reading):
            heard = next(heard for heard in reading if PIECES[3] in heard.text)
            assert served.studio.answers.live(heard.answer_id) is not None
            again = {"Last-Event-ID": f"{heard.answer_id}.0"}
            owner = {"Authorization": f"Bearer {TOKEN}"}
            for others in (by_proxy("bob@example.org"), owner):
                with served.http.stream(
                    "GET", "/stream", params=asked, headers={**others, **again}
                ) as reply:
                    assert reply.status_code == 204
            with opened(served.http, "/stream", params=asked, headers={**ann, **again}) as (
                reply,
                too,
            ):
                assert reply.status_code == 200
                assert any(PIECES[3] in one.text for one in too)
            script.go_on.set()
            *_, heard = reading
        assert heard.text == "".join(PIECES)
    assert len(upstream.exchanges) == 1


def test_who_comes_back_behind_the_end_is_told_to_stay_away(
    served: Served, upstream: Upstream, script: Script
) -> None:
    script.go_on.set()
    heard = hear(served.http, "/stream", params={"question": "q"})
    assert heard.last_event_id.endswith(".end")
    reply = served.http.get(
        "/stream", params={"question": "q"}, headers={"Last-Event-ID": heard.last_event_id}
    )
    assert reply.status_code == 204
    assert len(upstream.exchanges) == 1


def test_the_same_question_of_a_new_reader_is_a_new_answer(
    served: Served, upstream: Upstream, script: Script
) -> None:
    script.go_on.set()
    first = hear(served.http, "/stream", params={"question": "q"})
    second = hear(served.http, "/stream", params={"question": "q"})
    assert first.answer_id != second.answer_id
    assert len(upstream.exchanges) == 2


def test_a_place_behind_the_end_is_not_believed(
    served: Served, upstream: Upstream, script: Script
) -> None:
    _, last_event_id = read_until(served, lambda text: PIECES[script.half - 1] in text)
    answer_id, _, place = last_event_id.partition(".")
    with opened(
        served.http,
        "/stream",
        params={"question": "q"},
        headers={"Last-Event-ID": f"{answer_id}.999999999"},
    ) as (_, reading):
        assert next(one for one in reading if one.last_event_id).last_event_id == last_event_id
        script.go_on.set()
        *_, heard = reading
    assert heard.text == "".join(PIECES)[int(place) :]
    assert len(upstream.exchanges) == 1


@pytest.mark.timings(reader_grace_s=0.05)
def test_a_reader_who_looks_in_on_another_ones_answer_does_not_end_it(
    served: Served, upstream: Upstream, script: Script
) -> None:
    chat = {"messages": [{"role": "user", "content": "q"}], "stream": True}
    with served.http.stream("POST", "/v1/chat/completions", json=chat) as response:
        lines = response.iter_lines()
        first = json.loads(next(line for line in lines if line).removeprefix("data: "))
        answer_id = first["id"].removeprefix("chatcmpl-")
        with opened(
            served.http,
            "/stream",
            params={"question": "q"},
            headers={"Last-Event-ID": f"{answer_id}.0"},
        ) as (_, reading):
            next(reading)
        own, last_event_id = read_until(served, lambda text: PIECES[3] in text)
        assert own
        until(lambda: upstream.exchanges[1].closed_at, "the one who left for good is noticed")
        script.go_on.set()
        assert "data: [DONE]" in list(lines)
    assert served.kept(answer_id).status is AnswerStatus.COMPLETE
    assert served.kept(last_event_id.partition(".")[0]).status is AnswerStatus.STOPPED


@pytest.mark.timings(reader_grace_s=0.05)
def test_a_reader_who_leaves_for_good_aborts_the_upstream(
    served: Served, upstream: Upstream
) -> None:
    text, last_event_id = read_until(served, lambda text: PIECES[3] in text)
    exchange = upstream.exchanges[0]
    assert exchange.is_over.wait(60)
    assert exchange.closed_at is not None
    stored = served.kept(last_event_id.partition(".")[0])
    assert stored.status is AnswerStatus.STOPPED
    assert stored.content.startswith(text)


@pytest.mark.timings(reader_grace_s=3_600.0)
def test_a_reader_who_comes_back_in_time_keeps_the_upstream_going(
    served: Served, upstream: Upstream, script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    farewells: list[asyncio.TimerHandle | None] = []
    await_return = Audiences._await_return

    def note(audiences: Audiences, answer_id: str, audience: Any) -> None:
        await_return(audiences, answer_id, audience)
        farewells.append(audience.farewell)

    monkeypatch.setattr(Audiences, "_await_return", note)
    _, last_event_id = read_until(served, lambda text: PIECES[3] in text)
    until(lambda: farewells, "it is noticed that nobody reads")
    headers = {"Last-Event-ID": last_event_id}
    with opened(served.http, "/stream", params={"question": "q"}, headers=headers) as (_, reading):
        next(reading)
        (farewell,) = farewells
        assert farewell is not None
        assert farewell.cancelled()
        script.go_on.set()
        *_, heard = reading
    assert heard.has_ended
    assert upstream.exchanges[0].closed_at is None


@pytest.mark.timings(reader_grace_s=0.05)
def test_one_who_reads_along_keeps_it_going_when_another_leaves(
    served: Served, upstream: Upstream, script: Script
) -> None:
    with opened(served.http, "/stream", params={"question": "q"}) as (_, reading):
        heard = next(one for one in reading if PIECES[3] in one.text)
        headers = {"Last-Event-ID": f"{heard.answer_id}.0"}
        with opened(served.http, "/stream", params={"question": "q"}, headers=headers) as (_, too):
            next(too)
        assert not upstream.exchanges[0].is_over.wait(0.3)
        script.go_on.set()
        *_, heard = reading
    assert heard.text == "".join(PIECES)


@pytest.mark.timings(keep_alive_s=0.05)
def test_comments_keep_a_silent_stream_alive(served: Served, script: Script) -> None:
    with opened(served.http, "/stream", params={"question": "q"}) as (_, reading):
        quiet = next(heard for heard in reading if heard.comments >= 3)
        assert PIECES[script.half] not in quiet.text
        script.go_on.set()
        *_, heard = reading
    assert heard.text == "".join(PIECES)


def test_hundreds_of_readers_take_no_threads(served: Served, script: Script) -> None:
    before = threading.active_count()
    with contextlib.ExitStack() as stack:
        readers = [
            stack.enter_context(opened(served.http, "/stream", params={"question": "q"}))[1]
            for _ in range(90)  # httpx opens a hundred connections at most
        ]
        for reading in readers:
            next(heard for heard in reading if PIECES[3] in heard.text)
        assert threading.active_count() - before < 20
        script.go_on.set()
        for reading in readers:
            *_, heard = reading
            assert heard.text == "".join(PIECES)
