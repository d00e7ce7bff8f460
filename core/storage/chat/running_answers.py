"""Answers under way: their text so far, kept at least once a second until they end."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import (
    Connection,
    Update,
    bindparam,
    func,
    literal_column,
    select,
    update,
)

from core.models.chat import AnswerStatus, Message, Usage
from core.models.notices import moved_text
from core.storage.chat import message_tree as tree
from core.storage.chat.conversations import USAGE_FIELDS
from core.storage.chat.message_parts import parts_out
from core.storage.db.database import Database
from core.storage.db.schema import conversations, messages
from core.storage.money.book import Settle
from core.storage.money.ledger import Ledger

# A literal, not a parameter: only so is the partial index `messages_running` used.
IS_RUNNING = messages.c.status == literal_column("'running'")


_IDS_AT_ONCE = 500


class SaveOutcome(StrEnum):
    """What became of a growing answer's text."""

    SAVED = "saved"
    STOP_REQUESTED = "stop_requested"  # saved, and somebody asked to stop
    FINAL = "final"  # refused: the answer has ended already
    GONE = "gone"  # its conversation or version was deleted for good


@dataclass(frozen=True, slots=True)
class AnswerDraft:
    """How far a running answer has come."""

    message_id: str
    content: str
    reasoning_content: str = ""
    reasoning_s: float | None = None
    first_token_s: float | None = None
    facts: Mapping[str, object] = field(default_factory=dict)  # that notices rest on


@dataclass(frozen=True, slots=True)
class AnswerProgress:
    """How far an answer has come, as anyone who shares the database sees it."""

    status: AnswerStatus
    length: int  # of what was sent of its text, in characters
    rest: str  # its text from the place asked for


def _overwriting(*names: str) -> Update:
    """Return the change of one running answer, for many at once."""
    return (
        update(messages)
        .where(messages.c.id == bindparam("message_id"), IS_RUNNING)
        .values({name: bindparam(name) for name in names})
    )


_GROW = _overwriting(
    "content",
    "reasoning_content",
    "reasoning_s",
    "first_token_s",
    "error_facts",
    "lease_until",
)
_END = _overwriting(
    "content",
    "reasoning_content",
    "status",
    "finish_reason",
    "model",
    "error_text_id",
    "error_facts",
    "error_detail",
    "reasoning_s",
    "first_token_s",
    "duration_s",
    "parts",
    "process_id",
    "lease_until",
    *USAGE_FIELDS,
)
# Nobody runs them any more.
_INTERRUPT = (
    update(messages)
    .where(IS_RUNNING)
    .values(status=AnswerStatus.INTERRUPTED.value, process_id=None, lease_until=None)
)
_INTERRUPT_HELD = _INTERRUPT.where(
    messages.c.id == bindparam("message_id"), messages.c.lease_until == bindparam("if_until")
)
_TOUCH = (
    update(conversations)
    .where(conversations.c.id == bindparam("conversation"))
    .values(updated_at=bindparam("updated_at"))
)


def _end_values(message: Message) -> dict[str, object]:
    usage = message.usage or Usage()
    return {
        "message_id": message.id,
        "content": message.content,
        "reasoning_content": message.reasoning_content,
        "status": message.status.value,
        "finish_reason": message.finish_reason,
        "model": message.model,
        "error_text_id": message.error_text_id,
        "error_facts": message.error_facts or None,
        "error_detail": message.error_detail,
        "reasoning_s": message.reasoning_s,
        "first_token_s": message.first_token_s,
        "duration_s": message.duration_s,
        "parts": parts_out(message.parts),
        "process_id": None,
        "lease_until": None,
        **{name: getattr(usage, name) for name in USAGE_FIELDS},
    }


class RunningAnswers:
    """The answers that grow, each run by one process."""

    def __init__(self, database: Database, clock: Callable[[], datetime], ledger: Ledger) -> None:
        self._database = database
        self._clock = clock
        self._ledger = ledger

    def progress(self, owner: str, message_id: str, place: int) -> AnswerProgress | None:
        """Return what an answer holds behind `place`; None where there is no such answer.

        Places count what was sent as its text, also what turned out to have been thought.
        """
        query = (
            select(
                messages.c.status,
                func.length(messages.c.content).label("length"),
                func.substr(messages.c.content, place + 1).label("rest"),
                messages.c.error_facts,
            )
            .join(conversations, conversations.c.id == messages.c.conversation_id)
            .where(
                messages.c.id == message_id,
                messages.c.role == "assistant",
                conversations.c.owner == owner,
                conversations.c.deleted_at.is_(None),
            )
        )
        with self._database.read() as connection:
            row = connection.execute(query).one_or_none()
            if row is None:
                return None
            rest, length = row.rest, row.length
            if (moved := moved_text(row.error_facts or {})) is not None:
                start, end = moved
                kept = place if place <= start else max(start, place - (end - start))
                behind = func.substr(messages.c.content, kept + 1)
                rest = connection.scalar(select(behind).where(messages.c.id == message_id)) or ""
                length += end - start
        return AnswerProgress(AnswerStatus(row.status), length, rest)

    def save_running(
        self, drafts: Sequence[AnswerDraft], *, lease_s: float
    ) -> dict[str, SaveOutcome]:
        """Keep what has arrived of many answers, in one transaction."""
        with self._database.write() as connection:
            until = self._clock() + timedelta(seconds=lease_s)
            # In one order, so that two processes cannot wait for each other. One statement for
            # all: hundreds of answers grow at once.
            ids = sorted(draft.message_id for draft in drafts)
            growing = {draft.message_id: draft for draft in drafts}
            connection.execute(
                _GROW,
                [
                    {
                        "message_id": message_id,
                        "content": growing[message_id].content,
                        "reasoning_content": growing[message_id].reasoning_content,
                        "reasoning_s": growing[message_id].reasoning_s,
                        "first_token_s": growing[message_id].first_token_s,
                        "error_facts": dict(growing[message_id].facts) or None,
                        "lease_until": until,
                    }
                    for message_id in ids
                ],
            )
            return self._outcomes(connection, ids)

    def save_final(
        self, ended: Sequence[Message], settling: Mapping[str, Settle] | None = None
    ) -> None:
        """Keep how answers ended and what they cost, in one transaction.

        One that is final already stays as it is, and so does a line that is settled.
        """
        now = self._clock()
        in_order = sorted(ended, key=lambda message: message.id)
        with self._database.write() as connection:
            connection.execute(_END, [_end_values(message) for message in in_order])
            connection.execute(
                _TOUCH,
                [
                    {"conversation": conversation_id, "updated_at": now}
                    for conversation_id in sorted({one.conversation_id for one in in_order})
                ],
            )
            if settling:
                self._ledger.settle_in(connection, settling)

    def request_stop(self, owner: str, message_id: str) -> bool:
        """Ask the process that runs this answer to stop it; False when it does not run."""
        with self._database.write() as connection:
            if tree.find(connection, owner, message_id) is None:
                return False
            asked = connection.execute(
                update(messages)
                .where(messages.c.id == message_id, IS_RUNNING)
                .values(stop_requested_at=self._clock())
            )
            return asked.rowcount == 1

    def interrupt_others(self, process_id: str) -> int:
        """Mark what all other processes ran as interrupted; return how many answers that were.

        For a process that is the only one at the database: the others are gone.
        """
        with self._database.write() as connection:
            others = messages.c.process_id != process_id
            return connection.execute(_INTERRUPT.where(others)).rowcount

    def held(self, *, besides: Collection[str]) -> dict[str, datetime]:
        """Return the ends of the leases of all running answers, but for those `besides`.

        An end tells nothing by itself, since other hosts have other clocks: only that it stands
        still does (`interrupt_held`).
        """
        query = select(messages.c.id, messages.c.lease_until).where(
            IS_RUNNING, messages.c.lease_until.is_not(None)
        )
        with self._database.read() as connection:
            return {
                row.id: row.lease_until
                for row in connection.execute(query)
                if row.id not in besides
            }

    def interrupt_held(self, ends: Mapping[str, datetime]) -> None:
        """Mark answers as interrupted, each if its lease still ends at the moment that is given."""
        for at in range(0, len(ends), _IDS_AT_ONCE):
            some = sorted(ends)[at : at + _IDS_AT_ONCE]
            with self._database.write() as connection:
                connection.execute(
                    _INTERRUPT_HELD,
                    [{"message_id": one, "if_until": ends[one]} for one in some],
                )

    def _outcomes(self, connection: Connection, ids: Sequence[str]) -> dict[str, SaveOutcome]:
        """Tell what became of an overwriting of these answers."""
        found: dict[str, SaveOutcome] = dict.fromkeys(ids, SaveOutcome.GONE)
        query = select(messages.c.id, messages.c.status, messages.c.stop_requested_at)
        for at in range(0, len(ids), _IDS_AT_ONCE):
            chunk = ids[at : at + _IDS_AT_ONCE]
            for row in connection.execute(query.where(messages.c.id.in_(chunk))):
                if row.status != AnswerStatus.RUNNING.value:
                    found[row.id] = SaveOutcome.FINAL
                elif row.stop_requested_at is not None:
                    found[row.id] = SaveOutcome.STOP_REQUESTED
                else:
                    found[row.id] = SaveOutcome.SAVED
        return found
