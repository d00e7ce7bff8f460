"""Full text search, Chinese and English alike: substrings of titles and messages, newest first.

Words are looked for folded in what is folded (core/storage/db/folding). SQLite: FTS5 with the
trigram tokenizer for words of three characters and more, LIKE for shorter ones (Chinese words often
are). PostgreSQL: LIKE, which pg_trgm's indexes serve where they exist. What is not in the index yet
is folded while it is looked through; where that is much, as behind a migration, the older of it is
looked through as it stands.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    Select,
    exists,
    literal_column,
    or_,
    select,
    text,
    union_all,
)

from core.models.chat import Conversation, Role
from core.storage.chat.conversations import conversation_from
from core.storage.chat.search_index import texts, unindexed
from core.storage.chat.snippets import snippet_of
from core.storage.db.database import Database
from core.storage.db.folding import fold
from core.storage.db.like import contains, holds
from core.storage.db.pagination import Page, behind, bounded, decode_cursor, encode_cursor
from core.storage.db.schema import clean, conversations, messages

_MAX_QUERY = 200  # characters; more than anyone types, less than SQLite's LIKE refuses
_TRIGRAM = 3
_FOLDED_MOST = 500  # messages that are folded for one search because they are not indexed yet


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
        with self._database.read() as connection:
            hits = [
                *_in_titles(connection, owner, words, limit, position),
                *_in_messages(
                    connection, owner, words, text.split(), limit, position, with_reasoning
                ),
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
    connection: Connection,
    owner: str,
    words: list[str],
    written: list[str],
    limit: int,
    position: list[object] | None,
    with_reasoning: bool,
) -> list[SearchHit]:
    query = (
        select(
            messages.c.seq,
            messages.c.id.label("message_id"),
            messages.c.created_at.label("at"),
            messages.c.role,
        )
        .join(conversations, conversations.c.id == messages.c.conversation_id)
        .where(
            conversations.c.owner == owner,
            conversations.c.deleted_at.is_(None),
            messages.c.status != literal_column("'running'"),  # the partial indexes' own words
            _match(connection, words, written, with_reasoning),
        )
        .order_by(messages.c.created_at.desc(), messages.c.id.desc())
        .limit(limit + 1)
    )
    if position is not None:
        query = query.where(behind((messages.c.created_at, messages.c.id), position))
    # The texts of the page only: sorting thousands of long rows would cost more than finding them.
    places = connection.execute(query).mappings().all()
    rows = {
        row["seq"]: row
        for row in connection.execute(
            select(messages.c.seq, messages.c.content, messages.c.reasoning_content, conversations)
            .join(conversations, conversations.c.id == messages.c.conversation_id)
            .where(messages.c.seq.in_([place["seq"] for place in places]))
        ).mappings()
    }
    return [_hit(place, rows[place["seq"]], words, with_reasoning) for place in places]


def _match(
    connection: Connection, words: list[str], written: list[str], with_reasoning: bool
) -> ColumnElement[bool]:
    """Return the condition that every word occurs, folded; `written` are the words as they came."""
    names = ["content", *(["reasoning_content"] if with_reasoning else [])]
    waiting = _waiting(connection, words, written, names)
    is_postgres = connection.dialect.name == "postgresql"
    long_words = [] if is_postgres else [word for word in words if len(word) >= _TRIGRAM]
    in_texts = [
        or_(*(holds(texts.c[name], word) for name in names))
        for word in words
        if word not in long_words
    ]
    if is_postgres:
        return messages.c.seq.in_(union_all(select(texts.c.seq).where(*in_texts), *waiting))
    if not long_words:  # the owner's own messages are fewer than all that hold a short word
        found = exists().where(texts.c.seq == messages.c.seq, *in_texts)
        return or_(found, messages.c.seq.in_(union_all(*waiting)))
    phrases = " AND ".join('"' + word.replace('"', '""') + '"' for word in long_words)
    expression = phrases if with_reasoning else f"content : ({phrases})"
    indexed: Select[Any] = (
        select(literal_column("rowid"))
        .select_from(text("message_index"))
        .where(text("message_index MATCH :expression").bindparams(expression=expression))
    )
    if in_texts:
        short = exists().where(texts.c.seq == literal_column("message_index.rowid"), *in_texts)
        indexed = indexed.where(short)
    return messages.c.seq.in_(union_all(indexed, *waiting))


def _waiting(
    connection: Connection, words: list[str], written: list[str], names: list[str]
) -> list[Select[Any]]:
    """Return those not in the index yet in which every word occurs.

    The newest are folded here and now; of more than those, the older are found as they stand.
    """
    # No join with what waits: SQLite would begin with all messages.
    newest = select(unindexed.c.seq).order_by(unindexed.c.seq.desc()).limit(_FOLDED_MOST)
    late = select(messages.c.seq, *(messages.c[name] for name in names)).where(
        messages.c.seq.in_(newest)
    )
    rows = connection.execute(late.order_by(messages.c.seq)).all()
    found = [row.seq for row in rows if _is_in([fold(part) for part in row[1:]], words)]
    chosen: list[Select[Any]] = [select(messages.c.seq).where(messages.c.seq.in_(found))]
    if len(rows) == _FOLDED_MOST:
        older = messages.alias()
        others = select(unindexed.c.seq).where(unindexed.c.seq < rows[0].seq)
        as_they_stand = (
            or_(*(contains(connection, older.c[name], word) for name in names)) for word in written
        )
        chosen.append(select(older.c.seq).where(older.c.seq.in_(others), *as_they_stand))
    return chosen


def _is_in(parts: list[str], words: list[str]) -> bool:
    return all(any(word in part for part in parts) for word in words)


def _hit(place: RowMapping, row: RowMapping, words: list[str], with_reasoning: bool) -> SearchHit:
    said = [row["content"], *([row["reasoning_content"]] if with_reasoning else [])]
    snippet, matches = snippet_of(said, words)
    return SearchHit(
        conversation_from(row), place["message_id"], place["role"], snippet, matches, place["at"]
    )


def _place(hit: SearchHit) -> tuple[datetime, str]:
    return hit.at, hit.message_id or hit.conversation.id
