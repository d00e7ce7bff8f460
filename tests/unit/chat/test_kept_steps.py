"""Steps of a stranger's row: whatever stands in them, each reader gets what it can show."""

import re
from dataclasses import asdict, fields
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.models.chat import Conversation, Message
from core.models.money.ledger import money_words
from core.models.parts import ToolStep
from core.storage.chat.kept_steps import ARGUMENTS_MOST, STEPS_MOST, few_steps, kept_step
from core.storage.chat.message_parts import parts_in, parts_out
from core.ui.history.markdown_export import as_markdown
from core.web.chat.steps import step_replies

WHOLE = ToolStep(
    id="call_1",
    name="search",
    arguments='{"query": "端砚"}',
    turn="3",
    result="found",
    state="done",
    thought="hm",
    said="let me see",
    duration_ms="1203",
    line_id="0f-3_A",
    amount="0.000000003",
    currency="PRACTICE",
)
NASTY = [
    "9" * 400,
    "٣",
    "²",
    "-1",
    "1e300000000",
    "NaN",
    "Infinity",
    "1_000",
    "1\n",
    "![x](http://e.example/i.png)",
    "</summary><img src=x>",
    "\ud800",
    "x" * 500_000,
]
NOW = datetime(2026, 1, 1, tzinfo=UTC)
NAMES = [one.name for one in fields(ToolStep)]


def row(**values: str) -> list[dict[str, str]]:
    return [{"type": "step"} | asdict(WHOLE) | values]


def read(**values: str) -> ToolStep:
    (step,) = parts_in(row(**values), "")
    assert isinstance(step, ToolStep)
    return step


def test_what_the_studio_writes_is_read_as_it_was() -> None:
    assert read() == WHOLE
    assert parts_in(parts_out((WHOLE,)), "") == (WHOLE,)


def is_plain(step: ToolStep) -> bool:
    rules = {
        "name": r"[A-Za-z0-9_-]{0,64}",
        "turn": r"([0-9]{1,9})?",
        "duration_ms": r"([0-9]{1,9})?",
        "line_id": r"[A-Za-z0-9_-]{0,64}",
        "amount": r"([0-9]{1,12}(\.[0-9]{1,12})?)?",
        "currency": r"([A-Z]{3}|PRACTICE)?",
        "state": "running|done|failed|refused|proposed|stopped",
    }
    kept = asdict(step)
    return all(re.fullmatch(rule, kept[name]) for name, rule in rules.items())


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", NASTY, ids=range(len(NASTY)))
def test_no_field_carries_more_than_it_may(name: str, value: str) -> None:
    step = read(**{name: value})
    assert is_plain(step)
    assert len(step.arguments) <= ARGUMENTS_MOST
    step_replies([step])
    answer = Message("m", "c", None, "assistant", "words", NOW, parts=(step,))
    told = as_markdown("en", Conversation("c", "ada", "title", NOW, NOW), [answer])
    head = told.split("<summary>")[1].split("</summary>")[0]
    assert len(head) < 1_000
    assert "<img" not in head
    if step.amount:
        assert len(money_words(Decimal(step.amount), step.currency)) < 50


@given(st.fixed_dictionaries({name: st.text(max_size=80) for name in NAMES}))
def test_reading_twice_changes_nothing_more(values: dict[str, str]) -> None:
    step = kept_step(ToolStep(**values))
    assert is_plain(step)
    assert kept_step(step) == step


def test_a_message_has_few_steps_and_keeps_the_rest() -> None:
    parts = parts_in([*(row() * 5_000), {"type": "text", "text": "words"}], "words")
    assert len(parts) == STEPS_MOST + 1
    assert few_steps(parts) == parts
