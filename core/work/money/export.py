"""Lines of the ledger as others read them: JSON fields, and rows of a CSV file."""

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from decimal import Decimal

import msgspec

from core.models.money.amounts import plain
from core.models.money.ledger import LedgerLine, LineState, Mark

CSV_NAMES = (
    "id",
    "at",
    "kind",
    "state",
    "provider",
    "model",
    "amount",
    "currency",
    "low",
    "mark",
    "hit",
    "miss",
    "completion",
    "reasoning",
    "units",
    "pieces",
    "hour",
    "price_id",
    "caller",
    "owner",
    "origin",
    "conversation_id",
    "message_id",
    "generation_id",
    "task_id",
)
# What a spreadsheet takes for a formula: a model's name may be anybody's words.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class TokenFields(msgspec.Struct):
    """Tokens of a call; null where they are unknown."""

    hit: int | None
    miss: int | None
    completion: int | None
    reasoning: int | None


class LineFields(msgspec.Struct, kw_only=True):
    """A line as JSON: amounts are decimal strings, null where unknown, moments in UTC."""

    id: str
    at: datetime
    kind: str
    state: LineState
    provider: str
    model: str
    amount: str | None
    low: str | None
    mark: Mark
    currency: str
    tokens: TokenFields
    units: str | None
    pieces: int | None
    hour: str | None
    price_id: str | None
    caller: str
    owner: str
    origin: str
    conversation_id: str | None
    message_id: str | None
    generation_id: str | None
    task_id: str | None


def line_fields(line: LedgerLine) -> LineFields:
    """Return a line as others read it."""
    return LineFields(
        id=line.id,
        at=line.at.astimezone(UTC),
        kind=line.kind,
        state=line.state,
        provider=line.provider,
        model=line.model,
        amount=_words(line.amount),
        low=_words(line.low),
        mark=line.mark,
        currency=line.currency,
        tokens=TokenFields(line.hit, line.miss, line.completion, line.reasoning),
        units=_words(line.units),
        pieces=line.pieces,
        hour=line.hour,
        price_id=line.price_id,
        caller=line.caller,
        owner=line.owner,
        origin=line.origin,
        conversation_id=line.conversation_id,
        message_id=line.message_id,
        generation_id=line.generation_id,
        task_id=line.task_id,
    )


def csv_pieces(lines: Iterable[LedgerLine]) -> Iterator[str]:
    """Yield a CSV file line by line, its heading first."""
    yield _csv_row(CSV_NAMES)
    for line in lines:
        fields = msgspec.to_builtins(line_fields(line))
        flat = fields | fields["tokens"]
        yield _csv_row("" if flat[name] is None else str(flat[name]) for name in CSV_NAMES)


def _csv_row(cells: Iterable[str]) -> str:
    written = io.StringIO()
    csv.writer(written).writerow(
        f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in cells
    )
    return written.getvalue()


def _words(value: Decimal | None) -> str | None:
    return None if value is None else plain(value)
