"""Killed at every step, under every fault: one accepted task per wish, and every picture arrives.

The whole table takes longer: `python -m tests.crash.table`.
"""

import contextlib
import json
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from core.access.owners import LOCAL_OWNER
from core.models.generations import GenerationStatus
from core.practice.server import PracticeServer
from core.practice.settings import PRACTICE_KLING_API_KEY, PracticeSettings
from core.settings import KlingSettings, Secret, Settings
from core.storage.store import Store
from core.work.studio import Studio
from tests.crash.fake_kling import FakeKling, Plan
from tests.crash.kinds import PICTURE_KINDS
from tests.crash.runs import DEATHS, FAULTS, run
from tests.crash.workshop import QUICK, Workshop, wait_for
from tests.modules import Process, start_module

DEADLINE_S = 200.0
# Every other death, under one fault after the other: the table has all of both.
FAULT_NAMES = list(FAULTS)
PAIRS = [(FAULT_NAMES[place % len(FAULT_NAMES)], death) for place, death in enumerate(DEATHS)][::2]


def test_at_whatever_step_it_dies_nothing_is_lost_and_nothing_bought_twice() -> None:
    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(lambda pair: run(pair[0], pair[1], 7), PAIRS))
    problems = {(each.fault, each.death): each.problems for each in outcomes if each.problems}
    assert problems == {}
    assert sum(each.deaths for each in outcomes) >= len(PAIRS) * 0.7


def test_the_other_kinds_of_pictures_live_through_the_same() -> None:
    """One a kind, each at another step under another fault; all of both: `table --kinds all`."""
    asked = [
        (pair, seed, kind)
        for seed, (pair, kind) in enumerate(
            zip(
                [
                    ("dropped after accepting", "mark_sending/after"),
                    ("not found by our own id", "at post-accepted"),
                    ("pictures cut", "at picture-half"),
                    ("HTML after accepting", "move-uncertain/after"),
                ],
                PICTURE_KINDS[1:],
                strict=True,
            )
        )
    ]
    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(lambda one: run(one[0][0], one[0][1], one[1], [one[2]]), asked))
    assert {each.death: each.problems for each in outcomes if each.problems} == {}
    assert sum(each.deaths for each in outcomes) >= 3


# -- the practice server as upstream ---------------------------------------------------------------


def test_killed_while_practice_draws_four_pictures_the_same_four_arrive(tmp_path: Path) -> None:
    """Practice dies with the app, and remembers its tasks by its journal."""
    told = {"data_dir": str(tmp_path), "intents": [4]}
    process = _start_until_it_draws(told)
    process.kill()
    process.wait()
    journal = (tmp_path / "practice.jsonl").read_text()
    process = _start(told)
    assert process.wait(DEADLINE_S) == 0
    # A second POST would be a second line, whether or not it was refused as a duplicate.
    assert (tmp_path / "practice.jsonl").read_text() == journal
    assert len(journal.splitlines()) == 1
    _assert_four_pictures(tmp_path)


def test_killed_while_a_server_elsewhere_draws_the_same_four_arrive(tmp_path: Path) -> None:
    settings = PracticeSettings(submitted_s=0.5, processing_s=1.5, picture_pixels=256)
    with PracticeServer(settings=settings) as upstream:
        told = {
            "data_dir": str(tmp_path),
            "origin": upstream.origin,
            "key": PRACTICE_KLING_API_KEY,
            "intents": [4],
        }
        process = _start(told)
        wait_for(lambda: upstream.counters.tasks_accepted, "the task to be accepted")
        process.kill()
        process.wait()
        assert _start(told).wait(DEADLINE_S) == 0
        assert upstream.counters.tasks_accepted == 1
        assert sum(upstream.counters.submits_refused.values()) == 0
    _assert_four_pictures(tmp_path)


def _start_until_it_draws(told: dict[str, Any]) -> Process:
    """Look from before it begins: practice draws for three seconds and a half."""
    under_way = GenerationStatus.SUBMITTED, GenerationStatus.PROCESSING
    with contextlib.closing(Store.open(Path(told["data_dir"]) / "inkling.sqlite3")) as looking:
        counts = looking.generation_lists.counts
        process = _start(told)
        wait_for(lambda: any(counts().get(status) for status in under_way), "it is drawn")
    return process


def _assert_four_pictures(data_dir: Path) -> None:
    store = Store.open(data_dir / "inkling.sqlite3")
    (row,) = store.generation_lists.list(LOCAL_OWNER).items
    store.close()
    assert row.status is GenerationStatus.ARCHIVED
    assert (len(row.pictures), row.attempts) == (4, 1)


def test_practice_tasks_under_way_are_finished_after_a_key_was_added(tmp_path: Path) -> None:
    process = _start_until_it_draws({"data_dir": str(tmp_path), "intents": [2]})
    process.kill()
    process.wait()
    with FakeKling() as fake:
        kling = KlingSettings(origin=fake.origin, api_key=Secret("one-account"))
        studio = Studio.open(Settings(data_dir=tmp_path, chat=None, kling=kling), timings=QUICK)
        try:
            listing = studio.store.generation_lists.list
            wait_for(lambda: not listing(LOCAL_OWNER, active_only=True).items, "the end")
            (row,) = listing(LOCAL_OWNER).items
        finally:
            studio.close()
        assert (row.status, row.provider) == (GenerationStatus.ARCHIVED, "practice")
        assert fake.seen.posts.total() == 0


# -- several processes -----------------------------------------------------------------------------


@pytest.fixture
def fake() -> Iterator[FakeKling]:
    with FakeKling(Plan(runs_s=lambda number: 1.0 + number % 5)) as kling:
        yield kling


@pytest.mark.postgres
def test_of_three_processes_on_one_postgresql_one_dies_and_no_task_is_lost(
    postgres_url: str, tmp_path: Path, fake: FakeKling
) -> None:
    processes = _start_three(postgres_url, tmp_path, fake)
    wait_for(lambda: len({key for _, key, _ in fake.seen.polls}) == 3, "all three to work")
    with contextlib.closing(Store.open(postgres_url)) as looking:
        rows_of = looking.generation_lists.list
        wait_for(lambda: len(rows_of(LOCAL_OWNER, limit=100).items) == 30, "all wishes are written")
    processes[0].kill()
    processes[0].wait()
    with Workshop(tmp_path, fake.origin, store_url=postgres_url) as fourth:
        # It opens only to look on: the work is done before or besides.
        rows = fourth.wait_until_all_done(deadline_s=DEADLINE_S)
        for process in processes[1:]:
            assert process.wait(DEADLINE_S) == 0
        assert len(rows) == 30
        assert all(row.status is GenerationStatus.ARCHIVED for row in rows)
    assert fake.seen.posts.total() == fake.seen.accepted.total() == 30
    assert fake.seen.overlapping_polls == 0
    _assert_polled_by_one_at_a_time(fake)


@pytest.mark.postgres
def test_three_processes_keep_the_one_accounts_cap(
    postgres_url: str, tmp_path: Path, fake: FakeKling
) -> None:
    fake.plan = Plan(cap=6, runs_s=lambda number: 0.4)
    for process in _start_three(postgres_url, tmp_path, fake):
        assert process.wait(DEADLINE_S) == 0
    assert fake.seen.accepted.total() == 30
    assert max(fake.seen.accepted.values()) == 1
    # Each process learns the cap for itself, and sees the others' tasks a moment late.
    assert fake.seen.refused[1303] <= 30


def _start_three(url: str, tmp_path: Path, fake: FakeKling) -> list[Process]:
    return [
        _start(
            {
                "data_dir": str(tmp_path),
                "origin": fake.origin,
                "database_url": url,
                # Who stalls for longer than a lease may see it taken over, which is right, and not
                # what is tried here.
                "lease_s": 10.0,
                "key": f"process-{number}",
                "intents": [1] * 10,
            }
        )
        for number in range(3)
    ]


def _assert_polled_by_one_at_a_time(fake: FakeKling) -> None:
    """A task has one watcher, and a next one only after a lease; each keeps to its intervals."""
    of_each: dict[str, list[tuple[float, str]]] = defaultdict(list)
    for at, key, task_id in sorted(fake.seen.polls):
        if task_id in fake.tasks:  # else it is a look-up by our own id
            of_each[task_id].append((at, key))
    for task_id, polls in of_each.items():
        for (last, one), (at, another) in pairwise(polls):
            assert one == another or at - last > QUICK.poll_shortest_s
        most = fake.tasks[task_id].runs_s / QUICK.poll_shortest_s + 5
        assert len(polls) <= most


def _start(told: dict[str, Any]) -> Process:
    return start_module("tests.crash.runner", json.dumps(told))
