"""Amounts of money: decimals with twelve places, each in one currency and never converted.

A token of the cheapest price is 0.000000003 of a dollar: twelve places keep any list per million
tokens with up to six places exact. Only a view rounds.
"""

from decimal import ROUND_HALF_EVEN, Decimal, localcontext

PLACES = 12
_UNIT = Decimal(10) ** -PLACES
# What practice charges: as much as the real list says, in a currency that buys nothing.
PRACTICE_CURRENCY = "PRACTICE"
CNY, USD = "CNY", "USD"


def listed_currency(currency: str) -> str:
    """Return the currency whose list is used: practice charges as much as the one in yuan."""
    return CNY if currency == PRACTICE_CURRENCY else currency


def exact(amount: Decimal) -> Decimal:
    """Return an amount at the twelve places in which it is kept."""
    with localcontext() as context:
        context.prec = 40
        return amount.quantize(_UNIT, rounding=ROUND_HALF_EVEN)


def to_units(amount: Decimal) -> int:
    """Return an amount as a whole number of 10⁻¹²: what the database adds up without a rest."""
    return int(exact(amount).scaleb(PLACES))


def from_units(units: int) -> Decimal:
    """Return the amount that a whole number of 10⁻¹² is."""
    with localcontext() as context:
        context.prec = 40
        return Decimal(units).scaleb(-PLACES)


def plain(amount: Decimal) -> str:
    """Return an amount as a decimal string without an exponent and without idle zeros."""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
