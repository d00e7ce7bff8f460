"""Full text search, Chinese and English alike: substrings of titles and messages, newest first.

SQLite: FTS5 with the trigram tokenizer for words of three characters and more, LIKE for shorter
ones (Chinese words often are) and for what is not in the index yet. PostgreSQL: ILIKE, which
pg_trgm's indexes serve where they exist.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    Select,
    and_,
    literal_column,
    or_,
    select,
    text,
    union_all,
)

from core.models.chat import Conversation, Role
from core.storage.chat.conversations import conversation_from
from core.storage.chat.search_index import unindexed
from core.storage.db.database import Database
from core.storage.db.like import contains
from core.storage.db.pagination import Page, behind, bounded, decode_cursor, encode_cursor
from core.storage.db.schema import clean, conversations, messages

_MAX_QUERY = 200  # characters; more than anyone types, less than SQLite's LIKE refuses
_TRIGRAM = 3
_BEFORE, _AFTER = 40, 120  # characters of a snippet around its first match


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
        words = clean(text)[:_MAX_QUERY].split()
        position = decode_cursor(cursor, datetime, str) if cursor is not None else None
        if not words:
            return Page(())
        with self._database.read() as connection:
            hits = [
                *_in_titles(connection, owner, words, limit, position),
                *_in_messages(connection, owner, words, limit, position, with_reasoning),
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
            *(contains(connection, conversations.c.title, word) for word in words),
        )
        .order_by(conversations.c.updated_at.desc(), conversations.c.id.desc())
        .limit(limit + 1)
    )
    if position is not None:
        query = query.where(behind((conversations.c.updated_at, conversations.c.id), position))
    found = []
    for row in connection.execute(query).mappings():
        conversation = conversation_from(row)
        snippet, matches = _snippet([conversation.title], words)
        found.append(SearchHit(conversation, None, None, snippet, matches, conversation.updated_at))
    return found


def _in_messages(
    connection: Connection,
    owner: str,
    words: list[str],
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
            *_match(connection, words, with_reasoning),
        )
        .order_by(messages.c.created_at.desc(), messages.c.id.desc())
        .limit(limit + 1)
    )
    if position is not None:
        query = query.where(behind((messages.c.created_at, messages.c.id), position))
    # The texts of the page only: sorting thousands of long rows would cost more than finding them.
    places = connection.execute(query).mappings().all()
    texts = {
        row["seq"]: row
        for row in connection.execute(
            select(messages.c.seq, messages.c.content, messages.c.reasoning_content, conversations)
            .join(conversations, conversations.c.id == messages.c.conversation_id)
            .where(messages.c.seq.in_([place["seq"] for place in places]))
        ).mappings()
    }
    return [_hit(place, texts[place["seq"]], words, with_reasoning) for place in places]


def _match(
    connection: Connection, words: list[str], with_reasoning: bool
) -> list[ColumnElement[bool]]:
    names = ["content", *(["reasoning_content"] if with_reasoning else [])]
    if connection.dialect.name == "postgresql":
        long_words, short_words = [], words
    else:
        long_words = [word for word in words if len(word) >= _TRIGRAM]
        short_words = [word for word in words if len(word) < _TRIGRAM]
    conditions = [
        or_(*(contains(connection, messages.c[name], word) for name in names))
        for word in short_words
    ]
    if long_words:
        phrases = " AND ".join('"' + word.replace('"', '""') + '"' for word in long_words)
        expression = phrases if with_reasoning else f"content : ({phrases})"
        indexed: Select[Any] = (
            select(literal_column("rowid"))
            .select_from(text("message_index"))
            .where(text("message_index MATCH :expression").bindparams(expression=expression))
        )
        found = union_all(indexed, _waiting(connection, names, long_words))
        conditions.append(messages.c.seq.in_(found))
    return [and_(*conditions)]


def _waiting(connection: Connection, names: list[str], words: list[str]) -> Select[Any]:
    """Return those not in the index yet in which every word occurs: a few, looked through whole."""
    late = messages.alias()
    return select(late.c.seq).where(
        late.c.seq.in_(select(unindexed.c.seq)),  # no join: SQLite would begin with all messages
        *(or_(*(contains(connection, late.c[name], word) for name in names)) for word in words),
    )


def _hit(place: RowMapping, row: RowMapping, words: list[str], with_reasoning: bool) -> SearchHit:
    texts = [row["content"], *([row["reasoning_content"]] if with_reasoning else [])]
    snippet, matches = _snippet(texts, words)
    return SearchHit(
        conversation_from(row), place["message_id"], place["role"], snippet, matches, place["at"]
    )


def _snippet(texts: list[str], words: list[str]) -> tuple[str, tuple[tuple[int, int], ...]]:
    """Return the surroundings of the first match, on one line, and where the words are in it."""
    longest_first = sorted(words, key=len, reverse=True)
    pattern = re.compile("|".join(re.escape(word) for word in longest_first), re.IGNORECASE)
    found = ((whole, match) for whole in texts if (match := pattern.search(whole)))
    whole, match = next(found, (texts[0], None))
    start = max(0, match.start() - _BEFORE) if match else 0
    end = min(len(whole), (match.end() if match else 0) + _AFTER)
    line = re.sub(r"\s", " ", whole[start:end])
    line = ("…" if start else "") + line + ("…" if end < len(whole) else "")
    return line, tuple(match.span() for match in pattern.finditer(line))


def _place(hit: SearchHit) -> tuple[datetime, str]:
    return hit.at, hit.message_id or hit.conversation.id
