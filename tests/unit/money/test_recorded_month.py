"""A month replayed: 500 answers and 200 pictures, over class edges, holidays and a price change.

What it comes to is reckoned here once more by other means: whole fractions, and rules written down
for these days alone.
"""

import random
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from core.errors import RateLimitError, UnavailableError
from core.models.chat import AnswerStatus, ChatParameters, Message, Turn, Usage
from core.models.generations import (
    GenerationRequest,
    ImageRequest,
    KlingTask,
    TaskImage,
    TaskStatus,
)
from core.models.money.hours import BEIJING
from core.models.money.ledger import LineState, Mark, Spender
from core.settings.money import MoneySettings
from core.storage.money.filters import LedgerFilter
from core.storage.store import Store
from core.work.money.spending import Spending, never_sent
from core.work.money.task_costs import task_ended

# The days of September and October 2026 on which there is no peak though they are weekdays.
_HOLIDAYS = {(9, 25), *((10, day) for day in range(1, 8))}
_FLASH, _PRO = "deepseek-flash", "deepseek-v4-pro"
_RATES = {_FLASH: ("0.02", "1", "4"), _PRO: ("0.15", "4.5", "13.5")}
_FLASH_SINCE = datetime(2026, 9, 10, tzinfo=BEIJING)
_START = datetime(2026, 9, 8, tzinfo=BEIJING)
_UNITS = {"kling-v2-1": 4, "kling-v3": 8}


class Asked(NamedTuple):
    """An answer of the month."""

    at: datetime
    took: timedelta
    model: str
    usage: Usage | None
    way: str


def is_peak(at: datetime) -> bool:
    there = at.astimezone(BEIJING)
    if there.weekday() > 4 or (there.month, there.day) in _HOLIDAYS:
        return False
    return 9 <= there.hour < 12 or 14 <= there.hour < 18


def reckoned(one: Asked) -> tuple[Fraction, Fraction] | None:
    """Return the higher and the lower figure; None where no price was known then."""
    if one.model not in _RATES or (one.model == _FLASH and one.at < _FLASH_SINCE):
        return None
    assert one.usage is not None
    hit, miss, output = map(Fraction, _RATES[one.model])
    tokens = (one.usage.cache_hit_tokens, one.usage.cache_miss_tokens, one.usage.completion_tokens)
    counts = [Fraction(count or 0) for count in tokens]
    base = (hit * counts[0] + miss * counts[1] + output * counts[2]) / 1_000_000
    figures = [base * (2 if is_peak(at) else 1) for at in (one.at, one.at + one.took)]
    return max(figures), min(figures)


def month(dice: random.Random) -> list[Asked]:
    found = []
    for _ in range(500):
        at = _START + timedelta(seconds=dice.randrange(30 * 24 * 3600))
        hit, miss = dice.randrange(0, 60_000), dice.randrange(1, 20_000)
        completion = dice.randrange(1, 9_000)
        usage = Usage(hit + miss, completion, hit + miss + completion, hit, miss, completion // 3)
        way = dice.choice(["well"] * 8 + ["stopped", "refused", "lost"])
        model = dice.choice([_FLASH] * 5 + [_PRO] * 2 + ["nobody-knows"])
        took = timedelta(seconds=dice.randrange(1, 1_200))
        found.append(Asked(at, took, model, usage, way))
    return found


def test_a_month_comes_to_what_it_comes_to(store: Store) -> None:
    dice = random.Random(20260908)
    now = [_START]
    spending = Spending(MoneySettings, lambda _provider: "CNY", clock=lambda: now[0])
    expected = Fraction(0)
    unknown = ranges = edges = estimated = 0
    asked = month(dice)
    for number, one in enumerate(asked):
        now[0] = one.at
        held = spending.for_answer(
            Spender("local", "page"),
            "deepseek",
            ChatParameters(model=one.model),
            [Turn.of_text("user", "x" * 70_000)],
        )
        held.line = replace(held.line, id=f"a{number}", message_id=f"a{number}")
        store.ledger.reserve(held)
        now[0] = one.at + one.took
        message = Message(f"a{number}", "c", None, "assistant", "text", one.at, usage=one.usage)
        figure = reckoned(one)
        if one.way == "refused":
            message = replace(message, content="", usage=None, status=AnswerStatus.FAILED)
            error = RateLimitError(provider="deepseek", status_code=429)
            settle = spending.answer_settled(lambda m=message: m, error, was_sent=True)  # type: ignore[misc]
        elif one.way == "lost":
            message = replace(message, content="", usage=None, status=AnswerStatus.FAILED)
            lost = UnavailableError("error.network_lost", provider="deepseek")
            settle = spending.answer_settled(lambda m=message: m, lost, was_sent=True)  # type: ignore[misc]
            if figure is None:
                unknown += 1
            else:  # at most what was held back
                estimated += 1
                expected += Fraction(held.bound)
        elif one.way == "stopped":
            message = replace(message, content="", usage=None, status=AnswerStatus.STOPPED)
            settle = spending.answer_settled(lambda m=message: m, None, was_sent=False)  # type: ignore[misc]
        else:
            settle = spending.answer_settled(lambda m=message: m, None, was_sent=True)  # type: ignore[misc]
            if figure is None:
                unknown += 1
            else:
                expected += figure[0]
                edges += figure[0] != figure[1]
        store.ledger.settle({held.line.id: settle})

    for number in range(200):
        now[0] = _START + timedelta(minutes=200 * number)
        request: GenerationRequest = ImageRequest(
            "hill", model_name=dice.choice(["kling-v2-1", "kling-v3"]), n=dice.randrange(1, 5)
        )
        held = spending.for_task(Spender("local", "page"), "kling", request)
        held.line = replace(held.line, id=f"p{number}", generation_id=f"p{number}")
        store.ledger.reserve(held)
        way = dice.choice(["well", "well", "well", "no figure", "failed", "refused"])
        made = tuple(TaskImage(index, "https://x/") for index in range(request.n))
        units = _UNITS[request.model_name] * request.n
        task = KlingTask(f"T{number}", TaskStatus.SUCCEED, images=made, unit_deduction=str(units))
        if way == "refused":
            store.ledger.settle({held.line.id: never_sent})
            continue
        if way == "failed":
            failed = replace(task, status=TaskStatus.FAILED, images=(), unit_deduction="0")
            store.ledger.settle({held.line.id: task_ended(failed, failed=True)})
            continue
        if way == "no figure":
            task = replace(task, unit_deduction=None)
        store.ledger.settle({held.line.id: task_ended(task, failed=False)})
        expected += Fraction(units) / 40

    lines = list(store.ledger.every(LedgerFilter()))
    total = sum((Fraction(line.amount) for line in lines if line.amount is not None), Fraction(0))
    assert total == expected, "to the last place"
    assert {line.state for line in lines} >= {LineState.COMPUTED, LineState.UNKNOWN}
    ranges = sum(line.low is not None for line in lines)
    assert ranges == edges > 0
    assert sum(line.amount is None for line in lines) == unknown > 20
    assert all(line.amount != 0 for line in lines if line.kind == "chat")
    assert sum(line.mark is Mark.AT_MOST for line in lines) == estimated > 10
    (sums,) = [one for one in store.ledger.sums(LedgerFilter()) if one.currency == "CNY"]
    assert Fraction(sums.amount) == expected
    assert sums.unknown == unknown
    assert Decimal(sums.amount) == sum((one.amount or 0 for one in lines), Decimal(0))
