"""The studio's budgets: those of the settings, and those that the owner set on the page."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from typing import Any

from core.access.issued_tokens import IssuedTokens
from core.models.money.amounts import plain
from core.models.money.ledger import Budget, BudgetPlan
from core.storage.store import Store

_KEY = "money.budgets"


class Budgets:
    """Puts both together and has the ledger go by them; a setting stands above the page's."""

    def __init__(
        self,
        store: Store,
        settings: Callable[[], BudgetPlan],
        of_tokens: Callable[[], tuple[Budget, ...]] = tuple,
    ) -> None:
        self._store = store
        self._settings = settings
        self._find_of_tokens = of_tokens
        self._own: tuple[Budget, ...] = ()
        self._of_tokens: tuple[Budget, ...] = ()

    def load(self) -> None:
        """Read what was set on the page, and begin to go by all of it."""
        kept = self._store.key_values.get(_KEY, [])
        found = [_read(one) for one in kept] if isinstance(kept, list) else []
        self._own = tuple(one for one in found if one is not None)
        self._of_tokens = self._find_of_tokens()
        self.apply()

    def know(self, budget: Budget | None) -> None:
        """Go by a token's budget, which another process may have set a moment ago."""
        if budget is not None and budget not in self._of_tokens:
            self.load()

    def apply(self) -> None:
        """Go by the settings as they are now, and by the page's budgets beside them."""
        plan = self._settings()
        taken = {_place(one) for one in plan.budgets}
        kept = (*self._own, *self._of_tokens)
        own = tuple(one for one in kept if _place(one) not in taken)
        self._store.ledger.plan = replace(plan, budgets=(*plan.budgets, *own))
        self._store.ledger.open_totals()

    def is_of_token(self, budget: Budget) -> bool:
        """Tell whether a budget belongs to a token that was made on the page."""
        return budget in self._of_tokens

    def is_own(self, budget: Budget) -> bool:
        """Tell whether a budget was set on the page, and so can be changed there."""
        return budget in self._own

    def set(self, budget: Budget) -> None:
        """Set a budget of the studio instead of the one before."""
        self.load()  # another process may have set one
        others = [one for one in self._own if _place(one) != _place(budget)]
        self._keep((*others, budget))

    def drop(self, budget: Budget) -> None:
        """Take a budget of the page's back."""
        self.load()
        self._keep(tuple(one for one in self._own if one != budget))

    def _keep(self, own: tuple[Budget, ...]) -> None:
        self._store.key_values.set(_KEY, [_written(one) for one in own])
        self._own = own
        self.apply()


def token_budgets(tokens: IssuedTokens) -> tuple[Budget, ...]:
    """Return the budgets of the tokens that were made on the page."""
    return tuple(one.budget for one in tokens.all() if one.budget is not None)


def _place(budget: Budget) -> tuple[str, str, str, str]:
    return budget.scope, budget.name, budget.period, budget.currency


def _written(budget: Budget) -> dict[str, str]:
    return {"period": budget.period, "limit": plain(budget.limit), "currency": budget.currency}


def _read(kept: Any) -> Budget | None:
    try:
        period, currency = kept["period"], kept["currency"]
        limit = Decimal(kept["limit"])
    except (TypeError, KeyError, InvalidOperation):
        return None
    is_one = period in ("day", "month") and isinstance(currency, str) and limit.is_finite()
    return Budget("studio", "", period, limit, currency) if is_one else None
