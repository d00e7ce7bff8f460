"""The practice Kling's book: what each task was charged, in units of the package or in cash.

Like a task's state it follows from the journal and the clock: a task is charged at its end, and a
failed one nothing. So a server that starts anew, and another process, have the same book.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from core.models.money.amounts import CNY, plain
from core.models.money.charges import ChargeKind
from core.practice.faults import Faults, read_faults
from core.practice.kling.auth import CASH_KEY_NAME
from core.practice.kling.creates.picture_request import PictureRequest
from core.practice.kling.refusal import KlingRefusal
from core.practice.kling.tasks import PracticeTask, TaskBook
from core.practice.settings import PracticeSettings

PACKAGE_TYPE = "image"
CASH_TYPE = "balance"
_NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class PictureCharge:
    """A line of the book: what a task that ended was charged, and what was left then."""

    task: PracticeTask
    kind: ChargeKind
    amount: Decimal
    before: Decimal
    after: Decimal
    list_price: Decimal | None = None

    def as_json(self) -> dict[str, object]:
        """Return the line with JSON's own types."""
        return {
            "task_id": self.task.task_id,
            "external_task_id": self.task.external_task_id,
            "model": self.task.model_name,
            "kind": self.kind,
            "amount": plain(self.amount),
            "currency": CNY if self.kind == "cash" else None,
            "list_price": None if self.list_price is None else plain(self.list_price),
            "at_ms": self.task.ends_at_ms,
        }


class ChargeBook:
    """Reads the charges off the tasks; those of the thirty days for which they are kept."""

    def __init__(self, settings: PracticeSettings, tasks: TaskBook) -> None:
        self._settings = settings
        self._tasks = tasks

    def cash_of(self, asked: PictureRequest, faults: Faults, key_name: str) -> str | None:
        """Return what is to be paid in cash; None where the package pays."""
        pays_cash = "cash" in faults or key_name == CASH_KEY_NAME
        if asked.list_price is None or not (pays_cash or self._settings.pays_by == "balance"):
            return None
        return plain(asked.list_price * self._settings.cash_rate)

    def check_means(self, task: PracticeTask) -> None:
        """Refuse a task that the package or the balance cannot pay for."""
        kind, price = _price(task)
        tasks = self._tasks.newest_first()
        if self._start(kind) - _spent(tasks, kind) < price:
            raise KlingRefusal(1102 if kind == "units" else 1101)

    def lines(self) -> list[PictureCharge]:
        """Return the book, oldest first."""
        return list(self._lines(self._tasks.now()))

    def units_left(self) -> Decimal:
        """Return what is left of the package, as `/account/costs` knows it: some hours late."""
        seen_ms = (self._tasks.now() - self._settings.costs_lag_s) * 1000
        seen = [task for task in self._tasks.newest_first() if task.ends_at_ms <= seen_ms]
        return self._settings.pack_units - _spent(seen, "units")

    def _lines(self, now: float) -> Iterator[PictureCharge]:
        left: dict[ChargeKind, Decimal] = {kind: self._start(kind) for kind in ("units", "cash")}
        ended = [task for task in self._tasks.newest_first() if not task.is_running(now)]
        for task in sorted(ended, key=lambda task: (task.ends_at_ms, task.task_id)):
            if task.units is None:
                continue  # no price is known, so none was charged
            kind, price = _price(task)
            amount = _NOTHING if task.failure else price
            before = left[kind]
            left[kind] = before - amount
            listed = None if task.list_price is None else Decimal(task.list_price)
            yield PictureCharge(task, kind, amount, before, left[kind], listed)

    def _start(self, kind: ChargeKind) -> Decimal:
        return self._settings.pack_units if kind == "units" else self._settings.balance_cny


def deductions(task: PracticeTask) -> Mapping[str, object]:
    """Return the fields in which a task that ended tells what it cost."""
    if task.units is None:
        return {}
    kind, price = _price(task)
    amount, listed = ("0", "0") if task.failure else (plain(price), task.list_price)
    if "billing" in read_faults(task.prompt):
        return {"billing": [_charge(kind, amount, listed)]}
    if kind == "units":
        return {"final_unit_deduction": amount}
    return {"final_balance_deduction": {"quota": amount, "list_price": listed}}


def _charge(kind: ChargeKind, amount: str, list_price: str | None) -> dict[str, object]:
    charge: dict[str, object] = {"amount": amount, "package_type": PACKAGE_TYPE}
    if kind == "units":
        return charge | {"charge_type": "unit"}
    cash = {"charge_type": "cash", "currency": CNY, "cash_type": CASH_TYPE}
    return charge | cash | {"list_price": list_price}


def _price(task: PracticeTask) -> tuple[ChargeKind, Decimal]:
    if task.cash is not None:
        return "cash", Decimal(task.cash)
    return "units", Decimal(task.units or 0)


def _spent(tasks: Iterable[PracticeTask], kind: ChargeKind) -> Decimal:
    """Return what tasks cost that have ended well, or will."""
    prices = [_price(task) for task in tasks if task.failure is None]
    return sum((price for its_kind, price in prices if its_kind == kind), _NOTHING)
