"""Answers that have ended, as the runner writes them down: for tests of what comes after."""

from dataclasses import replace
from typing import Any

from core.models.chat import AnswerStatus
from core.storage.store import Store


def end_answer(
    store: Store,
    owner: str,
    message_id: str,
    content: str,
    *,
    status: AnswerStatus = AnswerStatus.COMPLETE,
    **kept: Any,
) -> None:
    """End a running answer with this text, and whatever else is known about it."""
    running = store.messages.get(owner, message_id)
    assert running is not None
    store.running_answers.save_final([replace(running, content=content, status=status, **kept)])
