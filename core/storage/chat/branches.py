"""Forking a conversation at a message; deleting a turn of one, and bringing it back."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from sqlalchemy import Connection, insert, select, update

from core.errors import BusyError, InputError
from core.models.chat import Conversation, Message
from core.models.parts import ToolStep, steps_in
from core.storage.chat import message_tree as tree
from core.storage.chat.conversations import require, titled
from core.storage.chat.kept_steps import copied_step
from core.storage.chat.message_parts import parts_out
from core.storage.chat.running_answers import IS_RUNNING
from core.storage.db.database import Database
from core.storage.db.schema import conversations, message_blobs, messages
from core.storage.lineage.links import copy_links

# What a copy of a message has of its own.
_OWN = ("seq", "id", "conversation_id", "parent_id", "process_id", "lease_until")


@dataclass(frozen=True, slots=True)
class RemovedTurn:
    """What has to be known to bring a turn back: where its messages lie, and where they were."""

    conversation_id: str
    place_id: str  # of the deleted conversation that holds the messages now
    head_id: str | None
    parents: tuple[tuple[str, str | None], ...]  # by message, of those that were hung elsewhere


class Branches:
    """Operations on whole branches of conversations, each seen by its owner only."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    def fork(self, owner: str, conversation_id: str, message_id: str, title: str) -> Conversation:
        """Begin a new conversation with a copy of the path to a message."""
        with self._database.write() as connection:
            source = require(connection, owner, conversation_id, lock=True)
            path = tree.path(connection, conversation_id, message_id)
            if not path:
                raise InputError("message_id", "error.message_gone")
            if any(not message.status.is_final for message in path):
                raise BusyError("error.conversation_busy")
            new_id = self._copied_row(connection, source.id, title)
            ids = {message.id: uuid4().hex for message in path}
            for message in path:
                _copy(connection, message, ids, new_id)
            copy_links(connection, ids)
            _set_head(connection, new_id, ids[message_id])
            return require(connection, owner, new_id)

    def remove_turn(self, owner: str, conversation_id: str, message_id: str) -> RemovedTurn:
        """Take a message out, and what belongs to it; restore_turn brings it back.

        One of several versions goes with all that was said after it. A question that is the only
        one of its place goes with its answers, and what was asked next stands in its place.
        """
        with self._database.write() as connection:
            conversation = require(connection, owner, conversation_id, lock=True)
            found = tree.several(connection, conversation_id, [message_id])
            if not found:
                raise InputError("message_id", "error.message_gone")
            message = found[0]
            is_version = message.version_count > 1
            gone = _below(connection, message_id, whole=is_version or message.role != "user")
            running = select(messages.c.id).where(messages.c.id.in_(gone), IS_RUNNING)
            if connection.scalar(running) is not None:
                raise BusyError("error.conversation_busy")
            moved = connection.execute(
                select(messages.c.id, messages.c.parent_id).where(
                    messages.c.parent_id.in_(gone), messages.c.id.not_in(gone)
                )
            ).all()
            parents = ((message_id, message.parent_id), *((row.id, row.parent_id) for row in moved))
            place_id = self._copied_row(connection, conversation_id, "", deleted=True)
            _hang(connection, {row.id: message.parent_id for row in moved})
            _hang(connection, {message_id: None})
            _move(connection, gone, place_id)
            if conversation.head_id in gone:
                head_id = _next_head(connection, conversation, message.parent_id)
                _set_head(connection, conversation_id, head_id)
            return RemovedTurn(conversation_id, place_id, conversation.head_id, parents)

    def restore_turn(self, owner: str, removed: RemovedTurn) -> Conversation:
        """Undo remove_turn, as long as the place of the messages was not purged."""
        with self._database.write() as connection:
            require(connection, owner, removed.conversation_id, lock=True)
            held = select(messages.c.id).join(
                conversations, conversations.c.id == messages.c.conversation_id
            )
            held = held.where(conversations.c.owner == owner)
            ids = list(connection.scalars(held.where(conversations.c.id == removed.place_id)))
            if not ids:
                raise InputError("message_id", "error.message_gone")
            _move(connection, ids, removed.conversation_id)
            parents = dict(removed.parents)
            here = set(
                connection.scalars(
                    select(messages.c.id).where(
                        messages.c.conversation_id == removed.conversation_id
                    )
                )
            )
            if not here.issuperset({*parents, *filter(None, [*parents.values(), removed.head_id])}):
                raise InputError("message_id", "error.message_gone")  # more of it went meanwhile
            _hang(connection, parents)
            _set_head(connection, removed.conversation_id, removed.head_id)
            return require(connection, owner, removed.conversation_id)

    def _copied_row(
        self, connection: Connection, source_id: str, title: str, *, deleted: bool = False
    ) -> str:
        row = select(conversations).where(conversations.c.id == source_id)
        values = dict(connection.execute(row).mappings().one())
        now, new_id = self._clock(), uuid4().hex
        values |= titled(title) | {
            "id": new_id,
            "head_id": None,
            "pinned": False,
            # Some of its words remain a stranger's, whoever goes on from them.
            "origin": "import" if values["origin"] == "import" else "page",
            "title_is_manual": True,
            "created_at": now,
            "updated_at": now,
            "deleted_at": now if deleted else None,
        }
        connection.execute(insert(conversations).values(**values))
        return new_id


def _below(connection: Connection, message_id: str, *, whole: bool) -> list[str]:
    """Return the message and what is below it: all, or only up to the next questions."""
    below = select(messages.c.id).where(messages.c.id == message_id).cte("below", recursive=True)
    step = select(messages.c.id).where(messages.c.parent_id == below.c.id)
    if not whole:
        step = step.where(messages.c.role != "user")
    return list(connection.scalars(select(below.union_all(step).c.id)))


def _next_head(
    connection: Connection, conversation: Conversation, parent_id: str | None
) -> str | None:
    """Return what is shown once the head is gone: the newest of what hangs where it hung."""
    beside = tree.siblings(connection, conversation.id, parent_id)
    return tree.newest_leaf(connection, beside[-1].id) if beside else parent_id


def _hang(connection: Connection, parents: dict[str, str | None]) -> None:
    for message_id, parent_id in parents.items():
        change = update(messages).where(messages.c.id == message_id)
        connection.execute(change.values(parent_id=parent_id))


def _move(connection: Connection, message_ids: list[str], conversation_id: str) -> None:
    change = update(messages).where(messages.c.id.in_(message_ids))
    connection.execute(change.values(conversation_id=conversation_id))


def _set_head(connection: Connection, conversation_id: str, head_id: str | None) -> None:
    change = update(conversations).where(conversations.c.id == conversation_id)
    connection.execute(change.values(head_id=head_id))


def _copy(
    connection: Connection, message: Message, ids: dict[str, str], conversation_id: str
) -> None:
    message_id = message.id
    row = connection.execute(select(messages).where(messages.c.id == message_id)).mappings().one()
    values = {name: value for name, value in row.items() if name not in _OWN}
    if steps_in(message.parts):
        values["parts"] = parts_out(
            tuple(
                copied_step(part, message_id) if isinstance(part, ToolStep) else part
                for part in message.parts
            )
        )
    connection.execute(
        insert(messages).values(
            **values,
            id=ids[message_id],
            conversation_id=conversation_id,
            parent_id=ids.get(row["parent_id"]),
        )
    )
    tied = select(message_blobs.c.sha256).where(message_blobs.c.message_id == message_id)
    links = [{"message_id": ids[message_id], "sha256": one} for one in connection.scalars(tied)]
    if links:
        connection.execute(insert(message_blobs), links)
