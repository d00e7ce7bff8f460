"""A second press: what costs more than the owner's limit for one call is asked for twice."""

from decimal import Decimal

from core.errors import AppError, InputError
from core.models.generations import GenerationRequest
from core.models.money.ledger import Reservation
from core.ui import session
from core.ui.money.words import amount_words
from core.work.money.ask_above import confirmation_limit


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
    known, studio = session.state(), session.studio()
    limit = confirmation_limit(studio.settings.money, studio.store.ledger.plan, currency)
    if limit is None or amount <= limit or known.confirmed == what:
        known.confirmed = None
        return
    known.confirmed = what
    facts = {"amount": amount_words(amount, currency), "limit": amount_words(limit, currency)}
    raise InputError("price", "error.press_again", facts=facts)


def held_for(request: GenerationRequest) -> Reservation | None:
    """Return what a task costs, as it would be held back; None where nobody can make it."""
    studio = session.studio()
    try:
        provider = studio.services.image_provider(session.owner())
    except AppError:
        return None
    return studio.spending.for_task(session.spender(), provider, request)


def require_task(request: GenerationRequest, what: tuple[object, ...]) -> None:
    """Return where a task may be sent; InputError asks for the second press, once."""
    held = held_for(request)
    if held is None:  # asking for it says why
        return
    if held.line.amount is None:
        require_unknown(what)
    else:
        require(held.line.amount, held.line.currency, what)
