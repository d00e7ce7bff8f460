"""Pictures over HTTP and money: paid once however often it is asked, watched once for all."""

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from core.practice.server import PracticeServer
from tests.waiting import until
from tests.web.serving import KLING_KEY, QUICK, Served, serving_practice

PATH = "/kling/v1/images/generations"


@pytest.fixture
def practice() -> Iterator[PracticeServer]:
    with PracticeServer(settings=QUICK) as server:
        yield server


@pytest.fixture
def served(tmp_path: Path, practice: PracticeServer) -> Iterator[Served]:
    with serving_practice(tmp_path, practice) as running:
        yield running


def at_once(times: int, served: Served, **request: Any) -> list[httpx.Response]:
    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(lambda _: served.http.post(PATH, **request), range(times)))


def test_fifty_equal_posts_under_one_key_buy_one_task(
    served: Served, practice: PracticeServer
) -> None:
    replies = at_once(
        50, served, json={"prompt": "一座山"}, headers={"Idempotency-Key": uuid.uuid4().hex}
    )
    assert {reply.status_code for reply in replies} == {200}
    assert len({reply.content for reply in replies}) == 1
    assert practice.counters.tasks_accepted == 1
    assert len(served.studio.store.generation_lists.list("local").items) == 1


def test_the_bodys_own_id_makes_repeats_harmless_too(
    served: Served, practice: PracticeServer
) -> None:
    replies = at_once(10, served, json={"prompt": "一座山", "external_task_id": "mine-1"})
    assert len({reply.content for reply in replies}) == 1
    assert practice.counters.accepted_by_external_task_id == {"mine-1": 1}


def test_a_key_used_for_another_wish_is_refused(served: Served, practice: PracticeServer) -> None:
    headers = {"Idempotency-Key": "k"}
    assert served.http.post(PATH, json={"prompt": "a"}, headers=headers).status_code == 200
    reply = served.http.post(PATH, json={"prompt": "b"}, headers=headers)
    assert (reply.status_code, reply.json()["code"]) == (400, 1201)
    assert practice.counters.tasks_accepted == 1


def test_posts_without_a_key_are_wishes_of_their_own(
    served: Served, practice: PracticeServer
) -> None:
    replies = at_once(3, served, json={"prompt": "一座山"})
    assert len({reply.json()["data"]["task_id"] for reply in replies}) == 3
    assert practice.counters.tasks_accepted == 3


def watch(served: Served, watchers: int) -> None:
    """Make a picture and have that many pages poll it until it is done."""
    task_id = served.http.post(PATH, json={"prompt": "/practice slow 1"}).json()["data"]["task_id"]

    def poll(_: int) -> None:
        until(
            lambda: served.http.get(f"{PATH}/{task_id}").json()["data"]["task_status"] == "succeed",
            "the picture is done",
        )

    with ThreadPoolExecutor(watchers) as pool:
        list(pool.map(poll, range(watchers)))


def test_fifty_watchers_cost_no_more_polls_than_one(tmp_path: Path) -> None:
    polls = []
    for watchers in (1, 50):
        with PracticeServer(settings=QUICK) as practice:
            with serving_practice(tmp_path / str(watchers), practice) as served:
                watch(served, watchers)
                until(
                    lambda: practice.counters.picture_fetches >= 1,
                    "the studio has fetched the picture",
                )
            polls.append(practice.counters.polls + practice.counters.list_calls)
    # The studio's own looks are paced with some chance in them: one more or less says nothing.
    assert polls[1] <= polls[0] + 1


def test_fifty_watchers_of_a_foreign_task_share_each_look(
    served: Served, practice: PracticeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.web.kling.shared_polls.RUNNING_S", 3_600.0)
    headers = {"Authorization": f"Bearer {KLING_KEY}"}
    made = served.http.post(
        f"{practice.origin}/v1/images/generations",
        json={"prompt": "/practice slow 30"},
        headers=headers,
    )
    task_id = made.json()["data"]["task_id"]
    with ThreadPoolExecutor(50) as pool:
        replies = list(pool.map(lambda _: served.http.get(f"{PATH}/{task_id}"), range(50)))
    assert len({reply.content for reply in replies}) == 1
    assert practice.counters.polls == 1


def test_a_wish_that_finds_no_place_in_time_is_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = replace(QUICK, concurrent_pictures=1)
    with (
        PracticeServer(settings=settings) as practice,
        serving_practice(tmp_path, practice) as served,
    ):
        first = served.http.post(PATH, json={"prompt": "/practice slow 60"})
        assert first.status_code == 200
        monkeypatch.setattr("core.web.kling.create.SEND_TIMEOUT_S", 0.3)
        second = served.http.post(PATH, json={"prompt": "x"})
        assert (second.status_code, second.json()["code"]) == (429, 1303)
        assert "taken the request back" in second.json()["message"]
        statuses = {one.status for one in served.studio.store.generation_lists.list("local").items}
        assert "cancelled" in statuses
        keyed = served.http.post(PATH, json={"prompt": "y"}, headers={"Idempotency-Key": "y"})
        assert (keyed.status_code, keyed.json()["code"]) == (429, 1303)
        assert "stays in the studio's queue" in keyed.json()["message"]
        assert practice.counters.tasks_accepted == 1


def test_links_are_never_stored(served: Served, tmp_path: Path) -> None:
    task_id = served.http.post(PATH, json={"prompt": "一座山"}).json()["data"]["task_id"]
    done = until(
        lambda: (
            (one := served.http.get(f"{PATH}/{task_id}").json()["data"])["task_status"] == "succeed"
            and one
        ),
        "the picture is done",
    )
    link = done["task_result"]["images"][0]["url"]
    until(
        lambda: (
            served.studio.store.generations.get_by_task_id("local", task_id).status  # type: ignore[union-attr]
            == "archived"
        ),
        "it is archived",
    )
    name = link.rpartition("/")[2].partition("?")[0]
    for file in tmp_path.rglob("*.sqlite3*"):
        assert link.encode() not in file.read_bytes(), name
