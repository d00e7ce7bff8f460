"""The full text index is filled behind the writing: what waits for it is noted in a table.

To index a text costs ten times as much as to store it, and holds up every other writer meanwhile.
What is indexed is the text folded (core/storage/db/folding), in a table of its own. Words shorter
than a trigram are found as what trigrams begin with (SQLite), or as grams (PostgreSQL).
"""

from functools import cache
from itertools import pairwise

from sqlalchemy import TableClause, Text, column, delete, func, insert, select, table, text

from core.storage.db.database import Database
from core.storage.db.folding import fold
from core.storage.db.schema import messages

# Made by m002_index_later, m006_folded_search, m007_newest_first; triggers add what is written down
# for good, and take out what is gone.
unindexed = table("unindexed_messages", column("seq"))
texts = table("message_index_texts", column("seq"), column("content"), column("reasoning_content"))
# Behind a text, so that its last characters begin trigrams, too. No word holds a line end.
_PADDING = "\n\n"

_AT_ONCE_CHARACTERS = 100_000  # some 10 ms during which nobody else can write
_AT_ONCE = 200

_SIZE = func.length(messages.c.content) + func.length(messages.c.reasoning_content)
# Another process does the same in PostgreSQL: each takes what the other does not hold.
_OLDEST = (
    select(unindexed.c.seq)
    .order_by(unindexed.c.seq)
    .limit(_AT_ONCE)
    .with_for_update(skip_locked=True)
)
_INDEX = text(
    "INSERT INTO message_index (rowid, content, reasoning_content) "
    "SELECT seq, content, reasoning_content FROM message_index_texts WHERE seq = :seq"
)


@cache
def texts_with_grams() -> TableClause:
    """Return PostgreSQL's table of texts, whose grams are arrays of its own kind."""
    from sqlalchemy.dialects.postgresql import ARRAY  # noqa: PLC0415 - for who has it

    return table(
        "message_index_texts",
        *(column(name) for name in ("seq", "content", "reasoning_content")),
        *(column(name, ARRAY(Text)) for name in ("grams", "reasoning_grams")),
    )


class SearchIndex:
    """What is searched for words, and what is still to come into it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def waiting(self) -> int:
        """Return how many messages are not in the index yet."""
        with self._database.read() as connection:
            return connection.scalar(select(func.count()).select_from(unindexed)) or 0

    def catch_up(self) -> None:
        """Index the oldest of what waits, as much as may be done at once."""
        with self._database.write() as connection:
            oldest = connection.scalars(_OLDEST).all()
            chosen: list[int] = []
            characters = 0
            sizes = select(messages.c.seq, _SIZE).where(messages.c.seq.in_(oldest))
            for seq, size in connection.execute(sizes.order_by(messages.c.seq)):
                if chosen and characters + size > _AT_ONCE_CHARACTERS:
                    break
                chosen.append(seq)
                characters += size
            if not chosen:
                return
            said = select(messages.c.seq, messages.c.content, messages.c.reasoning_content)
            rows = connection.execute(said.where(messages.c.seq.in_(chosen))).all()
            if self._database.is_sqlite:
                connection.execute(insert(texts), [_padded(*row) for row in rows])
                connection.execute(_INDEX, [{"seq": seq} for seq in chosen])
            else:
                connection.execute(insert(texts_with_grams()), [_with_grams(*row) for row in rows])
            connection.execute(delete(unindexed).where(unindexed.c.seq.in_(chosen)))


def _padded(seq: int, content: str, reasoning: str) -> dict[str, object]:
    said, thought = (fold(one) + _PADDING if one else "" for one in (content, reasoning))
    return {"seq": seq, "content": said, "reasoning_content": thought}


def _with_grams(seq: int, content: str, reasoning: str) -> dict[str, object]:
    said, thought = fold(content), fold(reasoning)
    grams = {"grams": _grams(said), "reasoning_grams": _grams(thought)}
    return {"seq": seq, "content": said, "reasoning_content": thought, **grams}


def _grams(folded: str) -> list[str]:
    """Return each character of a text and each pair of neighbours, once."""
    pairs = {first + second for first, second in pairwise(folded)}
    return [gram for gram in pairs | set(folded) if not any(map(str.isspace, gram))]
