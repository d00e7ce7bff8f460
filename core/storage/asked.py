"""Chats that come whole, with their earlier turns, from front ends that keep the history."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
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


class Asked:
    """Writes posted chats down, each as a conversation of its own."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    def begin(self, asks: Sequence[Ask], *, process_id: str, lease_s: float) -> tuple[Message, ...]:
        """Write down chats that came together, in one transaction; return their running answers."""
        now = self._clock()
        conversation_rows: list[dict[str, Any]] = []
        message_rows: list[dict[str, Any]] = []
        answers: list[Message] = []
        for ask in asks:
            conversation_id = uuid4().hex
            rows = _rows(ask, conversation_id, now)
            answer = Message(
                id=rows[-1]["id"],
                conversation_id=conversation_id,
                parent_id=rows[-1]["parent_id"],
                role="assistant",
                content="",
                created_at=now,
                status=AnswerStatus.RUNNING,
                model=ask.parameters.model,
                parameters=ask.parameters,
                practice=ask.practice,
            )
            rows[-1] |= {
                "status": AnswerStatus.RUNNING.value,
                "model": ask.parameters.model,
                "parameters": asdict(ask.parameters),
                "practice": ask.practice,
                "process_id": process_id,
                "lease_until": now + timedelta(seconds=lease_s),
            }
            conversation_rows.append(_conversation_row(ask, conversation_id, answer.id, now))
            message_rows += rows
            answers.append(answer)
        with self._database.write() as connection:
            connection.execute(insert(conversations), conversation_rows)
            connection.execute(insert(messages), message_rows)
        return tuple(answers)


def _rows(ask: Ask, conversation_id: str, now: datetime) -> list[dict[str, Any]]:
    """Return the rows of all messages, the answer last; each under the one before it."""
    said = [*ask.earlier, Turn("user", ask.question), Turn("assistant", "")]
    rows: list[dict[str, Any]] = []
    for turn in said:
        rows.append(
            {
                "id": uuid4().hex,
                "conversation_id": conversation_id,
                "parent_id": rows[-1]["id"] if rows else None,
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
                "created_at": now,
            }
        )
    return rows


def _conversation_row(
    ask: Ask, conversation_id: str, head_id: str, now: datetime
) -> dict[str, Any]:
    return {
        "id": conversation_id,
        "owner": ask.owner,
        "title": ask.title,
        "title_is_manual": False,
        "pinned": False,
        "system_prompt": ask.system_prompt,
        "parameters": asdict(ask.parameters),
        "origin": "http",
        "head_id": head_id,
        "created_at": now,
        "updated_at": now,
    }
