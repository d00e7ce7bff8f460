"""Values of the ledger: what a call may cost at most, what it did cost, and who spent it."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Literal, get_args

from core.errors import AppError
from core.models.money.amounts import PRACTICE_CURRENCY
from core.models.money.hours import HourClass
from core.models.money.usage import Tokens

DEFAULT_ZONE = "Asia/Shanghai"

LineKind = Literal["chat", "title", "prompt", "search", "fetch", "image", "speech", "forwarded"]
LINE_KINDS: tuple[LineKind, ...] = get_args(LineKind)
Origin = Literal["page", "http", "recovered"]


class LineState(StrEnum):
    """How sure a line's amount is."""

    RESERVED = "reserved"  # the upper bound; the call may still run
    PROVIDER = "provider"  # the provider's own figure
    COMPUTED = "computed"  # its usage or units, by the price list
    ESTIMATED = "estimated"  # by what is known of the call
    UNKNOWN = "unknown"  # no price, or no figure: never nothing


class Mark(StrEnum):
    """How an amount is to be read."""

    EXACT = ""
    ABOUT = "≈"
    AT_MOST = "≤"


@dataclass(frozen=True, slots=True)
class Spender:
    """Who spends: the owner of the rows, and the caller as the guard knows it.

    `caller` is "page", or "token:NAME", "pass:NAME", "user:ADDRESS", "local" over HTTP.
    """

    owner: str
    caller: str
    origin: Origin = "page"


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """One call that can cost."""

    id: str
    at: datetime
    kind: LineKind
    state: LineState
    provider: str
    model: str
    owner: str
    caller: str
    origin: Origin
    currency: str
    amount: Decimal | None  # None: unknown; of a reserved line its upper bound
    low: Decimal | None = None  # the lower end, where it is a range
    bound: Decimal | None = None  # what was held back
    mark: Mark = Mark.EXACT
    price_id: str | None = None
    hour: HourClass | None = None
    hit: int | None = None
    miss: int | None = None
    completion: int | None = None
    reasoning: int | None = None
    units: Decimal | None = None
    pieces: int | None = None
    conversation_id: str | None = None
    message_id: str | None = None
    generation_id: str | None = None
    task_id: str | None = None
    settled_at: datetime | None = None
    until: datetime | None = None  # of a line without a row of its own: when nobody settles it


@dataclass(frozen=True, slots=True)
class Settlement:
    """What a call turned out to cost."""

    state: LineState
    amount: Decimal | None
    low: Decimal | None = None
    mark: Mark = Mark.EXACT
    currency: str | None = None  # where the provider bills another one than was expected
    hour: HourClass | None = None
    tokens: Tokens | None = None
    units: Decimal | None = None
    pieces: int | None = None
    task_id: str | None = None


@dataclass(slots=True)
class Reservation:
    """What is to be held back for a call before it is sent.

    `per_token` is what an output token costs at most, where the number of them may be cut:
    `granted_tokens` is how many the budget pays for, None where nothing was cut.
    """

    line: LedgerLine
    per_token: Decimal | None = None
    output_tokens: int = 0
    is_known: bool = True  # whether there is a price at all
    granted_tokens: int | None = None

    @property
    def bound(self) -> Decimal:
        """What it costs at most; nothing where no price is known."""
        return self.line.amount or Decimal(0)


Period = Literal["day", "month"]
Scope = Literal["studio", "user", "token"]


@dataclass(frozen=True, slots=True)
class Budget:
    """A limit in one currency, for the whole studio, a person or a token."""

    scope: Scope
    name: str  # of the person or token; empty for the studio
    period: Period
    limit: Decimal
    currency: str

    def covers(self, line: LedgerLine) -> bool:
        """Tell whether a line counts against it."""
        if self.currency != line.currency:
            return False
        return self.scope == "studio" or (self.scope, self.name) in scopes_of(line)


def scopes_of(line: LedgerLine) -> tuple[tuple[Scope, str], ...]:
    """Return whose totals a line belongs to: the studio's, and a person's or token's."""
    scopes: list[tuple[Scope, str]] = [("studio", "")]
    if line.owner.startswith("user:"):
        scopes.append(("user", line.owner.removeprefix("user:")))
    if line.caller.startswith("token:"):
        scopes.append(("token", line.caller.removeprefix("token:")))
    return tuple(scopes)


@dataclass(frozen=True, slots=True)
class BudgetPlan:
    """The owner's limits, and where a day ends."""

    budgets: tuple[Budget, ...] = ()
    zone: str = DEFAULT_ZONE
    is_broken: bool = False  # a limit is set that cannot be read

    def of(self, line: LedgerLine) -> tuple[Budget, ...]:
        """Return the budgets that a line counts against."""
        return tuple(budget for budget in self.budgets if budget.covers(line))

    def lacking(self, line: LedgerLine) -> tuple[str, ...]:
        """Return the currencies in which alone whoever spends this is limited, and it is not."""
        for place in scopes_of(line):
            held = {one.currency for one in self.budgets if (one.scope, one.name) == place}
            held.discard(PRACTICE_CURRENCY)
            if held and line.currency not in held:
                return tuple(sorted(held))
        return ()

    def limits_any(self, line: LedgerLine) -> bool:
        """Tell whether any budget, of whatever currency, holds for whoever spends this."""
        scopes = scopes_of(line)
        return any((budget.scope, budget.name) in scopes for budget in self.budgets)


@dataclass(frozen=True, slots=True)
class BudgetState:
    """A budget, what was spent and held back against it, and until when it counts."""

    budget: Budget
    spent: Decimal
    until: datetime

    @property
    def share(self) -> Decimal:
        """The part that is used; 1 where nothing may be spent at all."""
        return self.spent / self.budget.limit if self.budget.limit else Decimal(1)

    @property
    def left(self) -> Decimal:
        """What is left, never less than nothing."""
        return max(self.budget.limit - self.spent, Decimal(0))


class BudgetError(AppError):
    """A budget is used up, or what is asked for does not fit into it; nothing was sent."""

    def __init__(self, text_id: str, state: BudgetState | None, **facts: object) -> None:
        self.until = state.until if state is not None else None
        if state is not None:
            budget = state.budget
            facts |= {
                "limit": money_words(budget.limit, budget.currency),
                "left": money_words(state.left, budget.currency),
                "until": f"{state.until:%Y-%m-%d %H:%M} ({state.until.tzinfo})",
                "name": budget.name,
            }
        super().__init__(text_id, facts=facts)

    def wait_s(self, now: datetime) -> float | None:
        """Return how long it is until the budget's next day or month; None where none helps."""
        return None if self.until is None else max((self.until - now).total_seconds(), 1.0)


def money_words(amount: Decimal, currency: str) -> str:
    """Return an amount as people write it: four significant places below one, two above."""
    signs = {"CNY": "¥", "USD": "$"}
    places = 2
    if amount and abs(amount) < 1:
        places = min(max(3 - amount.adjusted(), 2), 10)
    text = f"{amount:,.{places}f}"
    if places > 2:
        whole, _, part = text.partition(".")
        text = f"{whole}.{part.rstrip('0').ljust(2, '0')}"
    sign = signs.get(currency)
    return f"{sign}{text}" if sign else f"{text} {currency}"
