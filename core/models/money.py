"""Prices: what a provider charges for one piece of a kind, looked up by what is asked for.

The table is data, `prices.toml`. None is an unknown price: never nothing, and never a guess.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Price:
    """One piece's price: units of a prepaid package, and what a unit costs in each currency."""

    provider: str
    kind: str
    model: str
    package: str
    units: Decimal
    unit_costs: Mapping[str, Decimal]  # by currency; two lists of their own, never converted
    read_on: date
    when: Mapping[str, tuple[object, ...]]

    def fits(self, provider: str, kind: str, model: str, facts: Mapping[str, object]) -> bool:
        """Return whether this is the price; a fact it asks for must be told."""
        return (self.provider, self.kind, self.model) == (provider, kind, model) and all(
            name in facts and facts[name] in values for name, values in self.when.items()
        )

    def amount(self, currency: str, *, pieces: int = 1) -> Decimal | None:
        """Return what that many pieces cost; None in a currency that has no list."""
        each = self.unit_costs.get(currency)
        return None if each is None else each * self.units * pieces


def find_price(
    provider: str, kind: str, model: str, facts: Mapping[str, object], /
) -> Price | None:
    """Return the price of one piece, or None when nobody has written it down."""
    return next((one for one in PRICES if one.fits(provider, kind, model, facts)), None)


def _read(table: Mapping[str, Any]) -> tuple[Price, ...]:
    costs = {(unit["provider"], unit["package"]): unit["each"] for unit in table["units"]}
    return tuple(
        Price(
            provider=row["provider"],
            kind=row["kind"],
            model=model,
            package=row["package"],
            units=Decimal(row["units"]),
            unit_costs=costs[row["provider"], row["package"]],
            read_on=row["read_on"],
            when={name: tuple(values) for name, values in row.get("when", {}).items()},
        )
        for row in table["prices"]
        for model in row["models"]
    )


_TABLE = Path(__file__).with_name("prices.toml").read_text(encoding="utf-8")
PRICES = _read(tomllib.loads(_TABLE, parse_float=Decimal))
