"""Messages: the tree of a conversation, and how answers begin in it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, bindparam, exists, insert, select, update

from core.errors import BusyError, InputError
from core.models.chat import AnswerStatus, ChatParameters, Conversation, Message, Role, Turn
from core.models.money.ledger import Reservation
from core.models.parts import Blob, Part
from core.storage.chat import message_tree as tree
from core.storage.chat.conversations import find, gone, require, titled, write_down
from core.storage.chat.message_blobs import attach, find_blob
from core.storage.chat.message_parts import parts_out
from core.storage.chat.running_answers import IS_RUNNING
from core.storage.db.database import Database
from core.storage.db.schema import conversations, messages
from core.storage.money.book import Settle
from core.storage.money.ledger import Ledger

_RUNNING = AnswerStatus.RUNNING.value
_IS_BUSY = select(
    exists().where(messages.c.conversation_id == bindparam("conversation"), IS_RUNNING)
)
_NEW = insert(messages)
_HEAD = update(conversations).where(conversations.c.id == bindparam("conversation"))


class Messages:
    """The messages of everyone, each seen by its conversation's owner only."""

    def __init__(self, database: Database, clock: Callable[[], datetime], ledger: Ledger) -> None:
        self._database = database
        self._clock = clock
        self._ledger = ledger

    def get(self, owner: str, message_id: str) -> Message | None:
        """Return the message, or None when it is not there for this owner."""
        with self._database.read() as connection:
            return tree.find(connection, owner, message_id)

    def path(
        self, owner: str, conversation_id: str, *, head_id: str | None = None
    ) -> tuple[Message, ...]:
        """Return the messages from the root to the head, or to `head_id`."""
        with self._database.read() as connection:
            conversation = find(connection, owner, conversation_id)
            leaf = head_id or (conversation and conversation.head_id)
            if conversation is None or not leaf:
                return ()
            return tree.path(connection, conversation_id, leaf)

    def versions(self, owner: str, message_id: str) -> tuple[Message, ...]:
        """Return the message and its siblings, oldest first."""
        with self._database.read() as connection:
            message = tree.find(connection, owner, message_id)
            if message is None:
                return ()
            return tree.siblings(connection, message.conversation_id, message.parent_id)

    def blob(self, owner: str, sha256: str) -> Blob | None:
        """Return the bytes that a part of this owner's messages points to."""
        with self._database.read() as connection:
            return find_blob(connection, owner, sha256)

    # Growing and pruning the tree

    def choose_version(self, owner: str, conversation_id: str, message_id: str) -> Conversation:
        """Show the branch through this message, to its newest end."""
        with self._database.write() as connection:
            require(connection, owner, conversation_id, lock=True)
            _require_in(connection, conversation_id, message_id)
            self._set_head(connection, conversation_id, tree.newest_leaf(connection, message_id))
            return require(connection, owner, conversation_id)

    def add(
        self,
        owner: str,
        conversation_id: str,
        *,
        role: Role,
        content: str,
        parent_id: str | None,
    ) -> Message:
        """Add a finished message under `parent_id` and show it."""
        with self._database.write() as connection:
            require(connection, owner, conversation_id, lock=True)
            if parent_id is not None:
                _require_in(connection, conversation_id, parent_id)
            message_id = self._insert(
                connection, conversation_id, parent_id, role=role, content=content
            )
            self._set_head(connection, conversation_id, message_id, touched=True)
            return tree.several(connection, conversation_id, [message_id])[0]

    def begin_answer(
        self,
        owner: str,
        conversation_id: str,
        *,
        question: Turn | str | None,
        parent_id: str | None,
        parameters: ChatParameters,
        model: str,
        practice: bool,
        process_id: str,
        lease_s: float,
        content: str = "",
        reasoning_content: str = "",
        parts: tuple[Part, ...] = (),
        attached: Iterable[Blob] = (),
        reservation: Reservation | None = None,
        begins: Conversation | None = None,
        title: str = "",
    ) -> tuple[Message | None, Message]:
        """Add the question under `parent_id`, a running answer under it, and show both.

        A conversation that `begins` with them has no row before. `title` is the name of one that
        nobody has named. Without a question, `parent_id` is the question to answer once more; a
        question may be what tools returned. A continued answer starts with `content` and the two
        behind it. `attached` are bytes that the question's parts point to. BusyError while another
        answer of the conversation runs. BudgetError, and nothing kept, where there is no room for
        the `reservation`, which gets the ids it belongs to.
        """
        turn = Turn.of_text("user", question) if isinstance(question, str) else question
        with self._database.write() as connection:
            if begins is not None:
                if (begins.id, begins.owner) != (conversation_id, owner):
                    raise gone()
                write_down(connection, begins)
            current = require(connection, owner, conversation_id, lock=True)
            if begins is None and connection.scalar(_IS_BUSY, {"conversation": conversation_id}):
                raise BusyError("error.conversation_busy")
            parent = None
            if parent_id is not None:
                parent = _require_in(connection, conversation_id, parent_id)
            if turn is not None:
                parent_id = self._insert(
                    connection,
                    conversation_id,
                    parent_id,
                    role=turn.role,
                    content=turn.text,
                    parts=parts_out(turn.content),
                )
                said = {parent_id: turn.content}
                attach(connection, owner, said, attached, now=self._clock())
            elif parent is None or parent.role not in ("user", "tool"):
                raise _gone()
            answer_id = self._insert(
                connection,
                conversation_id,
                parent_id,
                role="assistant",
                content=content,
                reasoning_content=reasoning_content,
                parts=parts_out(parts),
                status=_RUNNING,
                model=model,
                parameters=asdict(parameters),
                practice=practice,
                process_id=process_id,
                lease_until=self._clock() + timedelta(seconds=lease_s),
            )
            is_named = bool(current.title) or current.title_is_manual
            named = titled(title) if title and not is_named else {}
            self._set_head(connection, conversation_id, answer_id, touched=True, **named)
            if reservation is not None:
                reservation.line = replace(
                    reservation.line,
                    id=answer_id,
                    conversation_id=conversation_id,
                    message_id=answer_id,
                )
                refusal = self._ledger.reserve_in(connection, [reservation])[0]
                if refusal is not None:
                    raise refusal
            new = [answer_id] if turn is None else [str(parent_id), answer_id]
            *asked, answer = tree.several(connection, conversation_id, new)
            return (asked[0] if asked else None), answer

    def keep_parts(
        self,
        owner: str,
        message_id: str,
        parts: tuple[Part, ...],
        *,
        reservation: Reservation | None = None,
        settling: Mapping[str, Settle] | None = None,
    ) -> bool:
        """Put other parts beside a turn's words, and in the same transaction what they cost.

        Returns whether the turn is still there: what it cost is settled all the same. BudgetError,
        and nothing kept, where there is no room for the `reservation`.
        """
        with self._database.write() as connection:
            is_there = tree.find(connection, owner, message_id) is not None
            if reservation is not None and is_there:
                refusal = self._ledger.reserve_in(connection, [reservation])[0]
                if refusal is not None:
                    raise refusal
            if is_there:
                own = messages.c.id == message_id
                connection.execute(update(messages).where(own).values(parts=parts_out(parts)))
            self._ledger.settle_in(connection, settling or {})
            return is_there

    def _insert(
        self, connection: Connection, conversation_id: str, parent_id: str | None, **values: Any
    ) -> str:
        message_id = uuid4().hex
        defaults = {
            "reasoning_content": "",
            "status": AnswerStatus.COMPLETE.value,
            "error_detail": "",
            "practice": False,
            "created_at": self._clock(),
        }
        own = {"id": message_id, "conversation_id": conversation_id, "parent_id": parent_id}
        connection.execute(_NEW, own | defaults | values)
        return message_id

    def _set_head(
        self,
        connection: Connection,
        conversation_id: str,
        head_id: str | None,
        *,
        touched: bool = False,
        **named: str,
    ) -> None:
        values: dict[str, object] = {"head_id": head_id, **named}
        if touched:
            values["updated_at"] = self._clock()
        # With its values as parameters: to build them into a statement takes as long as to run it.
        connection.execute(_HEAD, values | {"conversation": conversation_id})


def _require_in(connection: Connection, conversation_id: str, message_id: str) -> Message:
    found = tree.several(connection, conversation_id, [message_id])
    if not found:
        raise _gone()
    return found[0]


def _gone() -> InputError:
    return InputError("message_id", "error.message_gone")
