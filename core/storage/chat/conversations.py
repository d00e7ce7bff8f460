"""Conversations: rows without their messages, always somebody's."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from typing import Any, Literal
from uuid import uuid4

from sqlalchemy import (
    Connection,
    RowMapping,
    Update,
    bindparam,
    case,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from core.errors import InputError
from core.models.chat import ChatParameters, Conversation, Usage
from core.storage.db.column_types import clean
from core.storage.db.database import Database
from core.storage.db.folding import fold
from core.storage.db.pagination import Page, behind, bounded, decode_cursor, encode_cursor
from core.storage.db.schema import conversations, messages
from core.wire.masking.secrets import known_secrets

USAGE_FIELDS = tuple(field.name for field in fields(Usage))
_PARAMETER_FIELDS = frozenset(field.name for field in fields(ChatParameters))
_ORDER = (conversations.c.pinned, conversations.c.updated_at, conversations.c.id)
# Built once, as those of the messages are (core/storage/chat/message_tree.py).
_NEW = insert(conversations)
_FIND = select(conversations).where(
    conversations.c.id == bindparam("conversation"),
    conversations.c.owner == bindparam("owner"),
    conversations.c.deleted_at.is_(None),
)
_LOCK = _FIND.with_for_update()


@dataclass(frozen=True, slots=True)
class UsageTotals:
    """Tokens of all answers of a conversation; a sum that nobody told is None."""

    answers: int
    answers_without_usage: int
    usage: Usage


class Conversations:
    """The conversations of everyone, each seen by its owner only."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    def create(
        self,
        owner: str,
        *,
        title: str = "",
        system_prompt: str = "",
        parameters: ChatParameters = ChatParameters(),  # noqa: B008 - frozen
        origin: Literal["page", "http", "import"] = "page",
    ) -> Conversation:
        """Write down a new, empty conversation."""
        new = self.draft(owner, system_prompt=system_prompt, parameters=parameters)
        new = replace(new, title=title, origin=origin)
        with self._database.write() as connection:
            write_down(connection, new)
            return require(connection, owner, new.id)

    def draft(
        self, owner: str, *, system_prompt: str = "", parameters: ChatParameters
    ) -> Conversation:
        """Return a new conversation without a row: `begin_answer` may write it down.

        Its prompt is masked as that of a row: it may be sent before it is read from there.
        """
        now = self._clock()
        prompt = known_secrets.wash(clean(system_prompt))
        return Conversation(
            uuid4().hex, owner, "", now, now, system_prompt=prompt, parameters=parameters
        )

    def get(self, owner: str, conversation_id: str) -> Conversation | None:
        """Return the conversation, or None when it is not there, deleted, or not this owner's."""
        with self._database.read() as connection:
            return find(connection, owner, conversation_id)

    def list(
        self,
        owner: str,
        *,
        limit: int = 50,
        cursor: str | None = None,
        with_http: bool = True,
    ) -> Page[Conversation]:
        """Return conversations, pinned ones first, then those with the newest message first.

        Without `with_http`, those that came over HTTP are left out unless they are pinned.
        """
        limit = bounded(limit)
        query = (
            select(conversations)
            .where(conversations.c.owner == owner, conversations.c.deleted_at.is_(None))
            .order_by(*(column.desc() for column in _ORDER))
            .limit(limit + 1)
        )
        if not with_http:
            query = query.where(or_(conversations.c.origin != "http", conversations.c.pinned))
        if cursor is not None:
            query = query.where(behind(_ORDER, decode_cursor(cursor, bool, datetime, str)))
        with self._database.read() as connection:
            rows = connection.execute(query).mappings().all()
        items = tuple(conversation_from(row) for row in rows[:limit])
        if len(rows) <= limit:
            return Page(items)
        last = items[-1]
        return Page(items, encode_cursor((last.pinned, last.updated_at, last.id)))

    def count(self, owner: str) -> int:
        """Return how many conversations this owner has."""
        with self._database.read() as connection:
            return (
                connection.scalar(
                    select(func.count())
                    .select_from(conversations)
                    .where(conversations.c.owner == owner, conversations.c.deleted_at.is_(None))
                )
                or 0
            )

    def rename(self, owner: str, conversation_id: str, title: str, *, manual: bool) -> Conversation:
        """Set the title; one that the model made never replaces one that a person wrote."""
        change = _of(owner, conversation_id).values(**titled(title), title_is_manual=manual)
        if not manual:
            change = change.where(conversations.c.title_is_manual.is_(False))
        return self._change(owner, conversation_id, change)

    def configure(
        self,
        owner: str,
        conversation_id: str,
        *,
        parameters: ChatParameters | None = None,
        system_prompt: str | None = None,
        pinned: bool | None = None,
    ) -> Conversation:
        """Set what is not None."""
        values: dict[str, object] = {}
        if parameters is not None:
            values["parameters"] = asdict(parameters)
        if system_prompt is not None:
            values["system_prompt"] = system_prompt
        if pinned is not None:
            values["pinned"] = pinned
        change = _of(owner, conversation_id).values(**values) if values else None
        return self._change(owner, conversation_id, change)

    def delete(self, owner: str, conversation_id: str) -> None:
        """Hide the conversation; restore brings it back until it is purged."""
        with self._database.write() as connection:
            require(connection, owner, conversation_id)
            connection.execute(_of(owner, conversation_id).values(deleted_at=self._clock()))

    def restore(self, owner: str, conversation_id: str) -> Conversation:
        """Undo delete."""
        return self._change(
            owner,
            conversation_id,
            update(conversations)
            .where(conversations.c.id == conversation_id, conversations.c.owner == owner)
            .values(deleted_at=None),
        )

    def purge(self, deleted_before: datetime) -> int:
        """Remove for good what anyone deleted before that moment; return how many."""
        with self._database.write() as connection:
            return connection.execute(
                delete(conversations).where(conversations.c.deleted_at < deleted_before)
            ).rowcount

    def usage_totals(self, owner: str, conversation_id: str) -> UsageTotals:
        """Add up what the provider told for every answer, shown or not: all were paid for."""
        given = [messages.c[name] for name in USAGE_FIELDS]
        nothing = case((func.coalesce(*given).is_(None), 1), else_=0)
        query = select(
            func.count().label("answers"),
            func.coalesce(func.sum(nothing), 0).label("answers_without_usage"),
            *(func.sum(column).label(f"sum_{column.name}") for column in given),
        ).where(
            messages.c.conversation_id == conversation_id,
            messages.c.role == "assistant",
            messages.c.status != "running",
        )
        with self._database.read() as connection:
            if find(connection, owner, conversation_id) is None:
                raise gone()
            row = connection.execute(query).mappings().one()
        sums = {name: row[f"sum_{name}"] for name in USAGE_FIELDS}
        return UsageTotals(
            answers=row["answers"],
            answers_without_usage=int(row["answers_without_usage"]),
            usage=Usage(**{name: None if sums[name] is None else int(sums[name]) for name in sums}),
        )

    def _change(self, owner: str, conversation_id: str, change: Update | None) -> Conversation:
        with self._database.write() as connection:
            if change is not None:
                connection.execute(change)
            return require(connection, owner, conversation_id)


def write_down(connection: Connection, new: Conversation) -> None:
    """Insert the row of a conversation that has no messages yet."""
    row = {
        "id": new.id,
        "owner": new.owner,
        **titled(new.title),
        "title_is_manual": new.title_is_manual,
        "pinned": new.pinned,
        "system_prompt": new.system_prompt,
        "parameters": asdict(new.parameters),
        "origin": new.origin,
        "created_at": new.created_at,
        "updated_at": new.updated_at,
    }
    connection.execute(_NEW, row)


def find(
    connection: Connection, owner: str, conversation_id: str, *, lock: bool = False
) -> Conversation | None:
    """Return the owner's conversation; `lock` keeps other processes from changing it meanwhile."""
    query, named = _LOCK if lock else _FIND, {"conversation": conversation_id, "owner": owner}
    row = connection.execute(query, named).mappings().one_or_none()
    return None if row is None else conversation_from(row)


def require(
    connection: Connection, owner: str, conversation_id: str, *, lock: bool = False
) -> Conversation:
    """Return the owner's conversation, or say that it is not there."""
    conversation = find(connection, owner, conversation_id, lock=lock)
    if conversation is None:
        raise gone()
    return conversation


def gone() -> InputError:
    """Return what to say about a conversation that is not there for this person."""
    return InputError("conversation_id", "error.conversation_gone")


def titled(title: str) -> dict[str, str]:
    """Return what a row holds of a title: itself, and how it is searched."""
    # A key in it is masked before it is folded: folded, it would no longer be known for one.
    return {"title": title, "folded_title": fold(known_secrets.wash(clean(title)))}


def conversation_from(row: RowMapping) -> Conversation:
    """Return the value of a row."""
    return Conversation(
        id=row["id"],
        owner=row["owner"],
        title=row["title"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        head_id=row["head_id"],
        system_prompt=row["system_prompt"],
        parameters=parameters_from(row["parameters"]),
        title_is_manual=row["title_is_manual"],
        pinned=row["pinned"],
        origin=row["origin"],
    )


def parameters_from(value: dict[str, Any]) -> ChatParameters:
    """Return stored parameters; what a later or earlier version called otherwise is left out."""
    return ChatParameters(**{key: value[key] for key in value.keys() & _PARAMETER_FIELDS})


def _of(owner: str, conversation_id: str) -> Update:
    return update(conversations).where(
        conversations.c.id == conversation_id,
        conversations.c.owner == owner,
        conversations.c.deleted_at.is_(None),
    )
