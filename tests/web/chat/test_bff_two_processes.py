"""Two processes on one PostgreSQL: streams resumed on the other one, and a death of one of them."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from core.access.owners import LOCAL_OWNER
from core.models.chat import AnswerStatus
from core.models.generations import GenerationStatus
from core.storage.store import Store
from tests.running_app import RunningApp, running_app, wait_until_there
from tests.upstream import DONE, STREAM_HEAD, Plan, Step, Upstream, ending, event, streamed
from tests.waiting import until
from tests.web.events import Heard, hear, opened
from tests.web.serving import CHAT_KEY

pytestmark = pytest.mark.postgres

# Longer than a reader who left is waited for (10 s), from the cut on.
PIECES = [f"第{number}片 😀。" for number in range(50)]
PAUSE_S = 0.28
STREAMS = 20
TAKEN_OVER_S = 120.0


class Pair:
    """Two apps that share a data folder and a database."""

    def __init__(self, apps: list[RunningApp], store: Store) -> None:
        self.apps = apps
        self.store = store

    def client(self, number: int) -> httpx.Client:
        return httpx.Client(base_url=self.apps[number % 2].url, timeout=40, trust_env=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data"


def start_pair(
    stack: ExitStack, folder: Path, postgres_url: str, environment: dict[str, str]
) -> Pair:
    environment = {"DATABASE_URL": postgres_url, **environment}
    apps = [stack.enter_context(running_app(folder, environment)) for _ in range(2)]
    for app in apps:
        wait_until_there(f"{app.url}/readyz", app)
    store = Store.open(postgres_url)
    stack.callback(store.close)
    return Pair(apps, store)


def talking_to(upstream: Upstream) -> dict[str, str]:
    return {"DEEPSEEK_API_KEY": CHAT_KEY, "DEEPSEEK_API_URL": upstream.url}


def read_some(client: httpx.Client, pieces: int, headers: dict[str, str]) -> Heard:
    """Read until there are so many pieces, then hang up."""
    with opened(client, "/stream", params={"question": "q"}, headers=headers) as (reply, reading):
        assert reply.status_code == 200
        for heard in reading:
            if len(heard.text) >= sum(map(len, PIECES[:pieces])):
                return heard
    raise AssertionError("the stream ended early")


def read_cut(pair: Pair, number: int) -> tuple[str, list[Heard]]:
    """Ask one process, be cut off, read on at the other; every third time be cut off once more."""
    parts = []
    with pair.client(number) as first, pair.client(number + 1) as second:
        parts.append(read_some(first, 1 + number % 7, {}))
        if number % 3 == 0:
            parts.append(read_some(second, 2, {"Last-Event-ID": parts[-1].last_event_id}))
            first, second = second, first
        back = {"Last-Event-ID": parts[-1].last_event_id}
        parts.append(hear(second, "/stream", params={"question": "q"}, headers=back))
    return "".join(part.text for part in parts), parts


def test_streams_cut_off_go_on_at_the_other_process(folder: Path, postgres_url: str) -> None:
    with (
        ExitStack() as stack,
        Upstream(lambda _: streamed(PIECES, PAUSE_S)) as upstream,
        ThreadPoolExecutor(STREAMS) as pool,
    ):
        pair = start_pair(stack, folder, postgres_url, talking_to(upstream))
        outcomes = list(pool.map(lambda number: read_cut(pair, number), range(STREAMS)))
        for text, parts in outcomes:
            assert text == "".join(PIECES)
            assert [part.has_ended for part in parts] == [False] * (len(parts) - 1) + [True]
            assert not any(part.errors for part in parts)
            _assert_places_grow(parts)
        assert len(upstream.answers) == STREAMS
        assert [one.closed_at for one in upstream.answers] == [None] * STREAMS
        for _, parts in outcomes:
            kept = pair.store.messages.get(LOCAL_OWNER, parts[-1].answer_id)
            assert kept is not None
            assert (kept.status, kept.content) == (AnswerStatus.COMPLETE, "".join(PIECES))


def _assert_places_grow(parts: list[Heard]) -> None:
    ids = [
        event.id for part in parts for event in part.events if event.id and ".end" not in event.id
    ]
    places = [int(one.partition(".")[2]) for one in ids]
    assert places == sorted(places)


def test_an_answer_whose_process_dies_ends_for_its_reader_at_the_other(
    folder: Path, postgres_url: str
) -> None:
    never = threading.Event()

    def plan(_body: dict[str, Any]) -> Plan:
        yield Step(0, STREAM_HEAD)
        yield Step(0, event(content="so far"))
        while not never.is_set():
            yield Step(0.05, b": wait\n\n")
        yield Step(0, ending() + DONE)

    with ExitStack() as stack, Upstream(plan) as upstream:
        pair = start_pair(stack, folder, postgres_url, talking_to(upstream))
        with pair.client(0) as client:
            cut = next(_with_text(stack, client))
        kept = until(
            lambda: (row := pair.store.messages.get(LOCAL_OWNER, cut.answer_id)) and row.content,
            "the text is in the store",
        )
        assert kept == "so far"
        pair.apps[0].kill()
        with pair.client(1) as client:
            back = {"Last-Event-ID": f"{cut.answer_id}.0"}
            rest = hear(client, "/stream", params={"question": "q"}, headers=back)
        never.set()
        assert rest.text == "so far"
        assert [list(error) for error in rest.errors] == [["error"]]
        assert "closed before" in rest.errors[0]["error"]
        assert rest.has_ended
        assert len(upstream.answers) == 1


def _with_text(stack: ExitStack, client: httpx.Client) -> Iterator[Heard]:
    _, reading = stack.enter_context(opened(client, "/stream", params={"question": "q"}))
    return (heard for heard in reading if heard.text)


def test_practice_pictures_survive_the_death_of_one_of_two_processes(
    folder: Path, postgres_url: str
) -> None:
    with ExitStack() as stack:
        pair = start_pair(stack, folder, postgres_url, {})
        with pair.client(0) as client:
            for number in range(2):
                body = {"prompt": f"山水 {number} /practice slow 3", "n": 1}
                reply = client.post("/kling/v1/images/generations", json=body)
                assert reply.status_code == 200, reply.text
        pair.apps[0].kill()
        rows = _until_finished(pair.store)
        assert [row.status for row in rows] == [GenerationStatus.ARCHIVED] * 2, rows


def _until_finished(store: Store) -> Any:
    """Wait until the other process has finished both; the dead one's leases run out first."""
    deadline = time.monotonic() + TAKEN_OVER_S
    while True:
        rows = store.generation_lists.list(LOCAL_OWNER).items
        if len(rows) == 2 and all(row.status.is_final for row in rows):
            return rows
        assert time.monotonic() < deadline, rows
        time.sleep(0.1)
