"""Wishes over HTTP that wait: for a clear answer, a connection, or the end."""

import socket
import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from core.models.generations import Note
from core.settings import Settings
from core.work.process_studio import close_studio
from core.work.studio import Studio
from tests.crash.fake_kling import FakeKling, Plan
from tests.crash.workshop import QUICK
from tests.waiting import PATIENCE_S, until
from tests.web.serving import Served, serving

quickly = partial(Studio.open, timings=QUICK)
PATH = "/kling/v1/images/generations"


@pytest.fixture
def fake() -> Iterator[FakeKling]:
    with FakeKling() as kling:
        yield kling


@pytest.fixture
def served(tmp_path: Path, fake: FakeKling) -> Iterator[Served]:
    with serving(tmp_path, kling_origin=fake.origin, build=quickly) as running:
        yield running


def ask(served: Served, key: str, prompt: str = "a hill") -> httpx.Response:
    headers = {"Idempotency-Key": key} if key else {}
    return served.http.post(PATH, json={"prompt": prompt}, headers=headers)


def task_of(reply: httpx.Response) -> Any:
    assert reply.status_code == 200, reply.text
    return reply.json()["data"]["task_id"]


@pytest.mark.parametrize("fault", ["html/before", "5001/before", "drop/before", "cut/after"])
def test_unclear_answers_to_some_stall_and_scare_nobody(
    served: Served, fake: FakeKling, fault: str
) -> None:
    fake.plan = Plan(post=fault, post_times_in_all=2)
    keys = [uuid.uuid4().hex for _ in range(3)]
    with ThreadPoolExecutor(3) as pool:
        tasks = [task_of(one) for one in pool.map(lambda key: ask(served, key, key), keys)]
    assert len(set(tasks)) == 3
    assert [task_of(ask(served, key, key)) for key in keys] == tasks
    assert sorted(fake.seen.accepted.values()) == [1, 1, 1]


def test_one_wish_whose_answers_are_never_clear_lets_others_pass(
    tmp_path: Path, fake: FakeKling
) -> None:
    fake.plan = Plan(post="html/before", post_times_in_all=1)
    posted = threading.Event()
    fake.hook = lambda moment: posted.set() if moment == "post-received" else None
    # Looked up until Kling has it after all.
    patiently = partial(Studio.open, timings=replace(QUICK, resend_after_s=3_600.0))
    with (
        serving(tmp_path, kling_origin=fake.origin, build=patiently) as served,
        ThreadPoolExecutor(1) as pool,
    ):
        first = pool.submit(ask, served, "first", "one")
        assert posted.wait(60)
        others = [ask(served, f"other-{number}", "two") for number in range(4)]
        assert not first.done()  # it is still being looked up
        (unclear,) = fake.seen.posts.keys() - fake.seen.accepted.keys()
        fake.add_task(unclear)
        assert len({task_of(one) for one in others}) == 4
        assert task_of(first.result()) not in {task_of(one) for one in others}


def test_what_was_never_sent_is_sent_by_a_repeat_under_the_same_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.web.kling.create.OFFLINE_TIMEOUT_S", 0.3)
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))  # bound and not listening: refuses
        port = reserved.getsockname()[1]
        with serving(tmp_path, kling_origin=f"http://127.0.0.1:{port}", build=quickly) as served:
            first = ask(served, "mine")
            assert first.status_code == 502
            assert int(first.headers["retry-after"]) >= 1
            assert "x-should-retry" not in first.headers
            [row] = served.studio.store.generation_lists.list("local").items
            assert row.status == "cancelled"
    with FakeKling() as fake, serving(tmp_path, kling_origin=fake.origin, build=quickly) as served:
        task = task_of(ask(served, "mine"))
        assert task_of(ask(served, "mine")) == task
        assert fake.seen.accepted[row.external_task_id] == 1
        notes = [one.note for one in served.studio.store.generations.history("local", row.id)]
        assert Note("note.asked_again") in notes


def test_what_was_taken_back_while_it_waited_is_sent_by_a_repeat_in_the_same_process(
    served: Served, fake: FakeKling
) -> None:
    fake.plan = Plan(cap=1)
    fake.hold()
    task_of(ask(served, "first"))
    with ThreadPoolExecutor(1) as pool:
        second = pool.submit(ask, served, "second", "two")
        lists = served.studio.store.generation_lists

        def second_wish() -> Any:
            rows = lists.list("local").items
            return next((row for row in rows if row.idempotency_key == "second"), None)

        row = until(second_wish, "the second wish is written down")
        until(lambda: served.studio.generations.cancel("local", row.id), "it waits")
        assert second.result().status_code == 400
    fake.let_go()
    task_of(ask(served, "second", "two"))
    assert fake.seen.accepted[row.external_task_id] == 1


@pytest.mark.parametrize("key", ["", "mine"])
@pytest.mark.parametrize("post", ["html/before", "1302"])
def test_an_open_create_ends_with_the_studio_and_says_how_it_stands(
    served: Served, fake: FakeKling, post: str, key: str
) -> None:
    fake.plan = Plan(post=post, post_times=99)
    posted = threading.Event()
    fake.hook = lambda moment: posted.set() if moment == "post-received" else None
    settings: Settings = served.studio.settings
    with ThreadPoolExecutor(1) as pool:
        reply = pool.submit(ask, served, key)
        assert posted.wait(60)
        close_studio()
        told = reply.result(PATIENCE_S)
    assert told.status_code == 503
    # A repeat is right under a key, and where nothing was bought; else it would pay again.
    may_repeat = told.headers.get("x-should-retry") != "false"
    assert may_repeat == ("retry-after" in told.headers)
    assert may_repeat or not key
    with serving(settings.data_dir, settings=settings, build=quickly) as again:
        fake.plan = Plan()
        [row] = again.studio.store.generation_lists.list("local").items
        if "taken the request back" in told.text:
            assert row.status == "cancelled"
        else:
            find = again.studio.store.generations.get_by_external_id
            until(
                lambda: (one := find("local", row.external_task_id)) and one.task_id, "it goes on"
            )
            assert fake.seen.accepted[row.external_task_id] == 1
