"""Questions asked of the tree of messages, inside somebody's transaction."""

from collections.abc import Iterable

from sqlalchemy import Connection, RowMapping, Select, bindparam, func, select

from core.models.chat import AnswerStatus, Message, Usage
from core.storage.chat.conversations import USAGE_FIELDS, parameters_from
from core.storage.chat.message_parts import parts_in
from core.storage.db.schema import conversations, messages

# Statements are built once: to build one of these anew takes three times what it takes to run it.
_CONVERSATION = messages.c.conversation_id == bindparam("conversation")


def _ranked() -> Select[tuple[object, ...]]:
    """Return a query of messages that know which version of how many they are."""
    ranks = (
        select(
            messages.c.seq,
            func.row_number()
            .over(partition_by=messages.c.parent_id, order_by=messages.c.seq)
            .label("version"),
            func.count().over(partition_by=messages.c.parent_id).label("version_count"),
        )
        .where(_CONVERSATION)
        .subquery("ranks")
    )
    return (
        select(messages, ranks.c.version, ranks.c.version_count)
        .join(ranks, ranks.c.seq == messages.c.seq)
        .order_by(messages.c.seq)
    )


def _path() -> Select[tuple[object, ...]]:
    trail = (
        select(messages.c.id, messages.c.parent_id)
        .where(messages.c.id == bindparam("head"), _CONVERSATION)
        .cte("trail", recursive=True)
    )
    trail = trail.union_all(
        select(messages.c.id, messages.c.parent_id).where(messages.c.id == trail.c.parent_id)
    )
    # A child is always written down after its parent, so `seq` is the order of the path.
    return _ranked().join(trail, trail.c.id == messages.c.id)


_PATH = _path()
_SIBLINGS = _ranked().where(messages.c.parent_id.is_not_distinct_from(bindparam("parent")))
_SEVERAL = _ranked().where(
    messages.c.id.in_(bindparam("ids", type_=messages.c.id.type, expanding=True))
)
_OF_OWNER = (
    select(messages.c.conversation_id)
    .join(conversations, conversations.c.id == messages.c.conversation_id)
    .where(
        messages.c.id == bindparam("message"),
        conversations.c.owner == bindparam("owner"),
        conversations.c.deleted_at.is_(None),
    )
)


def path(connection: Connection, conversation_id: str, head_id: str) -> tuple[Message, ...]:
    """Return the messages from the root to `head_id`."""
    return _fetch(connection, _PATH, conversation=conversation_id, head=head_id)


def siblings(
    connection: Connection, conversation_id: str, parent_id: str | None
) -> tuple[Message, ...]:
    """Return all versions under `parent_id` (None: the roots), oldest first."""
    return _fetch(connection, _SIBLINGS, conversation=conversation_id, parent=parent_id)


def several(
    connection: Connection, conversation_id: str, message_ids: Iterable[str]
) -> tuple[Message, ...]:
    """Return these messages of a conversation in the order they were written."""
    return _fetch(connection, _SEVERAL, conversation=conversation_id, ids=list(message_ids))


def subtree(connection: Connection, message_id: str) -> list[tuple[str, int]]:
    """Return id and seq of the message and of everything below it."""
    below = (
        select(messages.c.id, messages.c.seq)
        .where(messages.c.id == message_id)
        .cte("below", recursive=True)
    )
    below = below.union_all(
        select(messages.c.id, messages.c.seq).where(messages.c.parent_id == below.c.id)
    )
    return [(row.id, row.seq) for row in connection.execute(select(below.c.id, below.c.seq))]


def newest_leaf(connection: Connection, message_id: str) -> str:
    """Return the last message written at or below `message_id`; nothing can be below that one."""
    return max(subtree(connection, message_id), key=lambda node: node[1])[0]


def conversation_of(connection: Connection, owner: str, message_id: str) -> str | None:
    """Return the id of the conversation of an owner's message, or None when it is not there."""
    named = {"message": message_id, "owner": owner}
    found: str | None = connection.scalar(_OF_OWNER, named)
    return found


def find(connection: Connection, owner: str, message_id: str) -> Message | None:
    """Return the owner's message, or None when it is not there."""
    conversation_id = conversation_of(connection, owner, message_id)
    if conversation_id is None:
        return None
    return several(connection, conversation_id, [message_id])[0]


def message_from(row: RowMapping) -> Message:
    """Return the value of a row."""
    counts = {name: row[name] for name in USAGE_FIELDS}
    given = any(count is not None for count in counts.values())
    return Message(
        id=row["id"],
        conversation_id=row["conversation_id"],
        parent_id=row["parent_id"],
        role=row["role"],
        content=row["content"],
        created_at=row["created_at"],
        reasoning_content=row["reasoning_content"],
        status=AnswerStatus(row["status"]),
        finish_reason=row["finish_reason"],
        usage=Usage(**counts) if given else None,
        model=row["model"],
        parameters=None if row["parameters"] is None else parameters_from(row["parameters"]),
        error_text_id=row["error_text_id"],
        error_facts=row["error_facts"] or {},
        error_detail=row["error_detail"],
        reasoning_s=row["reasoning_s"],
        first_token_s=row["first_token_s"],
        duration_s=row["duration_s"],
        practice=row["practice"],
        version=row.get("version", 1),
        version_count=row.get("version_count", 1),
        parts=() if row["parts"] is None else parts_in(row["parts"], row["content"]),
    )


def _fetch(
    connection: Connection, query: Select[tuple[object, ...]], **named: object
) -> tuple[Message, ...]:
    return tuple(message_from(row) for row in connection.execute(query, named).mappings())
