"""What was spent before there was a ledger: filled in from stored usage and units, as computed."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from core.models.money.ledger import LineState
from core.storage.money.filters import LedgerFilter
from core.storage.store import Store
from tests.unit.storage.old_stores import VERSIONS, lay_down, number_of

_ANSWERS = """
SELECT count(*) FROM messages m JOIN conversations c ON c.id = m.conversation_id
WHERE m.role = 'assistant' AND m.completion_tokens IS NOT NULL AND m.status <> 'running'
    AND m.model IS NOT NULL AND c.origin <> 'import'
"""
_TASKS = """
SELECT count(*) FROM generations
WHERE task_id IS NOT NULL AND status IN ('succeeded', 'archived', 'failed')
"""


@pytest.mark.parametrize("version", [one for one in VERSIONS if number_of(one) < 5])
def test_an_old_stores_spending_is_in_the_ledger(version: str, tmp_path: Path) -> None:
    path = lay_down(version, tmp_path / "inkling.sqlite3")
    with closing(sqlite3.connect(path)) as connection:
        answers, tasks = (connection.execute(query).fetchone()[0] for query in (_ANSWERS, _TASKS))
    store = Store.open(path)
    lines = list(store.ledger.every(LedgerFilter()))
    assert answers
    assert tasks
    held = [line for line in lines if line.state is LineState.RESERVED]
    ended = [line for line in lines if line.state is not LineState.RESERVED]
    assert sum(line.kind == "chat" for line in ended) == answers
    assert sum(line.kind == "image" for line in ended) == tasks
    assert {line.kind for line in held} == {"chat", "image"}  # what was open then
    assert {line.state for line in ended if line.kind == "chat"} <= {
        LineState.COMPUTED,
        LineState.UNKNOWN,
    }
    assert all(line.at == line.settled_at for line in ended)
    for line in ended:
        if line.kind == "chat":
            assert line.message_id == line.id
            assert line.completion is not None
        if line.units is not None and line.amount is not None:
            assert line.amount == line.units / 40
    store.close()
    again = Store.open(path)
    assert list(again.ledger.every(LedgerFilter())) == lines
    again.close()
