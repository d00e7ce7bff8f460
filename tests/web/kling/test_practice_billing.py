"""The practice Kling's book through our own client: what tasks tell, the billing rows, the pack."""

import asyncio
import itertools
import random
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest

from core.errors import QuotaExceededError, RejectedError
from core.models.accounts import KlingApiKey, KlingKeyPair
from core.models.generations import ImageRequest, KlingTask, TaskStatus
from core.models.money.charges import BillingRow, Charge, charged
from core.practice.kling.book import PictureCharge
from core.practice.server import PracticeServer
from core.practice.settings import (
    PRACTICE_ACCESS_KEY,
    PRACTICE_KLING_API_KEY,
    PRACTICE_KLING_CASH_KEY,
    PRACTICE_SECRET_KEY,
    PracticeSettings,
)
from core.providers.http.pace import Pace
from core.providers.kling.billing import Book
from core.providers.kling.client import Kling

SETTINGS = PracticeSettings(
    submitted_s=0, processing_s=0, picture_pixels=96, concurrent_pictures=99, costs_lag_s=0
)
PACKAGE_KEY, CASH_KEY = KlingApiKey(PRACTICE_KLING_API_KEY), KlingApiKey(PRACTICE_KLING_CASH_KEY)
PAIR = KlingKeyPair(PRACTICE_ACCESS_KEY, PRACTICE_SECRET_KEY)
HEADERS = {"authorization": f"Bearer {PRACTICE_KLING_API_KEY}"}
# Units of one picture without a reference (kling.md section 10), and what a unit costs in CNY.
UNITS = {"kling-v3": 8, "kling-v2-1": 4, "kling-v1": 1}
UNIT = Decimal("0.025")

Result = TypeVar("Result")


@pytest.fixture
def practice() -> Iterator[PracticeServer]:
    with PracticeServer(settings=SETTINGS) as server:
        yield server


def call(
    server: PracticeServer,
    act: Callable[[Kling], Awaitable[Result]],
    key: KlingApiKey | KlingKeyPair = PACKAGE_KEY,
) -> Result:
    async def run() -> Result:
        kling = Kling(origin=server.origin, credentials=key, billing_pace=Pace(0))
        try:
            return await act(kling)
        finally:
            await kling.aclose()

    return asyncio.run(run())


def draw(
    server: PracticeServer,
    prompt: str = "山",
    *,
    key: KlingApiKey | KlingKeyPair = PACKAGE_KEY,
    **fields: Any,
) -> KlingTask:
    """Ask for pictures and return the task as it ended."""

    async def act(kling: Kling) -> KlingTask:
        request = ImageRequest(prompt=prompt, **fields)
        made = await kling.create_task(request, external_task_id=f"ink-{random.random()}")
        return await kling.get_task("image", made.task_id)

    return call(server, act, key)


def rows_of(server: PracticeServer, book: Book, *, limit: int = 500) -> list[BillingRow]:
    async def act(kling: Kling) -> list[BillingRow]:
        now = datetime.fromtimestamp(server.clock.now(), UTC)
        span = {"start": now - timedelta(days=2), "end": now + timedelta(minutes=1)}
        return [row async for row in kling.account.billing_rows(book, limit=limit, **span)]

    return call(server, act)


def check_row(row: BillingRow, line: PictureCharge) -> None:
    assert (row.kind, row.task_id, row.amount) == (line.kind, line.task.task_id, line.amount)
    assert (row.balance_before, row.balance_after) == (line.before, line.after)
    assert row.at is not None
    assert row.at.timestamp() * 1000 == pytest.approx(line.task.ends_at_ms)
    assert (row.model_name, row.resolution) == (line.task.model_name, line.task.resolution)
    assert row.api_key_name == line.task.key_name
    assert row.currency == ("CNY" if line.kind == "cash" else None)


def test_eighty_mixed_tasks_tell_what_the_book_and_the_billing_rows_tell(
    practice: PracticeServer,
) -> None:
    dice = random.Random(14)
    told: dict[str, tuple[str, Decimal]] = {}
    keys: list[KlingApiKey | KlingKeyPair] = [PACKAGE_KEY, PACKAGE_KEY, PAIR, CASH_KEY]
    for _ in range(80):
        model, n = dice.choice(list(UNITS)), dice.randint(1, 9)
        key = dice.choice(keys)
        words = [dice.choice(["", "/practice cash"]), dice.choice(["", "/practice billing"])]
        fails = dice.random() < 0.2
        prompt = f"山 {' '.join(words)} {'/practice fail' if fails else ''}"
        task = draw(practice, prompt, key=key, model_name=model, n=n)
        assert task.status is (TaskStatus.FAILED if fails else TaskStatus.SUCCEED)
        (charge,) = charged(task.charges)
        units = 0 if fails else UNITS[model] * n
        if key is CASH_KEY or words[0]:
            assert (charge.kind, charge.amount) == ("cash", units * UNIT)
            assert charge.list_price == charge.amount
        else:
            assert (charge.kind, charge.amount) == ("units", units)
        told[task.task_id] = (charge.kind, charge.amount)

    book = practice.picture_book
    assert {line.task.task_id: (line.kind, line.amount) for line in book} == told
    for name, kind, start in (("package", "units", 100_000), ("balance", "cash", 2500)):
        lines = [line for line in reversed(book) if line.kind == kind]
        assert len(lines) > 20
        for limit in (7, len(lines), 500):
            rows = rows_of(practice, name, limit=limit)  # type: ignore[arg-type]
            assert len(rows) == len(lines)
            for row, line in zip(rows, lines, strict=True):
                check_row(row, line)
        assert lines[-1].before == start
        assert lines[0].after == start - sum(line.amount for line in lines)
        for newer, older in itertools.pairwise(lines):
            assert newer.before == older.after

    now = datetime.now(UTC)
    costs = call(practice, lambda it: it.account.costs(start=now - timedelta(days=1), end=now))
    spent = sum(amount for kind, amount in told.values() if kind == "units")
    assert costs.packs[0].remaining == float(100_000 - spent)
    plain = httpx.get(f"{practice.origin}/practice/book").json()["pictures"]
    assert {one["task_id"]: (one["kind"], Decimal(one["amount"])) for one in plain} == told


def test_a_server_that_starts_anew_has_the_same_book(tmp_path: Path) -> None:
    journal = tmp_path / "practice.jsonl"
    with PracticeServer(settings=SETTINGS, journal=journal) as server:
        draw(server)
        draw(server, "/practice cash", n=3)
        draw(server, "/practice fail")
        before = server.picture_book
        rows = rows_of(server, "package"), rows_of(server, "balance")
    with PracticeServer(settings=SETTINGS, journal=journal) as server:
        assert server.picture_book == before
        assert (rows_of(server, "package"), rows_of(server, "balance")) == rows
        draw(server, "/practice cash")
        newest = server.picture_book[-1]
        assert newest.before == Decimal("2499.4")
    assert [len(some) for some in rows] == [2, 1]


def test_a_line_that_an_earlier_version_wrote_is_charged_in_units(tmp_path: Path) -> None:
    journal = tmp_path / "practice.jsonl"
    with PracticeServer(settings=SETTINGS, journal=journal) as server:
        draw(server, n=2)
    text = journal.read_text(encoding="utf-8")
    old = text[: text.index(', "model_name"')] + "}\n"
    journal.write_text(old, encoding="utf-8")
    with PracticeServer(settings=SETTINGS, journal=journal) as server:
        (line,) = server.picture_book
        assert (line.kind, line.amount) == ("units", 16)


def test_rows_that_come_while_pages_are_read_neither_repeat_nor_hide_one(
    practice: PracticeServer,
) -> None:
    made = [draw(practice).task_id for _ in range(5)]

    async def act(kling: Kling) -> list[str]:
        now = datetime.now(UTC)
        seen: list[str] = []
        cursor = None
        while True:
            page = await kling.account.billing(
                "package",
                start=now - timedelta(days=1),
                end=now + timedelta(days=1),
                cursor=cursor,
                limit=2,
            )
            seen += [row.task_id for row in page.rows]
            if (cursor := page.next_cursor) is None:
                return seen
            await kling.create_task(ImageRequest(prompt="海"), external_task_id=f"n-{len(seen)}")

    assert sorted(call(practice, act)) == sorted(made)


def test_a_task_that_goes_on_is_not_charged_yet() -> None:
    with PracticeServer(settings=replace(SETTINGS, processing_s=600)) as server:
        task = draw(server)
        assert task.charges == ()
        assert list(server.picture_book) == []
        assert rows_of(server, "package") == []
        server.clock.set(datetime.now(UTC) + timedelta(seconds=700))
        assert [one.amount for one in server.picture_book] == [8]
        assert [row.task_id for row in rows_of(server, "package")] == [task.task_id]


def test_the_pack_is_known_some_hours_late() -> None:
    with PracticeServer(settings=replace(SETTINGS, costs_lag_s=12 * 3600)) as server:
        draw(server)
        now = datetime.now(UTC)
        seen = []
        for hours in (0, 11, 13):
            server.clock.set(now + timedelta(hours=hours))
            costs = call(
                server, lambda it: it.account.costs(start=now - timedelta(days=1), end=now)
            )
            seen.append(costs.packs[0].remaining)
    assert seen == [100_000, 100_000, 99_992]


def test_a_discount_is_told_beside_the_list_price() -> None:
    settings = replace(SETTINGS, pays_by="balance", cash_rate=Decimal("0.9"))
    with PracticeServer(settings=settings) as server:
        listed = Decimal("0.2")
        assert draw(server).charges == (Charge("cash", Decimal("0.18"), list_price=listed),)
        assert draw(server, "/practice billing").charges == (
            Charge("cash", Decimal("0.18"), "CNY", listed, "image"),
        )
        rows = rows_of(server, "balance")
        assert [(row.amount, row.list_price) for row in rows] == [(Decimal("0.18"), listed)] * 2


@pytest.mark.parametrize(
    ("settings", "text_id"),
    [
        (replace(SETTINGS, pack_units=Decimal(16)), "error.kling_package"),
        (
            replace(SETTINGS, pays_by="balance", balance_cny=Decimal("0.4")),
            "error.kling_arrears",
        ),
    ],
)
def test_what_the_account_cannot_pay_is_refused(settings: PracticeSettings, text_id: str) -> None:
    with PracticeServer(settings=settings) as server:
        draw(server)
        draw(server, "/practice fail", n=1)  # costs nothing in the end
        draw(server)
        with pytest.raises(QuotaExceededError) as caught:
            draw(server)
        assert caught.value.text_id == text_id
        assert len(server.picture_book) == 3


def test_a_model_ends_for_our_client_at_the_end_of_its_day(practice: PracticeServer) -> None:
    practice.clock.set(datetime(2026, 9, 15, 15, 59, tzinfo=UTC))
    assert charged(draw(practice, model_name="kling-v2").charges) == (Charge("units", Decimal(4)),)
    practice.clock.set(datetime(2026, 9, 15, 16, 0, tzinfo=UTC))
    with pytest.raises(RejectedError) as caught:
        draw(practice, model_name="kling-v2")
    assert caught.value.code == 1203
    assert "kling-v2" in caught.value.detail
    assert len(practice.picture_book) == 1


@pytest.mark.parametrize(
    ("fields", "clue"),
    [
        ({}, "start_time"),
        ({"start_time": 5, "end_time": "6"}, "end_time"),
        ({"start_time": 6, "end_time": 5}, "start_time"),
        ({"start_time": 1, "end_time": 2, "limit": 501}, "limit"),
        ({"start_time": 1, "end_time": 2, "limit": True}, "limit"),
        ({"cursor": "x"}, "cursor"),
        ({"cursor": 7}, "cursor"),
        ({"start_time": 1, "end_time": 2, "filters": {}}, "filters"),
        ({"start_time": 1, "end_time": 2, "filters": [{"key": "model", "values": []}]}, "filters"),
    ],
)
@pytest.mark.parametrize("book", ["package", "balance"])
def test_a_billing_request_against_the_rules_is_refused(
    practice: PracticeServer, book: str, fields: dict[str, object], clue: str
) -> None:
    url = f"{practice.origin}/account/billing/{book}"
    answer = httpx.post(url, json=fields, headers=HEADERS)
    assert (answer.status_code, answer.json()["code"]) == (400, 1201)
    assert answer.json()["message"].startswith(clue)


def test_rows_can_be_asked_for_one_key_and_one_span(practice: PracticeServer) -> None:
    by_key, by_pair = draw(practice), draw(practice, key=PAIR)
    url = f"{practice.origin}/account/billing/package"

    def found(**fields: object) -> list[str]:
        body = {"start_time": 0, "end_time": 2**42, **fields}
        result = httpx.post(url, json=body, headers=HEADERS).json()["data"]["result"]
        assert result["count"] == len(result["detail"])
        return [row["task_id"] for row in result["detail"]]

    names = [{"key": "api_key_name", "values": ["practice-pair"]}]
    assert found(filters=names) == [by_pair.task_id]
    assert sorted(found()) == sorted([by_key.task_id, by_pair.task_id])
    assert found(end_time=1) == []
