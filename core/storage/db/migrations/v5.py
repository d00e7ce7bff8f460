"""Version 5: the ledger, one line for each call that can cost.

What earlier versions kept is filled in: answers by their stored usage, generations by their stored
units, both as computed by the prices of their own time. In which currency an account was billed
nobody wrote down: the list in yuan is taken.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from itertools import chain, islice
from typing import Any

from sqlalchemy import Connection, insert, text

from core.models.chat import AnswerStatus, Message, Usage
from core.models.money.amounts import CNY, PRACTICE_CURRENCY
from core.models.money.ledger import LedgerLine, LineState, Settlement
from core.models.money.prices import PRICES
from core.models.money.settling import settle_answer, settle_task
from core.storage.db.column_types import moment
from core.storage.db.migrations.dialects import TYPES, run_script
from core.storage.db.schema import ledger_lines

_LEDGER = """
CREATE TABLE ledger_lines (
    seq {serial}, id TEXT NOT NULL UNIQUE, at BIGINT NOT NULL, kind TEXT NOT NULL,
    state TEXT NOT NULL, provider TEXT NOT NULL, model TEXT NOT NULL, owner TEXT NOT NULL,
    caller TEXT NOT NULL, origin TEXT NOT NULL, currency TEXT NOT NULL,
    amount BIGINT, low BIGINT, bound BIGINT, mark TEXT NOT NULL, price_id TEXT, hour TEXT,
    hit BIGINT, miss BIGINT, completion BIGINT, reasoning BIGINT, units TEXT, pieces INTEGER,
    conversation_id TEXT, message_id TEXT, generation_id TEXT, task_id TEXT,
    settled_at BIGINT, until BIGINT
);
CREATE INDEX ledger_lines_at ON ledger_lines (at, seq);
CREATE INDEX ledger_lines_owner ON ledger_lines (owner, at, seq);
CREATE INDEX ledger_lines_caller ON ledger_lines (caller, at, seq);
CREATE INDEX ledger_lines_conversation ON ledger_lines (conversation_id)
    WHERE conversation_id IS NOT NULL;
CREATE INDEX ledger_lines_task ON ledger_lines (task_id) WHERE task_id IS NOT NULL;
CREATE INDEX ledger_lines_reserved ON ledger_lines (at) WHERE state = 'reserved';
CREATE TABLE budget_totals (key TEXT PRIMARY KEY, spent BIGINT NOT NULL)
"""

_ANSWERS = """
SELECT m.id, m.conversation_id, m.model, m.created_at, m.duration_s, m.prompt_tokens,
    m.completion_tokens, m.total_tokens, m.cache_hit_tokens, m.cache_miss_tokens,
    m.reasoning_tokens, m.practice, c.owner, c.origin
FROM messages m JOIN conversations c ON c.id = m.conversation_id
WHERE m.role = 'assistant' AND m.completion_tokens IS NOT NULL AND m.status <> 'running'
    AND m.model IS NOT NULL AND c.origin <> 'import'
ORDER BY m.seq
"""
_GENERATIONS = """
SELECT id, owner, provider, kind, origin, task_id, status, model_name, n, created_at,
    finished_at, unit_deduction
FROM generations
WHERE task_id IS NOT NULL AND status IN ('succeeded', 'archived', 'failed')
ORDER BY created_at
"""
# What is still open is held back, as if it had been from the beginning.
_OPEN_GENERATIONS = """
SELECT id, owner, provider, origin, model_name, n, created_at, request
FROM generations WHERE status IN ('intended', 'uncertain', 'submitted', 'processing')
"""
_OPEN_ANSWERS = """
SELECT m.id, m.conversation_id, m.model, m.created_at, m.practice, c.owner, c.origin
FROM messages m JOIN conversations c ON c.id = m.conversation_id WHERE m.status = 'running'
"""
_ROWS_AT_ONCE = 500
_LONGEST_S = 86_400.0


def m005_ledger(connection: Connection) -> None:
    """Make the ledger, and fill in what was spent before there was one."""
    run_script(connection, _LEDGER.format(**TYPES[connection.dialect.name]))
    rows = chain(_answers(connection), _generations(connection), _open(connection))
    while batch := list(islice(rows, _ROWS_AT_ONCE)):
        connection.execute(insert(ledger_lines), batch)


def _answers(connection: Connection) -> Iterator[dict[str, Any]]:
    for row in connection.execute(text(_ANSWERS)).mappings():
        line = _line(row, kind="chat", provider="deepseek", is_practice=bool(row["practice"]))
        line |= {"model": row["model"], "message_id": row["id"]}
        line["conversation_id"] = row["conversation_id"]
        usage = Usage(
            row["prompt_tokens"],
            row["completion_tokens"],
            row["total_tokens"],
            row["cache_hit_tokens"],
            row["cache_miss_tokens"],
            row["reasoning_tokens"],
        )
        message = Message(
            id=row["id"],
            conversation_id=row["conversation_id"],
            parent_id=None,
            role="assistant",
            content="",
            created_at=line["at"],
            status=AnswerStatus.COMPLETE,
            usage=usage,
        )
        took_s = row["duration_s"] or 0
        took_s = took_s if 0 <= took_s <= _LONGEST_S else 0
        end = line["at"] + timedelta(seconds=took_s)
        settled = settle_answer(_value(line), message, PRICES, end=end)
        if settled is not None:
            yield _settled(line, settled)


def _generations(connection: Connection) -> Iterator[dict[str, Any]]:
    for row in connection.execute(text(_GENERATIONS)).mappings():
        is_practice = row["provider"] == "practice"
        line = _line(row, kind="image", provider="kling", is_practice=is_practice)
        line |= {"model": row["model_name"], "generation_id": row["id"], "pieces": row["n"]}
        line["task_id"] = row["task_id"]
        settled = settle_task(
            _value(line),
            failed=row["status"] == "failed",
            made=None,
            units=_decimal(row["unit_deduction"]),
        )
        yield _settled(line, settled)


def _open(connection: Connection) -> Iterator[dict[str, Any]]:
    for row in connection.execute(text(_OPEN_GENERATIONS)).mappings():
        is_practice = row["provider"] == "practice"
        line = _line(row, kind="image", provider="kling", is_practice=is_practice)
        line |= {"model": row["model_name"], "generation_id": row["id"], "pieces": row["n"]}
        request = json.loads(row["request"])
        facts = {name: request.get(name) for name in ("has_image", "resolution")}
        price = PRICES.pieces("image", row["model_name"], facts, line["at"])
        amount = None if price is None else price.amount(line["currency"], pieces=row["n"])
        yield line | {"state": "reserved", "amount": amount, "bound": amount}
    for row in connection.execute(text(_OPEN_ANSWERS)).mappings():
        line = _line(row, kind="chat", provider="deepseek", is_practice=bool(row["practice"]))
        line |= {"model": row["model"] or "", "message_id": row["id"]}
        yield line | {"state": "reserved", "conversation_id": row["conversation_id"]}


def _line(row: Mapping[Any, Any], *, kind: str, provider: str, is_practice: bool) -> dict[str, Any]:
    empty = dict.fromkeys(column.name for column in ledger_lines.columns if column.name != "seq")
    origin = row["origin"]
    owner = str(row["owner"])
    return empty | {
        "id": row["id"],
        "at": moment(row["created_at"]),
        "kind": kind,
        "state": LineState.UNKNOWN.value,
        "provider": "practice" if is_practice else provider,
        "owner": owner,
        "caller": owner if owner.startswith("user:") else "page" if origin == "page" else "local",
        "origin": origin,
        "currency": PRACTICE_CURRENCY if is_practice else CNY,
        "mark": "",
        "model": "",
    }


def _value(line: Mapping[str, Any]) -> LedgerLine:
    return LedgerLine(**{**line, "state": LineState(line["state"])})


def _settled(line: dict[str, Any], settled: Settlement) -> dict[str, Any]:
    tokens = settled.tokens
    return line | {
        "state": settled.state.value,
        "amount": settled.amount,
        "low": settled.low,
        "mark": settled.mark.value,
        "hour": settled.hour,
        "hit": tokens.hit if tokens else None,
        "miss": tokens.miss if tokens else None,
        "completion": tokens.completion if tokens else None,
        "reasoning": tokens.reasoning if tokens else None,
        "units": None if settled.units is None else str(settled.units),
        "settled_at": line["at"],
    }


def _decimal(words: str | None) -> Decimal | None:
    try:
        value = Decimal(words or "")
    except InvalidOperation:
        return None
    return value if value.is_finite() and value >= 0 else None
