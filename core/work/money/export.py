"""Lines of the ledger as others read them: JSON fields, and rows of a CSV file."""

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import UTC
from decimal import Decimal

from core.models.money.amounts import plain
from core.models.money.ledger import LedgerLine

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


def line_fields(line: LedgerLine) -> dict[str, object]:
    """Return a line as JSON: amounts are decimal strings, null where unknown, moments in UTC."""
    return {
        "id": line.id,
        "at": line.at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "kind": line.kind,
        "state": line.state.value,
        "provider": line.provider,
        "model": line.model,
        "amount": _words(line.amount),
        "low": _words(line.low),
        "mark": line.mark.value,
        "currency": line.currency,
        "tokens": {
            "hit": line.hit,
            "miss": line.miss,
            "completion": line.completion,
            "reasoning": line.reasoning,
        },
        "units": _words(line.units),
        "pieces": line.pieces,
        "hour": line.hour,
        "price_id": line.price_id,
        "caller": line.caller,
        "owner": line.owner,
        "origin": line.origin,
        "conversation_id": line.conversation_id,
        "message_id": line.message_id,
        "generation_id": line.generation_id,
        "task_id": line.task_id,
    }


def csv_pieces(lines: Iterable[LedgerLine]) -> Iterator[str]:
    """Yield a CSV file line by line, its heading first."""
    yield _csv_row(CSV_NAMES)
    for line in lines:
        fields = line_fields(line)
        tokens = fields["tokens"]
        assert isinstance(tokens, dict)
        flat = fields | tokens
        yield _csv_row("" if flat[name] is None else str(flat[name]) for name in CSV_NAMES)


def _csv_row(cells: Iterable[str]) -> str:
    written = io.StringIO()
    csv.writer(written).writerow(
        f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in cells
    )
    return written.getvalue()


def _words(value: Decimal | None) -> str | None:
    return None if value is None else plain(value)
