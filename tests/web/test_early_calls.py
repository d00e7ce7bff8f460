"""The first request comes early: it waits for the studio, for a while, and so do only so many."""

import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from core.errors import StoreError
from core.settings import AccessSettings, Secret, Settings
from core.web.front import early_calls
from core.work.process_studio import close_studio, current_studio
from tests.running_app import running_app
from tests.waiting import PATIENCE_S, until
from tests.web.serving import listening

STRANGER = {"X-Forwarded-For": "203.0.113.9"}
TOKEN = "token-of-the-phone-0123456789"


class Opening:
    """Settings that take until they are let go: so long the studio is opening."""

    def __init__(self, data_dir: Path) -> None:
        self.go = threading.Event()
        self.error: Exception | None = None
        self._data_dir = data_dir

    def __call__(self) -> Settings:
        assert self.go.wait(PATIENCE_S)
        if self.error is not None:
            raise self.error
        return Settings(
            data_dir=self._data_dir, access=AccessSettings(tokens={"phone": Secret(TOKEN)})
        )


@pytest.fixture
def opening(tmp_path: Path) -> Iterator[Opening]:
    close_studio()
    slow = Opening(tmp_path)
    yield slow
    slow.go.set()


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(16) as running:
        yield running


class Waiting:
    """Counts the calls that wait, as the layer itself does."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.seen: list[early_calls.EarlyCalls] = []
        real = early_calls.EarlyCalls.studio_for

        async def studio_for(early: early_calls.EarlyCalls, call: Any) -> Any:
            self.seen.append(early)
            return await real(early, call)

        monkeypatch.setattr(early_calls.EarlyCalls, "studio_for", studio_for)

    def until(self, calls: int) -> None:
        until(lambda: len(self.seen) >= calls, f"{calls} early calls")


@pytest.fixture
def waiting(monkeypatch: pytest.MonkeyPatch) -> Waiting:
    return Waiting(monkeypatch)


def ask(client: httpx.Client, path: str = "/complete?question=hi", **options: Any) -> Any:
    return client.request(options.pop("method", "GET"), path, **options)


def test_an_early_call_is_answered_once_the_studio_is_open(
    opening: Opening, pool: ThreadPoolExecutor, waiting: Waiting
) -> None:
    with listening(opening) as (_, client):
        asked = [
            pool.submit(ask, client),
            pool.submit(ask, client, "/v1/models"),
            pool.submit(
                ask, client, "/complete", method="POST", json={"question": "does the body wait?"}
            ),
            pool.submit(ask, client, "/kling/v1/images/generations?pageNum=1&pageSize=2"),
        ]
        waiting.until(4)
        # The loop is free meanwhile, and who asks for readiness is told at once.
        assert client.get("/healthz").json() == {"status": "ok"}
        assert client.get("/readyz").status_code == 503
        assert current_studio() is None
        assert not any(one.done() for one in asked)
        opening.go.set()
        assert [one.result(PATIENCE_S).status_code for one in asked] == [200] * 4


def test_an_early_stranger_is_judged_as_any_other(
    opening: Opening, pool: ThreadPoolExecutor, waiting: Waiting
) -> None:
    with listening(opening) as (_, client):
        asked = pool.submit(ask, client, headers=STRANGER)
        waiting.until(1)
        opening.go.set()
        assert asked.result(PATIENCE_S).status_code == 403


def test_waiting_ends_by_itself(opening: Opening, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(early_calls, "WAIT_S", 0.05)
    with listening(opening) as (_, client):
        reply = ask(client)
        assert reply.status_code == 503
        assert int(reply.headers["retry-after"]) > 0
        assert "opening" in reply.json()["error"]
        reply = ask(client, "/v1/models")
        assert reply.json()["error"]["type"] == "server_error"
        opening.go.set()


def test_a_studio_that_cannot_open_is_told_at_once(
    opening: Opening, pool: ThreadPoolExecutor, waiting: Waiting
) -> None:
    opening.error = StoreError("error.store_readonly")
    with listening(opening) as (_, client):
        asked = pool.submit(ask, client)
        waiting.until(1)
        began = time.monotonic()
        opening.go.set()
        reply = asked.result(PATIENCE_S)
        assert (reply.status_code, "cannot open" in reply.json()["error"]) == (503, True)
        assert ask(client).status_code == 503
        assert time.monotonic() - began < early_calls.WAIT_S


def test_the_end_of_the_process_ends_waiting(
    opening: Opening, pool: ThreadPoolExecutor, waiting: Waiting
) -> None:
    with listening(opening) as (_, client):
        asked = pool.submit(ask, client)
        waiting.until(1)
        closing = threading.Thread(target=close_studio)
        closing.start()
        assert asked.result(early_calls.WAIT_S / 2).status_code == 503
        opening.go.set()
        closing.join(PATIENCE_S)


def test_strangers_cannot_take_the_places_of_those_here(
    opening: Opening, waiting: Waiting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(early_calls, "WAITING_HERE", 2)
    monkeypatch.setattr(early_calls, "WAITING_ELSEWHERE", 3)
    with listening(opening) as (_, client), ThreadPoolExecutor(16) as pool:
        strangers: list[Future[Any]] = []
        for number in range(3):
            strangers.append(pool.submit(ask, client, headers=STRANGER))
            waiting.until(number + 1)
        refused = ask(client, headers=STRANGER)
        assert (refused.status_code, "retry-after" in refused.headers) == (503, True)
        # Since a call was forwarded here, nobody is the owner without a token.
        bearer = {"Authorization": f"Bearer {TOKEN}"}
        near = [pool.submit(ask, client, headers=bearer) for _ in range(2)]
        waiting.until(6)
        assert ask(client).status_code == 503
        assert not any(one.done() for one in [*strangers, *near])
        opening.go.set()
        assert [one.result(PATIENCE_S).status_code for one in strangers] == [403] * 3
        assert [one.result(PATIENCE_S).status_code for one in near] == [200] * 2


def test_places_are_free_again_after_waiting(
    opening: Opening, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(early_calls, "WAIT_S", 0.02)
    monkeypatch.setattr(early_calls, "WAITING_HERE", 1)
    with listening(opening) as (_, client):
        for _ in range(3):
            assert ask(client).status_code == 503
        monkeypatch.setattr(early_calls, "WAIT_S", PATIENCE_S)
        opening.go.set()
        assert ask(client).status_code == 200


def test_who_leaves_while_waiting_gives_up_the_place_and_buys_nothing(
    opening: Opening, waiting: Waiting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(early_calls, "WAITING_HERE", 1)
    monkeypatch.setattr(early_calls, "WAIT_S", PATIENCE_S)
    with listening(opening) as (port, client), ThreadPoolExecutor(1) as pool:
        for number, head in enumerate(("GET /complete?question=x", "POST /complete")):
            with socket.create_connection(("127.0.0.1", port)) as line:
                length = "Content-Length: 9\r\nContent-Type: application/json\r\n"
                line.sendall(f"{head} HTTP/1.1\r\nHost: localhost\r\n{length}\r\n{{".encode())
                waiting.until(number + 1)
            until(lambda: not waiting.seen[0].count, "the place is free again")
        asked = pool.submit(ask, client)
        waiting.until(3)
        opening.go.set()
        assert asked.result(PATIENCE_S).status_code == 200
        studio = current_studio()
        assert studio is not None
        assert len(studio.store.conversations.list("local").items) == 1


def test_a_large_body_waits_too(
    opening: Opening, pool: ThreadPoolExecutor, waiting: Waiting
) -> None:
    question = "q" * 300_000
    with listening(opening) as (_, client):
        asked = pool.submit(ask, client, "/complete", method="POST", json={"question": question})
        waiting.until(1)
        opening.go.set()
        assert asked.result(PATIENCE_S).status_code == 200
        studio = current_studio()
        assert studio is not None
        (conversation,) = studio.store.conversations.list("local").items
        assert studio.store.messages.path("local", conversation.id)[0].content == question


def test_the_first_call_to_a_process_that_just_listens_is_answered(tmp_path: Path) -> None:
    with running_app(tmp_path / "data") as app, httpx.Client(timeout=PATIENCE_S) as client:
        # Its health is told already, its studio not yet: a client that waited for it calls now.
        assert client.get(f"{app.url}/v1/models").status_code == 200
