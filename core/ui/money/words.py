"""Amounts in the reader's words: how sure they are, and never nothing for what is unknown."""

from decimal import Decimal
from urllib.parse import urlencode

from core.models.money.amounts import PRACTICE_CURRENCY
from core.models.money.ledger import LedgerLine, LineState, money_words
from core.ui.session import text
from core.ui.start.configuration import base_url_path


def amount_words(amount: Decimal, currency: str) -> str:
    """Return an amount with its currency; practice's is called by its name."""
    if currency == PRACTICE_CURRENCY:
        number = money_words(amount, "CNY").removeprefix("¥")
        return text("money.practice_amount", amount=number)
    return money_words(amount, currency)


def line_words(line: LedgerLine) -> str:
    """Return what a line cost: a figure with its mark, a range, held back, or unknown."""
    if line.amount is None:
        return text("money.unknown")
    words = amount_words(line.amount, line.currency)
    if line.state is LineState.RESERVED:
        return text("money.reserved", amount=words)
    if line.low is not None:
        low = amount_words(line.low, line.currency)
        return text("money.range", low=low, high=words)
    return f"{line.mark.value} {words}" if line.mark.value else words


def link_to(page: str, **parameters: str | None) -> str:
    """Return the address of a page of ours, also where the studio lies below a path."""
    query = urlencode({name: value for name, value in parameters.items() if value is not None})
    base = base_url_path().strip("/")
    return f"{f'/{base}' if base else ''}/{page}?{query}"


def caller_words(caller: str | None) -> str:
    """Return who spent, by the way in which they came."""
    kind, _, name = (caller or "").partition(":")
    match kind:
        case "token":
            return text("money.caller_token", name=name)
        case "pass":
            return text("money.caller_pass", name=name)
        case "user":
            return name
        case "page":
            return text("money.caller_page")
        case _:
            return text("money.caller_local")
