"""The way of a task through its exchanges: sent, asked about, fetched; and why each wait was."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from core.providers.http.kept_exchange import Exchange
from core.work.xray.reading import Purpose, purpose_of

Why = Literal[
    "start", "first", "age", "together", "again", "slots", "rate", "lookup", "done", "fetch"
]
_BUSY_CODES: dict[int, Why] = {1302: "rate", 1303: "slots"}
_OF_TASKS: tuple[Purpose, ...] = ("create", "poll", "list", "download")
_OVER = ("succeed", "succeeded", "failed")


@dataclass(frozen=True, slots=True)
class TaskStep:
    """One exchange of a task, `at_s` after the first, and why it came just then."""

    at_s: float
    waited_s: float  # since the end of the one before
    purpose: Purpose
    said: str  # the task's state, else Kling's code, else the status or what broke it off
    why: Why


def task_way(exchanges: Sequence[Exchange]) -> tuple[TaskStep, ...]:
    """Return the steps of one task, oldest first; nothing where no task is in it."""
    ours = [one for one in exchanges if purpose_of(one) in _OF_TASKS]
    if not any(purpose_of(one) in ("create", "poll", "list") for one in ours):
        return ()
    ids = {found for one in ours if (found := _id_of(one))}
    return tuple(_steps(ours, ids))


def _steps(ours: Sequence[Exchange], ids: set[str]) -> Iterator[TaskStep]:
    began = ours[0].began_at
    before: tuple[Exchange, str] | None = None
    for one in ours:
        at_s = (one.began_at - began).total_seconds()
        said = _said(one, ids)
        if before is None:
            yield TaskStep(at_s, 0.0, purpose_of(one), said, "start")
        else:
            last, told = before
            ended_s = (last.began_at - began).total_seconds() + last.duration_s
            why = _why(one, last, told)
            yield TaskStep(at_s, max(at_s - ended_s, 0.0), purpose_of(one), said, why)
        before = (one, said)


def _why(one: Exchange, last: Exchange, told: str) -> Why:
    purpose, was = purpose_of(one), purpose_of(last)
    code = int(told) if told.isdecimal() else 0
    if purpose == "download":
        return "fetch"
    if purpose == "create":
        return _BUSY_CODES.get(code, "again")
    if told in _OVER:
        return "done"
    if last.status_code is None or last.status_code >= 400:
        return "lookup" if was == "create" else "again"
    if purpose == "list":
        return "together"
    return "first" if was == "create" else "age"


def _said(one: Exchange, ids: set[str]) -> str:
    body = _object(one.response_body)
    data = body.get("data")
    tasks = data if isinstance(data, list) else [data]
    for task in tasks:
        if isinstance(task, dict) and (len(tasks) == 1 or task.get("task_id") in ids):
            state = task.get("task_status")
            if isinstance(state, str):
                return state
    code = body.get("code")
    if isinstance(code, int) and code:
        return str(code)
    return one.error or str(one.status_code or "")


def _id_of(one: Exchange) -> str:
    data = _object(one.response_body).get("data")
    found = data.get("task_id") if isinstance(data, dict) else None
    return found if isinstance(found, str) else ""


def _object(body: str) -> dict[str, object]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
