"""A second press: what costs more than the owner's limit for one call is asked for twice."""

from collections.abc import Mapping
from decimal import Decimal

from core.errors import InputError
from core.models.money.amounts import CNY, USD
from core.ui import session
from core.ui.money.words import amount_words

# Where live keys are used and no budget is set: about one yuan.
_WITHOUT_BUDGET: Mapping[str, Decimal] = {CNY: Decimal(1), USD: Decimal("0.15")}


def limit_of(currency: str) -> Decimal | None:
    """Return above which amount a second press is asked; None where none is."""
    studio = session.studio()
    own = studio.settings.money.ask_above
    if currency in own:
        return own[currency]
    has_budget = any(one.currency == currency for one in studio.store.ledger.plan.budgets)
    return None if has_budget else _WITHOUT_BUDGET.get(currency)


def require_unknown(what: tuple[object, ...]) -> None:
    """Return where `what` may be sent though nobody knows its price; asks for a second press."""
    known = session.state()
    if session.image_mode() == "practice" or known.confirmed == what:
        known.confirmed = None
        return
    known.confirmed = what
    raise InputError("price", "error.press_again_unknown")


def require(amount: Decimal, currency: str, what: tuple[object, ...]) -> None:
    """Return where `what` may be sent; InputError asks for the second press, once."""
    known, limit = session.state(), limit_of(currency)
    if limit is None or amount <= limit or known.confirmed == what:
        known.confirmed = None
        return
    known.confirmed = what
    facts = {"amount": amount_words(amount, currency), "limit": amount_words(limit, currency)}
    raise InputError("price", "error.press_again", facts=facts)
