"""The ledger against practice's own books: line by line, over mixed calls.

`BOOK_CALLS=1000` runs as many as a note may want; a hundred and twenty are enough to notice.
"""

import os
import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from core.models.money.hours import BEIJING
from core.models.money.ledger import LedgerLine, LineState
from core.practice.server import PracticeServer
from core.practice.settings import PRACTICE_CHAT_KEY, PRACTICE_KLING_API_KEY
from core.settings import Settings
from core.storage.money.filters import LedgerFilter
from tests.waiting import until
from tests.web.serving import QUICK, Served, serving

CALLS = int(os.environ.get("BOOK_CALLS", "120"))
_ASKED = (
    {"question": "讲讲砚台"},
    {"question": "Where do I put the keys?", "thinking": True},
    {"question": "Write 500 characters", "model": "deepseek-v4-pro"},
    {"question": "Write 2000 characters", "max_tokens": 40},
    {"question": "/practice 500"},
    {"question": "/practice 402"},
    {"question": "/practice no-usage"},
)
_PACE = replace(QUICK, chat_key=PRACTICE_CHAT_KEY, kling_api_key=PRACTICE_KLING_API_KEY)
_WAYS = ("/complete", "/stream", "/v1/chat/completions", "/kling/v1/images/generations")


def test_each_line_of_practices_books_is_one_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dice = random.Random(14)
    servers: list[PracticeServer] = []

    def build(**options: Any) -> PracticeServer:
        servers.append(PracticeServer(**options, settings=_PACE))
        return servers[-1]

    monkeypatch.setattr("core.practice.server.PracticeServer", build)
    with serving(tmp_path) as served:
        asked = [(dice.choice(_WAYS), dict(dice.choice(_ASKED))) for _ in range(CALLS)]
        with ThreadPoolExecutor(4) as threads:
            list(threads.map(partial(_call, served), asked))
        lines = until(lambda: _settled(served), "every line is settled")
        (practice,) = servers
        ours = [line for line in lines if line.kind in ("chat", "title")]
        told = [line for line in ours if line.state is LineState.COMPUTED]
        guessed = [line for line in ours if line.state is LineState.ESTIMATED]
        book = practice.chat_book
        assert len(ours) == len(book)
        theirs = Counter((one.model, one.hit, one.miss, one.completion, one.cost) for one in book)
        exact = Counter(
            (line.model, line.hit, line.miss, line.completion, line.amount) for line in told
        )
        assert not exact - theirs
        assert (theirs - exact).total() == len(guessed)  # those that told no usage
        pictures = [line for line in lines if line.kind == "image"]
        paid = {one.task.task_id: one.amount for one in practice.picture_book}
        assert {line.task_id: line.units for line in pictures} == paid
        assert all(line.amount == (line.units or 0) * Decimal("0.025") for line in pictures)
        assert pictures
        assert told
        assert guessed


def _call(served: Served, what: tuple[str, dict[str, Any]]) -> None:
    way, body = what
    if way.startswith("/kling"):
        prompt = {"prompt": body["question"], "model_name": "kling-v2-1", "n": 2}
        served.http.post(way, json=prompt)
        return
    if way.startswith("/v1"):
        body["messages"] = [{"role": "user", "content": body.pop("question")}]
        body["stream"] = len(body["messages"][0]["content"]) % 2 == 0
    served.http.post(way, json=body)


def _settled(served: Served) -> list[LedgerLine]:
    lines = list(served.studio.store.ledger.every(LedgerFilter()))
    left = [line for line in lines if line.state is LineState.RESERVED]
    return [] if left else lines


@pytest.mark.parametrize(
    ("clock", "hour"),
    [
        ("2026-11-27T09:30", "peak"),
        ("2026-11-27T19:30", "off_peak"),
        ("2026-10-01T10:00", "off_peak"),
    ],
)  # fmt: skip
def test_peak_hours_are_those_of_practices_clock(tmp_path: Path, clock: str, hour: str) -> None:
    at = datetime.fromisoformat(clock).replace(tzinfo=BEIJING)
    settings = Settings(data_dir=tmp_path, practice_clock=at)
    with serving(tmp_path, settings=settings) as served:
        assert served.http.post("/complete", json={"question": "hello"}).status_code == 200
        (line,) = until(lambda: _settled(served), "the line is settled")
        (charge,) = served.studio.services._practice_server().chat_book
        assert (line.hour, line.amount, charge.hour) == (hour, charge.cost, hour)
        assert abs(line.at - datetime.now(UTC)) < timedelta(hours=1)  # its day is ours
