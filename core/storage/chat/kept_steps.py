"""Steps of a row or of a file: each field within what the studio itself writes.

An export is anybody's file, and a row may have come from one: what is read as a number, an amount
or an address later is checked here, once, for every reader.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import get_args

from core.models.money.amounts import PRACTICE_CURRENCY
from core.models.parts import Part, StepState, ToolStep, ended_step

STEPS_MOST = 256  # of a message
ID_MOST, NAME_MOST = 256, 64
ARGUMENTS_MOST, RESULT_MOST = 8_000, 400_000
WORDS_MOST = 2_000_000  # of what a turn thought, and of what it said
_STATES = frozenset(get_args(StepState))
_DIGITS = re.compile(r"[0-9]{1,9}")
_AMOUNT = re.compile(r"[0-9]{1,12}(\.[0-9]{1,12})?")
_CURRENCY = re.compile(rf"[A-Z]{{3}}|{PRACTICE_CURRENCY}")
_LINE = re.compile(r"[A-Za-z0-9_-]{1,64}")
_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9_-]")


def kept_step(step: ToolStep) -> ToolStep:
    """Return a step each of whose fields is what it may be; what is none is left empty."""
    amount, currency = _if(_AMOUNT, step.amount), _if(_CURRENCY, step.currency)
    return ToolStep(
        id=step.id[:ID_MOST],
        name=_NOT_IN_A_NAME.sub("_", step.name[:NAME_MOST]),
        arguments=step.arguments[:ARGUMENTS_MOST],
        turn=_if(_DIGITS, step.turn),
        result=step.result[:RESULT_MOST],
        state=step.state if step.state in _STATES else "stopped",
        thought=step.thought[:WORDS_MOST],
        said=step.said[:WORDS_MOST],
        duration_ms=_if(_DIGITS, step.duration_ms),
        line_id=_if(_LINE, step.line_id),
        amount=amount if currency else "",
        currency=currency,
        made_in=_if(_LINE, step.made_in),
    )


def strange_step(step: ToolStep) -> ToolStep:
    """Return a step of a file: what it cost stands in no ledger here, and nothing waits for anyone.

    A proposed picture is one no more: its button would spend money on a stranger's words.
    """
    is_open = step.state in ("running", "proposed")
    state = "stopped" if is_open else step.state
    return replace(step, state=state, line_id="", amount="", currency="", made_in="")


def copied_step(step: ToolStep, message_id: str) -> ToolStep:
    """Return a step of a message as it stands in a copy of that: what is bought of it is so once.

    What was under way in the one is so in the other no more.
    """
    return replace(ended_step(step), made_in=step.made_in or message_id)


def few_steps(parts: Sequence[Part]) -> tuple[Part, ...]:
    """Return parts with as many steps as a message may have, the first of them."""
    kept: list[Part] = []
    count = 0
    for part in parts:
        count += isinstance(part, ToolStep)
        if count <= STEPS_MOST or not isinstance(part, ToolStep):
            kept.append(part)
    return tuple(kept)


def _if(rule: re.Pattern[str], value: str) -> str:
    return value if rule.fullmatch(value) else ""
