"""core/models/money/charges: which of the figures that a provider tells is the money."""

from decimal import Decimal

import pytest

from core.models.money.charges import Charge, charged


def units(amount: str, package: str | None = None) -> Charge:
    return Charge("units", Decimal(amount), package=package)


def cash(amount: str, currency: str | None = "CNY", listed: str | None = None) -> Charge:
    price = None if listed is None else Decimal(listed)
    return Charge("cash", Decimal(amount), currency, price)


@pytest.mark.parametrize(
    ("told", "money"),
    [
        ([], []),
        ([units("8")], [units("8")]),
        ([cash("0.2")], [cash("0.2")]),
        ([units("8"), cash("0.2", listed="0.25")], [cash("0.2", listed="0.25")]),
        ([cash("0.2"), units("0")], [cash("0.2")]),
        # Paid from a package; that no cash was taken is not the price.
        ([units("8"), cash("0")], [units("8")]),
        # A failed task: nothing was taken either way.
        ([units("0")], [units("0")]),
        ([units("0"), cash("0")], [cash("0")]),
        ([units("8", "image"), units("4", "image")], [units("12", "image")]),
        ([units("8", "image"), units("1", "audio")], [units("8", "image"), units("1", "audio")]),
        ([cash("0.2", listed="0.3"), cash("0.1", listed="0.2")], [cash("0.3", listed="0.5")]),
        ([cash("0.2", listed="0.3"), cash("0.1")], [cash("0.3")]),
        # Currencies are never mixed.
        ([cash("0.2"), cash("0.1", "USD"), cash("1")], [cash("1.2"), cash("0.1", "USD")]),
    ],
)
def test_cash_is_the_money_and_else_the_units(told: list[Charge], money: list[Charge]) -> None:
    assert charged(told) == tuple(money)
    assert {one.amount for one in charged(reversed(told))} == {one.amount for one in money}
