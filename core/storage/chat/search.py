"""Full text search, Chinese and English alike: substrings of titles and messages, newest first.

Words are looked for folded in what is folded (core/storage/db/folding), by the index
(core/storage/chat/search_conditions); where they occur often, in the newest messages one by one,
since those fill a page.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    RowMapping,
    Select,
    bindparam,
    literal_column,
    select,
    true,
)

from core.models.chat import Conversation, Role
from core.storage.chat.conversations import conversation_from
from core.storage.chat.search_conditions import Wanted, indexed, looked_at, not_indexed
from core.storage.chat.snippets import snippet_of
from core.storage.db.column_types import clean
from core.storage.db.database import Database
from core.storage.db.folding import fold
from core.storage.db.like import holds
from core.storage.db.pagination import Page, behind, bounded, decode_cursor, encode_cursor
from core.storage.db.schema import conversations, messages

_MAX_QUERY = 200  # characters; more than anyone types, less than SQLite's LIKE refuses
# What occurs less often is sought out in the index and put in order; what occurs more often, the
# newest messages are looked through for. Either takes some milliseconds.
_SOUGHT_OUT = 2000
_LOOKED_THROUGH = 4000


@dataclass(frozen=True, slots=True)
class SearchHit:
    """A place where every word was found; without message_id it is the title."""

    conversation: Conversation
    message_id: str | None
    role: Role | None
    snippet: str
    matches: tuple[tuple[int, int], ...]  # offsets in the snippet
    at: datetime


class Search:
    """Looks through what one owner said and was answered."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(
        self,
        owner: str,
        text: str,
        *,
        limit: int = 20,
        cursor: str | None = None,
        with_reasoning: bool = False,
    ) -> Page[SearchHit]:
        """Return the titles and messages in which every word of `text` occurs."""
        limit = bounded(limit)
        text = clean(text)[:_MAX_QUERY]
        words = fold(text).split()
        position = decode_cursor(cursor, datetime, str) if cursor is not None else None
        if not words:
            return Page(())
        wanted = Wanted(words, text.split(), with_reasoning=with_reasoning)
        with self._database.read() as connection:
            hits = [
                *_in_titles(connection, owner, words, limit, position),
                *_in_messages(connection, owner, wanted, limit, position),
            ]
        hits.sort(key=_place, reverse=True)
        if len(hits) <= limit:
            return Page(tuple(hits))
        return Page(tuple(hits[:limit]), encode_cursor(_place(hits[limit - 1])))


def _in_titles(
    connection: Connection, owner: str, words: list[str], limit: int, position: list[object] | None
) -> list[SearchHit]:
    query = (
        select(conversations)
        .where(
            conversations.c.owner == owner,
            conversations.c.deleted_at.is_(None),
            *(holds(conversations.c.folded_title, word) for word in words),
        )
        .order_by(conversations.c.updated_at.desc(), conversations.c.id.desc())
        .limit(limit + 1)
    )
    if position is not None:
        query = query.where(behind((conversations.c.updated_at, conversations.c.id), position))
    found = []
    for row in connection.execute(query).mappings():
        conversation = conversation_from(row)
        snippet, matches = snippet_of([conversation.title], words)
        found.append(SearchHit(conversation, None, None, snippet, matches, conversation.updated_at))
    return found


def _in_messages(
    connection: Connection, owner: str, wanted: Wanted, limit: int, position: list[object] | None
) -> list[SearchHit]:
    waiting = not_indexed(connection, wanted)
    found = indexed(connection, wanted, waiting)
    some = connection.scalars(found.limit(_SOUGHT_OUT)).all()
    if len(some) < _SOUGHT_OUT:
        chosen = messages.c.seq.in_(bindparam("some", some, expanding=True, literal_execute=True))
        # Materialized, or SQLite would walk through all messages in their order.
        few = _ended(position).where(chosen).cte().prefix_with("MATERIALIZED")
        places = _places(connection, owner, limit, few, true())
    else:
        newest = _newest(position).limit(_LOOKED_THROUGH).subquery()
        condition = looked_at(newest.c.seq, wanted, waiting)
        places = _places(connection, owner, limit, newest, condition)
        if len(places) <= limit:
            many = _newest(position).where(messages.c.seq.in_(found)).subquery()
            places = _places(connection, owner, limit, many, true())
    # The texts of the page only: sorting thousands of long rows would cost more than finding them.
    rows = {
        row["seq"]: row
        for row in connection.execute(
            select(
                messages.c.seq,
                messages.c.role,
                messages.c.content,
                messages.c.reasoning_content,
                conversations,
            )
            .join(conversations, conversations.c.id == messages.c.conversation_id)
            .where(messages.c.seq.in_([place["seq"] for place in places]))
        ).mappings()
    }
    return [_hit(place, rows[place["seq"]], wanted) for place in places]


def _ended(position: list[object] | None) -> Select[Any]:
    """Return the messages that have ended, behind a position."""
    query = select(
        messages.c.seq, messages.c.id, messages.c.conversation_id, messages.c.created_at
    ).where(messages.c.status != literal_column("'running'"))  # the partial indexes' own words
    if position is None:
        return query
    return query.where(behind((messages.c.created_at, messages.c.id), position))


def _newest(position: list[object] | None) -> Select[Any]:
    return _ended(position).order_by(messages.c.created_at.desc(), messages.c.id.desc())


def _places(
    connection: Connection, owner: str, limit: int, of: FromClause, condition: ColumnElement[bool]
) -> Sequence[RowMapping]:
    """Return one more than a page of an owner's messages among those, the newest first."""
    query = (
        select(of.c.seq, of.c.id.label("message_id"), of.c.created_at.label("at"))
        .join(conversations, conversations.c.id == of.c.conversation_id)
        .where(conversations.c.owner == owner, conversations.c.deleted_at.is_(None), condition)
        .order_by(of.c.created_at.desc(), of.c.id.desc())
        .limit(limit + 1)
    )
    return connection.execute(query).mappings().all()


def _hit(place: RowMapping, row: RowMapping, wanted: Wanted) -> SearchHit:
    snippet, matches = snippet_of([row[name] for name in wanted.names], wanted.words)
    return SearchHit(
        conversation_from(row), place["message_id"], row["role"], snippet, matches, place["at"]
    )


def _place(hit: SearchHit) -> tuple[datetime, str]:
    return hit.at, hit.message_id or hit.conversation.id
