"""Settles the ledger's line of a generation by what its provider says of the task."""

from decimal import Decimal, InvalidOperation

from core.models.generations import Generation, GenerationStatus, KlingTask
from core.models.money.ledger import LedgerLine, Settlement
from core.models.money.settling import settle_lost, settle_task
from core.storage.money.book import Settle


def task_ended(task: KlingTask, *, failed: bool) -> Settle:
    """Return how the line of a task that has ended is settled: by the task's own figures."""
    units, made = decimal_of(task.unit_deduction), len(task.images) or None

    def settle(line: LedgerLine) -> Settlement | None:
        return settle_task(line, failed=failed, made=made, units=units)

    return settle


def row_ended(generation: Generation) -> Settle:
    """Return how the line of a generation that is final is settled by what its row tells."""
    units, status = decimal_of(generation.unit_deduction), generation.status

    def settle(line: LedgerLine) -> Settlement | None:
        if status in (GenerationStatus.REFUSED, GenerationStatus.CANCELLED):
            return None
        if status is GenerationStatus.FAILED and generation.task_id is None:
            return settle_lost(line)
        made = len(generation.pictures) or None
        return settle_task(line, failed=status is GenerationStatus.FAILED, made=made, units=units)

    return settle


def decimal_of(words: str | None) -> Decimal | None:
    """Return a figure that a provider gave as words; None for what is none."""
    try:
        value = Decimal(words or "")
    except InvalidOperation:
        return None
    return value if value.is_finite() and value >= 0 else None
