"""The conditions of a search: that a message holds every word, by the index or by looking at it.

SQLite: FTS5's trigrams for words of three characters and more; for shorter ones (Chinese words
often are), what the index's trigrams begin with. PostgreSQL: LIKE, which pg_trgm's indexes serve
where they exist, and arrays of single characters and pairs. What is not in the index yet is folded
while it is looked through; where that is much, as behind a migration, the older of it is looked
through as it stands.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Connection,
    Select,
    column,
    exists,
    func,
    literal_column,
    or_,
    select,
    table,
    text,
    union_all,
)

from core.storage.chat.search_index import texts, texts_with_grams, unindexed
from core.storage.db.folding import fold
from core.storage.db.like import contains, holds
from core.storage.db.schema import messages

_TRIGRAM = 3
_FOLDED_MOST = 500  # messages that are folded for one search because they are not indexed yet
# Made by m007_newest_first: each trigram with where it stands, in order.
_terms = table("message_index_terms", column("term"), column("doc"), column("col"))
_ROWID: ColumnElement[int] = literal_column("message_index.rowid")
_COUNTED_MOST = 2000
_GRAMS = {"content": "grams", "reasoning_content": "reasoning_grams"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for: words, folded and as they were written, and where."""

    words: Sequence[str]
    written: Sequence[str]
    with_reasoning: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """Return the columns that are looked through."""
        return ("content", "reasoning_content") if self.with_reasoning else ("content",)


def looked_at(
    seq: ColumnElement[int], wanted: Wanted, waiting: Sequence[Select[Any]]
) -> ColumnElement[bool]:
    """Return the condition that a message holds every word, for few messages: read each."""
    held = exists().where(texts.c.seq == seq, *_held(wanted, wanted.words))
    return or_(held, seq.in_(union_all(*waiting)))


def indexed(
    connection: Connection, wanted: Wanted, waiting: Sequence[Select[Any]]
) -> CompoundSelect[Any]:
    """Return the `seq` of all messages that hold every word, by the index; some perhaps twice."""
    is_postgres = connection.dialect.name == "postgresql"
    by_index = _in_postgres(wanted) if is_postgres else _in_sqlite(connection, wanted)
    return union_all(by_index, *waiting)


def not_indexed(connection: Connection, wanted: Wanted) -> list[Select[Any]]:
    """Return those not in the index yet in which every word occurs.

    The newest are folded here and now; of more than those, the older are found as they stand.
    """
    # No join with what waits: SQLite would begin with all messages.
    newest = select(unindexed.c.seq).order_by(unindexed.c.seq.desc()).limit(_FOLDED_MOST)
    late = select(messages.c.seq, *(messages.c[name] for name in wanted.names)).where(
        messages.c.seq.in_(newest)
    )
    rows = connection.execute(late.order_by(messages.c.seq)).all()
    found = [row.seq for row in rows if _is_in([fold(part) for part in row[1:]], wanted.words)]
    chosen: list[Select[Any]] = [select(messages.c.seq).where(messages.c.seq.in_(found))]
    if len(rows) == _FOLDED_MOST:
        older = messages.alias()
        others = select(unindexed.c.seq).where(unindexed.c.seq < rows[0].seq)
        as_they_stand = (
            or_(*(contains(connection, older.c[name], word) for name in wanted.names))
            for word in wanted.written
        )
        chosen.append(select(older.c.seq).where(older.c.seq.in_(others), *as_they_stand))
    return chosen


def _is_in(parts: list[str], words: Sequence[str]) -> bool:
    return all(any(word in part for part in parts) for word in words)


def _held(wanted: Wanted, words: Sequence[str]) -> list[ColumnElement[bool]]:
    return [or_(*(holds(texts.c[name], word) for name in wanted.names)) for word in words]


def _in_postgres(wanted: Wanted) -> Select[Any]:
    held = texts_with_grams().c
    short = (
        or_(*(held[_GRAMS[name]].contains([word]) for name in wanted.names))
        for word in wanted.words
        if len(word) < _TRIGRAM
    )
    long = (
        or_(*(holds(held[name], word) for name in wanted.names))
        for word in wanted.words
        if len(word) >= _TRIGRAM
    )
    return select(held.seq).where(*short, *long)


def _in_sqlite(connection: Connection, wanted: Wanted) -> Select[Any]:
    long = [word for word in wanted.words if len(word) >= _TRIGRAM]
    short = [word for word in wanted.words if len(word) < _TRIGRAM]
    if not long:
        rarest = min(short, key=lambda word: _places_of(connection, word, wanted))
        others = [word for word in short if word != rarest]
        held = exists().where(texts.c.seq == _terms.c.doc, *_held(wanted, others))
        found = _beginning_with(rarest, wanted)
        return found.where(held) if others else found
    phrases = " AND ".join('"' + word.replace('"', '""') + '"' for word in long)
    expression = phrases if wanted.with_reasoning else f"content : ({phrases})"
    matching = text("message_index MATCH :expression").bindparams(expression=expression)
    found = select(_ROWID).select_from(text("message_index")).where(matching)
    if not short:
        return found
    return found.where(exists().where(texts.c.seq == _ROWID, *_held(wanted, short)))


def _places_of(connection: Connection, word: str, wanted: Wanted) -> int:
    """Return how often a word occurs, counted so far as is needed to tell rare from common."""
    some = _beginning_with(word, wanted).limit(_COUNTED_MOST).subquery()
    return connection.scalars(select(func.count()).select_from(some)).one()


def _beginning_with(word: str, wanted: Wanted) -> Select[Any]:
    """Return the messages with a trigram that begins so."""
    return select(_terms.c.doc).where(
        _terms.c.term >= word, _terms.c.term < _next(word), _terms.c.col.in_(wanted.names)
    )


def _next(word: str) -> str:
    """Return the first text behind all that begin with `word`, in the order of code points."""
    code = ord(word[-1]) + 1
    if code > 0x10FFFF:
        return word + chr(0x10FFFF) * _TRIGRAM
    return word[:-1] + chr(0xE000 if 0xD800 <= code < 0xE000 else code)
