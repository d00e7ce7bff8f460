"""Chats that come whole, with their earlier turns, from front ends that keep the history."""

import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, insert

from core.models.chat import AnswerStatus, ChatParameters, Message, Turn
from core.models.money.ledger import BudgetError, Reservation
from core.models.notices import tools_facts
from core.models.parts import Blob, ToolCall
from core.storage.chat.conversations import titled
from core.storage.chat.message_blobs import Said, attach
from core.storage.chat.message_parts import parts_out
from core.storage.db.database import Database
from core.storage.db.schema import conversations, messages
from core.storage.money.ledger import Ledger

_ID_BYTES = 16
_EMPTY = Turn("assistant", ())  # what an answer says when it begins
_NEW_CONVERSATIONS, _NEW_MESSAGES = insert(conversations), insert(messages)  # built once


@dataclass(frozen=True, slots=True)
class PostedChat:
    """A question with what was said before it."""

    owner: str
    question: Turn
    parameters: ChatParameters
    practice: bool
    title: str
    system_prompt: str = ""
    earlier: tuple[Turn, ...] = ()
    begun: Turn | None = None  # what the answer goes on from
    attached: tuple[Blob, ...] = ()  # bytes that parts point to
    reservation: Reservation | None = None  # its line's ids are this chat's
    asked_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    _ids: list[str] = field(default_factory=lambda: _new_ids(3), init=False)

    @property
    def conversation_id(self) -> str:
        """The id of its conversation."""
        return self._ids[0]

    @property
    def question_id(self) -> str:
        """The id of the question's message."""
        return self._ids[1]

    @property
    def answer_id(self) -> str:
        """The id of the answer's message."""
        return self._ids[2]

    def answer(self) -> Message:
        """Return the answer as it is when it begins to run."""
        return Message(
            id=self.answer_id,
            conversation_id=self.conversation_id,
            parent_id=self.question_id,
            role="assistant",
            content=self.begun.text if self.begun else "",
            created_at=self.asked_at,
            reasoning_content=(self.begun and self.begun.reasoning_content) or "",
            status=AnswerStatus.RUNNING,
            model=self.parameters.model,
            parameters=self.parameters,
            practice=self.practice,
        )


class PostedChats:
    """Writes posted chats down, each as a conversation of its own."""

    def __init__(self, database: Database, clock: Callable[[], datetime], ledger: Ledger) -> None:
        self._database = database
        self._clock = clock
        self._ledger = ledger

    def begin(
        self, chats: Sequence[PostedChat], *, process_id: str, lease_s: float
    ) -> dict[int, BudgetError]:
        """Write down chats that came together, and their running answers, in one transaction.

        Returns which of them no budget has room for, by their places: of those nothing is kept.
        """
        with self._database.write() as connection:
            refused = self._reserve(connection, chats)
            kept = [chat for place, chat in enumerate(chats) if place not in refused]
            if kept:
                self._insert(connection, kept, process_id=process_id, lease_s=lease_s)
        return refused

    def _reserve(
        self, connection: Connection, chats: Sequence[PostedChat]
    ) -> dict[int, BudgetError]:
        reserving = [
            (place, chat.reservation)
            for place, chat in enumerate(chats)
            if chat.reservation is not None
        ]
        refusals = self._ledger.reserve_in(connection, [held for _, held in reserving])
        return {
            place: refusal
            for (place, _), refusal in zip(reserving, refusals, strict=True)
            if refusal is not None
        }

    def _insert(
        self,
        connection: Connection,
        chats: Sequence[PostedChat],
        *,
        process_id: str,
        lease_s: float,
    ) -> None:
        lease_until = self._clock() + timedelta(seconds=lease_s)
        message_rows: list[dict[str, Any]] = []
        attached: list[tuple[PostedChat, Said]] = []
        for chat in chats:
            rows = _rows(chat)
            if chat.attached:
                turns = (*chat.earlier, chat.question, chat.begun or _EMPTY)
                said = zip(rows, turns, strict=True)
                attached.append((chat, {row["id"]: turn.content for row, turn in said}))
            rows[-1] |= {
                "status": AnswerStatus.RUNNING.value,
                "model": chat.parameters.model,
                "parameters": _as_dict(chat.parameters),
                "practice": chat.practice,
                "process_id": process_id,
                "lease_until": lease_until,
            }
            message_rows += rows
        connection.execute(_NEW_CONVERSATIONS, [_conversation_row(chat) for chat in chats])
        connection.execute(_NEW_MESSAGES, message_rows)
        for chat, parts in attached:
            attach(connection, chat.owner, parts, chat.attached, now=chat.asked_at)


@lru_cache(maxsize=64)
def _as_dict(parameters: ChatParameters) -> dict[str, object]:
    # Front ends ask with the same ones again and again.
    return asdict(parameters)


def _new_ids(count: int) -> list[str]:
    # One call into the system for all of them: each lets other threads run, and waits its turn.
    drawn = os.urandom(_ID_BYTES * count).hex()
    return [drawn[at : at + 2 * _ID_BYTES] for at in range(0, len(drawn), 2 * _ID_BYTES)]


def _rows(chat: PostedChat) -> list[dict[str, Any]]:
    """Return the rows of all messages, the answer last; each under the one before it."""
    said = [*chat.earlier, chat.question, chat.begun or _EMPTY]
    ids = [*_new_ids(len(chat.earlier)), chat.question_id, chat.answer_id]
    return [
        {
            "id": message_id,
            "conversation_id": chat.conversation_id,
            "parent_id": parent_id,
            "role": turn.role,
            "content": turn.text,
            "parts": parts_out(turn.content),
            "reasoning_content": turn.reasoning_content or "",
            "status": AnswerStatus.COMPLETE.value,
            "error_facts": _facts(turn),
            "error_detail": "",
            "model": None,
            "parameters": None,
            "practice": False,
            "process_id": None,
            "lease_until": None,
            "created_at": chat.asked_at,
        }
        for turn, message_id, parent_id in zip(said, ids, [None, *ids[:-1]], strict=True)
    ]


def _facts(turn: Turn) -> dict[str, object] | None:
    """Return what is kept of a turn beside it: what was called before, its caller can call."""
    return tools_facts(has_tools=any(isinstance(part, ToolCall) for part in turn.content)) or None


def _conversation_row(chat: PostedChat) -> dict[str, Any]:
    return {
        "id": chat.conversation_id,
        "owner": chat.owner,
        **titled(chat.title),
        "title_is_manual": False,
        "pinned": False,
        "system_prompt": chat.system_prompt,
        "parameters": _as_dict(chat.parameters),
        "origin": "http",
        "head_id": chat.answer_id,
        "created_at": chat.asked_at,
        "updated_at": chat.asked_at,
    }
