"""The way of a task: what each exchange said, how long it waited, and why."""

import json
from datetime import timedelta

import httpx
import pytest

from core.providers.http.kept_exchange import Exchange
from core.work.xray.task_way import TaskStep, task_way
from tests.unit.xray.kept import ONE, kept

CREATE = "https://kling/v1/images/generations"


def one(at_s: float, method: str, path: str, body: object, status: int | None = 200) -> Exchange:
    return kept(
        began_at=ONE.began_at + timedelta(seconds=at_s),
        method=method,
        url=httpx.URL(CREATE + path),
        status_code=status,
        response_headers=httpx.Headers({"content-type": "application/json"}),
        chunks=[(0.1, json.dumps(body).encode())],
        duration_s=0.5,
        error="" if status else "ReadTimeout",
    ).view()


def task(state: str, name: str = "t1") -> dict[str, object]:
    return {"task_id": name, "task_status": state}


def sent(at_s: float, code: int = 0) -> Exchange:
    body = {"code": code, "data": None if code else task("submitted")}
    return one(at_s, "POST", "", body, 429 if code else 200)


def polled(at_s: float, state: str) -> Exchange:
    return one(at_s, "GET", "/t1", {"code": 0, "data": task(state)})


def told(*exchanges: Exchange) -> list[tuple[str, str, str]]:
    return [(step.purpose, step.said, step.why) for step in task_way(exchanges)]


def test_the_waits_of_an_ordinary_task() -> None:
    steps = task_way([sent(0), polled(3, "processing"), polled(5, "succeed")])
    assert steps[1] == TaskStep(3.0, 2.5, "poll", "processing", "first")
    assert steps[2] == TaskStep(5.0, 1.5, "poll", "succeed", "age")


def test_full_slots_a_lost_reply_and_a_list() -> None:
    listed = one(9, "GET", "", {"code": 0, "data": [task("failed", "t9"), task("processing")]})
    lost = one(4, "POST", "", {}, None)
    assert told(sent(1, 1303), sent(2, 1302), lost, polled(6, "submitted"), listed) == [
        ("create", "1303", "start"),
        ("create", "1302", "slots"),
        ("create", "ReadTimeout", "rate"),
        ("poll", "submitted", "lookup"),
        ("list", "processing", "together"),
    ]


@pytest.mark.parametrize("status", [500, 429])
def test_after_a_failed_look_it_looks_again(status: int) -> None:
    failed = one(3, "GET", "/t1", {"code": 5000}, status)
    assert told(sent(0), failed, polled(4, "processing"))[-1] == ("poll", "processing", "again")


def test_an_answers_exchanges_are_no_task() -> None:
    assert task_way([kept().view()]) == ()
