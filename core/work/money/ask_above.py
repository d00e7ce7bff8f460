"""Confirmation limit: above which amount a person is asked once more before anything is spent."""

from collections.abc import Mapping
from decimal import Decimal

from core.models.money.amounts import CNY, USD
from core.models.money.ledger import BudgetPlan
from core.settings.money import MoneySettings

# Where live keys are used and no budget is set: about one yuan.
_WITHOUT_BUDGET: Mapping[str, Decimal] = {CNY: Decimal(1), USD: Decimal("0.15")}


def confirmation_limit(money: MoneySettings, plan: BudgetPlan, currency: str) -> Decimal | None:
    """Return above which amount a person is to confirm; None where nothing needs that.

    The owner's own word (`[budget] ask_above`) stands first; where a budget holds the currency, it
    is limit enough.
    """
    if currency in money.ask_above:
        return money.ask_above[currency]
    has_budget = any(one.currency == currency for one in plan.budgets)
    return None if has_budget else _WITHOUT_BUDGET.get(currency)
