"""Export of conversations: as values, or piece by piece where they may be many."""

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection, RowMapping, select

from core.models.chat import Conversation, Message
from core.models.parts import Blob
from core.storage.chat.conversations import conversation_from, find, gone
from core.storage.chat.message_blobs import blobs_of
from core.storage.chat.message_tree import message_from
from core.storage.db.database import Database
from core.storage.db.schema import conversations, messages
from core.storage.lineage.links import links_of
from core.storage.transfer import chatgpt_shape
from core.storage.transfer.format import (
    TravellingConversation,
    conversation_out,
    message_out,
    payload_from,
)

ExportShape = Literal["inkling", "chatgpt"]

_ROWS_AT_ONCE = 20


class Exports:
    """Takes conversations out of the store."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    def conversation(self, owner: str, conversation_id: str) -> dict[str, object]:
        """Return everything about one conversation as JSON values."""
        return self.conversations(owner, [conversation_id])

    def conversations(
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

    def pieces(self, owner: str, shape: ExportShape = "inkling") -> Iterator[bytes]:
        """Yield an export of everything piece by piece, a few messages in memory at a time.

        No transaction spans two pieces: whoever takes them may be slow. What changes meanwhile is
        in it or not; what is in it fits together.
        """
        if shape == "chatgpt":
            begin, pieces_of, end = b"[", self._chatgpt_pieces, b"\n]\n"
        else:
            opening = json.dumps(payload_from([], exported_at=self._clock()))
            begin = opening.removesuffix("]}").encode()
            pieces_of, end = self._conversation_pieces, b"\n]}\n"
        query = (
            select(conversations.c.id)
            .where(conversations.c.owner == owner, conversations.c.deleted_at.is_(None))
            .order_by(conversations.c.created_at, conversations.c.id)
        )
        with self._database.read() as connection:
            ids = connection.scalars(query).all()
        yield begin
        separator = b"\n"
        for conversation_id in ids:
            with self._database.read() as connection:
                conversation = find(connection, owner, conversation_id)
            if conversation is None:  # deleted meanwhile
                continue
            yield separator
            yield from pieces_of(conversation)
            separator = b",\n"
        yield end

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
                links = links_of(connection, conversation.owner, [row["id"] for row in rows])
            if not rows:
                break
            for row in rows:
                seq, message = row["seq"], message_from(row)
                if message.parent_id is not None and message.parent_id not in written:
                    continue  # a branch that was written down while we read
                written.add(message.id)
                last = message.id
                drawn = links.get(message.id, ())
                yield separator + _json(message_out(message, self._blobs_of(message), drawn))
                separator = b",\n"
        yield b'], "head_id": ' + _json(head_id if head_id in written else last) + b"}"

    def _chatgpt_pieces(self, conversation: Conversation) -> Iterator[bytes]:
        with self._database.read() as connection:
            query = select(messages.c.seq, messages.c.id, messages.c.parent_id, messages.c.model)
            here = messages.c.conversation_id == conversation.id
            nodes = connection.execute(query.where(here).order_by(messages.c.seq)).all()
        children: dict[str | None, list[str]] = {}
        for node in nodes:
            children.setdefault(node.parent_id, []).append(node.id)
        model = next((node.model for node in reversed(nodes) if node.model), None)
        head = _json(chatgpt_shape.head_out(conversation, model)).removesuffix(b"}")
        root = chatgpt_shape.root_out(children.get(None, []))
        yield head + b', "mapping": {\n' + _json(chatgpt_shape.ROOT) + b": " + _json(root)
        seq, written = 0, ""
        known = {node.id for node in nodes}  # what is written down while we read is not in it
        while True:
            with self._database.read() as connection:
                rows = _rows_after(connection, conversation.id, seq)
            if not rows:
                break
            for row in rows:
                seq, message = row["seq"], message_from(row)
                if message.id in known:
                    written = message.id
                    value = chatgpt_shape.node_out(message, children.get(message.id, []))
                    yield b",\n" + _json(message.id) + b": " + _json(value)
        shown = conversation.head_id if conversation.head_id in known else written
        yield b'}, "current_node": ' + _json(shown or chatgpt_shape.ROOT) + b"}"

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
    links = links_of(connection, conversation.owner, [message.id for message in said])
    return TravellingConversation(conversation, said, blobs=blobs, links=links)


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
