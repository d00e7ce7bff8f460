"""Settles the ledger's line of a generation by what its provider says of the task."""

from dataclasses import replace
from decimal import Decimal, InvalidOperation

from core.models.generations import Generation, GenerationStatus, KlingTask
from core.models.kinds import package_of
from core.models.money.amounts import PRACTICE_CURRENCY
from core.models.money.charges import charged
from core.models.money.ledger import LedgerLine, Settlement
from core.models.money.settling import settle_lost, settle_task
from core.storage.money.book import Settle


def task_ended(task: KlingTask, *, failed: bool) -> Settle:
    """Return how the line of a task that has ended is settled: by the task's own figures."""
    told, made = charged(task.charges), len(task.images) or None
    cash = next((one for one in told if one.kind == "cash"), None)
    units = sum((one.amount for one in told), Decimal(0)) if told and cash is None else None
    if not told:
        units = decimal_of(task.unit_deduction)
    package = (told[0].package if told else None) or package_of(task.kind)

    def settle(line: LedgerLine) -> Settlement | None:
        is_practice = line.currency == PRACTICE_CURRENCY
        settled = settle_task(
            line,
            failed=failed,
            made=made,
            units=units,
            cash=None if cash is None else cash.amount,
            currency=None if cash is None or is_practice else cash.currency,
            package=package,
        )
        return replace(settled, task_id=task.task_id)

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
        failed = status is GenerationStatus.FAILED
        package = package_of(generation.kind)
        settled = settle_task(line, failed=failed, made=made, units=units, package=package)
        return replace(settled, task_id=generation.task_id)

    return settle


def decimal_of(words: str | None) -> Decimal | None:
    """Return a figure that a provider gave as words; None for what is none."""
    try:
        value = Decimal(words or "")
    except InvalidOperation:
        return None
    return value if value.is_finite() and value >= 0 else None
