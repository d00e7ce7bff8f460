"""Chats that come whole, with their earlier turns, from front ends that keep the history."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import uuid4

from sqlalchemy import insert

from core.models import AnswerStatus, ChatParameters, Message, Turn
from core.storage.database import Database
from core.storage.schema import conversations, messages


@dataclass(frozen=True, slots=True)
class Ask:
    """A question with what was said before it."""

    owner: str
    question: str
    parameters: ChatParameters
    practice: bool
    title: str
    system_prompt: str = ""
    earlier: tuple[Turn, ...] = ()
    conversation_id: str = field(default_factory=lambda: uuid4().hex)
    question_id: str = field(default_factory=lambda: uuid4().hex)
    answer_id: str = field(default_factory=lambda: uuid4().hex)
    asked_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def answer(self) -> Message:
        """Return the answer as it is when it begins to run."""
        return Message(
            id=self.answer_id,
            conversation_id=self.conversation_id,
            parent_id=self.question_id,
            role="assistant",
            content="",
            created_at=self.asked_at,
            status=AnswerStatus.RUNNING,
            model=self.parameters.model,
            parameters=self.parameters,
            practice=self.practice,
        )


class Asked:
    """Writes posted chats down, each as a conversation of its own."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    def begin(self, asks: Sequence[Ask], *, process_id: str, lease_s: float) -> None:
        """Write down chats that came together, and their running answers, in one transaction."""
        lease_until = self._clock() + timedelta(seconds=lease_s)
        message_rows: list[dict[str, Any]] = []
        for ask in asks:
            message_rows += _rows(ask)
            message_rows[-1] |= {
                "status": AnswerStatus.RUNNING.value,
                "model": ask.parameters.model,
                "parameters": _as_dict(ask.parameters),
                "practice": ask.practice,
                "process_id": process_id,
                "lease_until": lease_until,
            }
        with self._database.write() as connection:
            connection.execute(insert(conversations), [_conversation_row(ask) for ask in asks])
            connection.execute(insert(messages), message_rows)


@lru_cache(maxsize=64)
def _as_dict(parameters: ChatParameters) -> dict[str, object]:
    # Front ends ask with the same ones again and again.
    return asdict(parameters)


def _rows(ask: Ask) -> list[dict[str, Any]]:
    """Return the rows of all messages, the answer last; each under the one before it."""
    said = [*ask.earlier, Turn("user", ask.question), Turn("assistant", "")]
    ids = [*(uuid4().hex for _ in ask.earlier), ask.question_id, ask.answer_id]
    return [
        {
            "id": message_id,
            "conversation_id": ask.conversation_id,
            "parent_id": parent_id,
            "role": turn.role,
            "content": turn.content,
            "reasoning_content": turn.reasoning_content or "",
            "status": AnswerStatus.COMPLETE.value,
            "error_detail": "",
            "model": None,
            "parameters": None,
            "practice": False,
            "process_id": None,
            "lease_until": None,
            "created_at": ask.asked_at,
        }
        for turn, message_id, parent_id in zip(said, ids, [None, *ids[:-1]], strict=True)
    ]


def _conversation_row(ask: Ask) -> dict[str, Any]:
    return {
        "id": ask.conversation_id,
        "owner": ask.owner,
        "title": ask.title,
        "title_is_manual": False,
        "pinned": False,
        "system_prompt": ask.system_prompt,
        "parameters": _as_dict(ask.parameters),
        "origin": "http",
        "head_id": ask.answer_id,
        "created_at": ask.asked_at,
        "updated_at": ask.asked_at,
    }
