"""Export and import of conversations: nothing lost on the way, nothing doubled on arrival."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from sqlalchemy import Column, Connection, insert, select, update

from core.errors import InputError
from core.models import Message
from core.storage.conversations import USAGE_FIELDS, conversation_from, gone
from core.storage.database import Database
from core.storage.message_tree import message_from
from core.storage.schema import conversations, messages
from core.storage.transfer_format import (
    TravellingConversation,
    malformed,
    payload_from,
    read_payload,
)

MAX_IMPORT_BYTES = 256 * 1024 * 1024
_CHUNK = 500


@dataclass(frozen=True, slots=True)
class ImportResult:
    """How many conversations were new (or undeleted), how many were here already."""

    added: int
    skipped: int
    messages_added: int


class Transfer:
    """Takes conversations out of the store and brings them in."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    def export_conversation(self, owner: str, conversation_id: str) -> dict[str, object]:
        """Return everything about one conversation as JSON values."""
        return self.export_conversations(owner, [conversation_id])

    def export_conversations(
        self, owner: str, conversation_ids: Sequence[str] | None = None
    ) -> dict[str, object]:
        """Return everything about these conversations, or about all, as JSON values."""
        query = (
            select(conversations)
            .where(conversations.c.owner == owner, conversations.c.deleted_at.is_(None))
            .order_by(conversations.c.created_at, conversations.c.id)
        )
        with self._database.read() as connection:
            rows = {row["id"]: row for row in connection.execute(query).mappings()}
            if conversation_ids is None:
                conversation_ids = list(rows)
            if any(conversation_id not in rows for conversation_id in conversation_ids):
                raise gone()
            items = [
                TravellingConversation(
                    conversation_from(rows[conversation_id]), _tree(connection, conversation_id)
                )
                for conversation_id in conversation_ids
            ]
        return payload_from(items, exported_at=self._clock())

    def import_conversations(
        self, owner: str, payload: bytes | str | Mapping[str, object]
    ) -> ImportResult:
        """Add what an export holds and this owner lacks: all of it, or nothing when it is wrong.

        New conversations arrive hidden, a few to a transaction, so that a large file does not keep
        others from writing; the last transaction shows them all. What a crash leaves behind looks
        deleted: the next import of the file shows it, or the next purge removes it.
        """
        items = read_payload(_parsed(payload), owner=owner)
        visible: list[TravellingConversation] = []
        arrived: list[str] = []
        messages_added = 0
        for batch in _batches(items):
            with self._database.write() as connection:
                arrival = _Arrival(connection, owner)
                for item in batch:
                    conversation_id, row = arrival.place(item.conversation.id)
                    if row is not None and row["deleted_at"] is None:
                        visible.append(item)
                        continue
                    if row is None:
                        arrival.add(item, conversation_id, hidden_at=self._clock())
                    messages_added += arrival.fill(item, conversation_id)
                    arrived.append(conversation_id)
        with self._database.write() as connection:
            arrival = _Arrival(connection, owner)
            for item in visible:
                conversation_id, _row = arrival.place(item.conversation.id)
                messages_added += arrival.fill(item, conversation_id)
            for at in range(0, len(arrived), _CHUNK):
                connection.execute(
                    update(conversations)
                    .where(conversations.c.id.in_(arrived[at : at + _CHUNK]))
                    .values(deleted_at=None)
                )
        return ImportResult(len(arrived), len(visible), messages_added)


class _Arrival:
    """One transaction of an import. An id that is somebody else's here is replaced by one derived
    from it and the owner, so that the next import of the same file finds it again."""

    def __init__(self, connection: Connection, owner: str) -> None:
        self._connection = connection
        self._owner = owner

    def place(self, conversation_id: str) -> tuple[str, Mapping[str, Any] | None]:
        """Return the conversation's id here, and its row when there is one."""
        for candidate in (conversation_id, _derived(self._owner, conversation_id)):
            query = select(conversations).where(conversations.c.id == candidate)
            row = self._connection.execute(query.with_for_update()).mappings().one_or_none()
            if row is None or row["owner"] == self._owner:
                return candidate, dict(row) if row is not None else None
        raise malformed("conversation", "its id belongs to someone else")

    def add(self, item: TravellingConversation, conversation_id: str, hidden_at: datetime) -> None:
        """Write down the conversation, hidden and without its messages."""
        values = asdict(item.conversation) | {
            "id": conversation_id,
            "head_id": None,
            "deleted_at": hidden_at,
        }
        self._connection.execute(insert(conversations).values(**values))

    def fill(self, item: TravellingConversation, conversation_id: str) -> int:
        """Write down the messages it lacks; return how many."""
        ids, known = self._message_ids(conversation_id, item.messages)
        rows = [
            _row(message, ids, conversation_id)
            for message in item.messages
            if ids[message.id] not in known
        ]
        for at in range(0, len(rows), _CHUNK):
            self._connection.execute(insert(messages), rows[at : at + _CHUNK])
        if item.conversation.head_id is not None:
            self._connection.execute(
                update(conversations)
                .where(conversations.c.id == conversation_id, conversations.c.head_id.is_(None))
                .values(head_id=ids[item.conversation.head_id])
            )
        return len(rows)

    def _message_ids(
        self, conversation_id: str, arriving: Sequence[Message]
    ) -> tuple[dict[str, str], set[str]]:
        """Return which id each message has here, and which of these are here already."""
        homes = self._homes(message.id for message in arriving)
        ids = {
            message.id: message.id
            if homes.get(message.id, conversation_id) == conversation_id
            else _derived(conversation_id, message.id)
            for message in arriving
        }
        homes |= self._homes(new for old, new in ids.items() if new != old)
        return ids, {new for new in ids.values() if homes.get(new) == conversation_id}

    def _homes(self, message_ids: Iterable[str]) -> dict[str, str]:
        wanted = list(message_ids)
        homes: dict[str, str] = {}
        columns: tuple[Column[str], Column[str]] = (messages.c.id, messages.c.conversation_id)
        for at in range(0, len(wanted), _CHUNK):
            query = select(*columns).where(messages.c.id.in_(wanted[at : at + _CHUNK]))
            homes |= {row[0]: row[1] for row in self._connection.execute(query)}
        return homes


def _tree(connection: Connection, conversation_id: str) -> tuple[Message, ...]:
    query = (
        select(messages)
        .where(messages.c.conversation_id == conversation_id)
        .order_by(messages.c.seq)
    )
    return tuple(message_from(row) for row in connection.execute(query).mappings())


def _row(message: Message, ids: Mapping[str, str], conversation_id: str) -> dict[str, object]:
    row = asdict(message)
    for name in ("usage", "version", "version_count"):
        del row[name]
    usage = asdict(message.usage) if message.usage else dict.fromkeys(USAGE_FIELDS)
    return (
        row
        | usage
        | {
            "id": ids[message.id],
            "parent_id": ids[message.parent_id] if message.parent_id else None,
            "conversation_id": conversation_id,
            "status": message.status.value,
        }
    )


def _batches(items: list[TravellingConversation]) -> Iterator[list[TravellingConversation]]:
    batch: list[TravellingConversation] = []
    for item in items:
        batch.append(item)
        if sum(len(waiting.messages) for waiting in batch) >= _CHUNK:
            yield batch
            batch = []
    yield batch


def _derived(scope: str, identifier: str) -> str:
    return uuid5(NAMESPACE_OID, f"{scope}/{identifier}").hex


def _parsed(payload: bytes | str | Mapping[str, object]) -> object:
    if isinstance(payload, Mapping):
        return payload
    if len(payload) > MAX_IMPORT_BYTES:
        raise InputError(
            "file",
            "This file is too large to import: export fewer conversations at a time.",
            text_id="error.import_too_large",
            facts={"limit_bytes": MAX_IMPORT_BYTES},
        )
    try:
        return json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise malformed("file", "not JSON") from error
