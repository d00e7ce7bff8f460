"""Export of conversations: as values, or piece by piece where they may be many."""

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from sqlalchemy import Connection, RowMapping, select

from core.models.chat import Conversation, Message
from core.models.parts import Blob
from core.storage.chat.conversations import conversation_from, find, gone
from core.storage.chat.message_blobs import blobs_of
from core.storage.chat.message_tree import message_from
from core.storage.db.database import Database
from core.storage.db.schema import conversations, messages
from core.storage.transfer.format import (
    TravellingConversation,
    conversation_out,
    message_out,
    payload_from,
)

_ROWS_AT_ONCE = 20


class Exports:
    """Takes conversations out of the store."""

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
                _whole(connection, conversation_from(rows[conversation_id]))
                for conversation_id in conversation_ids
            ]
        return payload_from(items, exported_at=self._clock())

    def export_pieces(self, owner: str) -> Iterator[bytes]:
        """Yield an export of everything piece by piece, a few messages in memory at a time.

        No transaction spans two pieces: whoever takes them may be slow. What changes meanwhile is
        in it or not; what is in it fits together.
        """
        query = (
            select(conversations.c.id)
            .where(conversations.c.owner == owner, conversations.c.deleted_at.is_(None))
            .order_by(conversations.c.created_at, conversations.c.id)
        )
        with self._database.read() as connection:
            ids = connection.scalars(query).all()
        opening = json.dumps(payload_from([], exported_at=self._clock()))
        yield opening.removesuffix("]}").encode()
        separator = b"\n"
        for conversation_id in ids:
            with self._database.read() as connection:
                conversation = find(connection, owner, conversation_id)
            if conversation is None:  # deleted meanwhile
                continue
            yield separator
            yield from self._conversation_pieces(conversation)
            separator = b",\n"
        yield b"\n]}\n"

    def _conversation_pieces(self, conversation: Conversation) -> Iterator[bytes]:
        head = conversation_out(conversation)
        head_id = head.pop("head_id")
        yield _json(head).removesuffix(b"}") + b', "messages": ['
        written: set[str] = set()
        last, seq = None, 0
        separator = b"\n"
        while True:
            with self._database.read() as connection:
                rows = _rows_after(connection, conversation.id, seq)
            if not rows:
                break
            for row in rows:
                seq, message = row["seq"], message_from(row)
                if message.parent_id is not None and message.parent_id not in written:
                    continue  # a branch that was written down while we read
                written.add(message.id)
                last = message.id
                yield separator + _json(message_out(message, self._blobs_of(message)))
                separator = b",\n"
        yield b'], "head_id": ' + _json(head_id if head_id in written else last) + b"}"

    def _blobs_of(self, message: Message) -> tuple[Blob, ...]:
        if not message.parts:
            return ()
        with self._database.read() as connection:
            return blobs_of(connection, message)


def _whole(connection: Connection, conversation: Conversation) -> TravellingConversation:
    query = (
        select(messages)
        .where(messages.c.conversation_id == conversation.id)
        .order_by(messages.c.seq)
    )
    said = tuple(message_from(row) for row in connection.execute(query).mappings())
    blobs = {message.id: blobs_of(connection, message) for message in said if message.parts}
    return TravellingConversation(conversation, said, blobs=blobs)


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")


def _rows_after(connection: Connection, conversation_id: str, seq: int) -> list[RowMapping]:
    """Return the next messages: a few, or what makes a good piece."""
    query = (
        select(messages)
        .where(messages.c.conversation_id == conversation_id, messages.c.seq > seq)
        .order_by(messages.c.seq)
        .limit(_ROWS_AT_ONCE)
    )
    return list(connection.execute(query).mappings())
