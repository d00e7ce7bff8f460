"""Replies to creates that cannot be asked for again: kept from when they came until the end.

Such a task has no query: its link is told once, and what is paid for would be lost with the process
that heard it. The step that ends the task forgets it (`storage/generations`).
"""

from decimal import Decimal
from typing import Any

from core.models.generations import KlingTask, TaskImage, TaskStatus
from core.models.money.charges import Charge
from core.storage.db.key_values import KeyValues
from core.storage.generations.rows import answer_key


def keep_answer(values: KeyValues, generation_id: str, task: KlingTask) -> None:
    """Keep a reply under its generation."""
    values.set(answer_key(generation_id), _as_json(task))


def kept_answer(values: KeyValues, generation_id: str, kind: str) -> KlingTask | None:
    """Return the reply that was kept; None where there is none."""
    value = values.get(answer_key(generation_id))
    return _from_json(value, kind) if isinstance(value, dict) else None


def _as_json(task: KlingTask) -> dict[str, Any]:
    return {
        "task_id": task.task_id,
        "status": task.status.value,
        "status_message": task.status_message,
        "urls": [image.url for image in task.images],
        "units": task.unit_deduction,
        "charges": [
            {
                "kind": one.kind,
                "amount": str(one.amount),
                "currency": one.currency,
                "list_price": None if one.list_price is None else str(one.list_price),
                "package": one.package,
            }
            for one in task.charges
        ],
    }


def _from_json(value: dict[str, Any], kind: str) -> KlingTask:
    return KlingTask(
        task_id=value["task_id"],
        status=TaskStatus(value["status"]),
        status_message=value["status_message"],
        images=tuple(TaskImage(place, url) for place, url in enumerate(value["urls"])),
        unit_deduction=value["units"],
        charges=tuple(
            Charge(
                one["kind"],
                Decimal(one["amount"]),
                one["currency"],
                None if one["list_price"] is None else Decimal(one["list_price"]),
                one["package"],
            )
            for one in value["charges"]
        ),
        kind=kind,
    )
