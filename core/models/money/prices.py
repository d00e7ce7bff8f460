"""The price list: dated rows, found by what is asked for and when. None is unknown, never nothing.

The table is data (`models/prices/*.toml`). What the owner sets goes before it.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from core.models.money.amounts import PRACTICE_CURRENCY, listed_currency
from core.models.money.hours import HourClass

_FOLDER = Path(__file__).parents[1] / "prices"
_MILLION = 1_000_000
WEB = "web"  # the kind of looks into the web, whose models are `search` and `fetch`
STALE_AFTER = timedelta(days=60)


@dataclass(frozen=True, slots=True)
class TokenRates:
    """What a million tokens cost: input found in the cache, other input, output with thinking."""

    input_hit: Decimal
    input_miss: Decimal
    output: Decimal

    def cost(self, *, hit: int, miss: int, completion: int) -> Decimal:
        """Return what tokens cost (money.md §1)."""
        total = self.input_hit * hit + self.input_miss * miss + self.output * completion
        return total / _MILLION

    @property
    def dearest_input(self) -> Decimal:
        """What an input token costs at most, per million."""
        return max(self.input_hit, self.input_miss)


@dataclass(frozen=True, slots=True)
class ChatPrice:
    """A model's price per million tokens, in one currency. `peak` is None where hours are alike."""

    id: str
    models: tuple[str, ...]
    currency: str
    off_peak: TokenRates
    peak: TokenRates | None = None
    since: datetime | None = None
    read_on: date | None = None
    source: str = ""

    def rates(self, hour: HourClass) -> TokenRates:
        """Return what tokens cost in that class of hours."""
        return self.peak if hour == "peak" and self.peak is not None else self.off_peak


@dataclass(frozen=True, slots=True)
class PiecePrice:
    """One piece's price: units of a prepaid package, and what a piece costs in each currency."""

    id: str
    kind: str
    model: str
    each: Mapping[str, Decimal]  # by currency; lists of their own, never converted
    package: str = ""
    units: Decimal | None = None
    when: Mapping[str, tuple[object, ...]] = field(default_factory=dict)
    since: datetime | None = None
    until: datetime | None = None
    read_on: date | None = None

    def fits(self, kind: str, model: str, facts: Mapping[str, object], at: datetime | None) -> bool:
        """Return whether this is the price; a fact it asks for must be told."""
        if (self.kind, self.model) != (kind, model):
            return False
        if at is not None and (
            (self.since is not None and at < self.since)
            or (self.until is not None and at > self.until)
        ):
            return False
        return all(name in facts and facts[name] in values for name, values in self.when.items())

    def amount(self, currency: str, *, pieces: int | Decimal = 1) -> Decimal | None:
        """Return what that many pieces cost; None in a currency that has no list."""
        each = self.each.get(listed_currency(currency))
        if each is None and currency == PRACTICE_CURRENCY:  # the owner's price, in his currency
            each = next(iter(self.each.values()), None)
        return None if each is None else each * pieces


@dataclass(frozen=True, slots=True)
class PriceList:
    """The known prices; what the owner set goes before the table, whatever the moment."""

    own_chat: tuple[ChatPrice, ...] = ()
    own_pieces: tuple[PiecePrice, ...] = ()

    def chat(self, model: str, currency: str, at: datetime) -> ChatPrice | None:
        """Return a model's price at a moment, in the owner's currency or else in `currency`.

        None where nobody has written it down, and for moments before the first row.
        """
        currency = listed_currency(currency)
        own = [price for price in self.own_chat if model in price.models]
        if own:
            return next((price for price in own if price.currency == currency), own[0])
        rows = [
            price
            for price in CHAT_PRICES
            if model in price.models
            and price.currency == currency
            and (price.since is None or price.since <= at)
        ]
        return max(rows, key=lambda price: price.since or _EPOCH, default=None)

    def chat_by_id(self, price_id: str | None) -> ChatPrice | None:
        """Return the price of that id; None where there is none any more."""
        rows = (*self.own_chat, *CHAT_PRICES)
        return next((price for price in rows if price.id == price_id), None)

    def pieces(
        self, kind: str, model: str, facts: Mapping[str, object], at: datetime | None = None
    ) -> PiecePrice | None:
        """Return the price of one piece, such as a picture; None where it is unknown."""
        rows = (*self.own_pieces, *PIECE_PRICES, *WEB_PRICES)
        return next((one for one in rows if one.fits(kind, model, facts, at)), None)

    def stale(self, today: date) -> bool:
        """Tell whether the table was read so long ago that prices may have moved since."""
        read = [one.read_on for one in CHAT_PRICES if one.read_on is not None]
        read += [one.read_on for one in (*PIECE_PRICES, *WEB_PRICES) if one.read_on is not None]
        return today - min(read) > STALE_AFTER


def _rates(row: Mapping[str, Any]) -> TokenRates:
    return TokenRates(
        **{name: Decimal(row[name]) for name in ("input_hit", "input_miss", "output")}
    )


def _chat_prices(table: Mapping[str, Any]) -> tuple[ChatPrice, ...]:
    return tuple(
        ChatPrice(
            id=f"deepseek/{row['models'][0]}/{row['currency']}/{row['from'].date()}",
            models=tuple(row["models"]),
            currency=row["currency"],
            off_peak=_rates(row["off_peak"]),
            peak=_rates(row["peak"]) if "peak" in row else None,
            since=row["from"],
            read_on=row["read_on"],
            source=row["source"],
        )
        for row in table["chat"]
    )


def _piece_prices(table: Mapping[str, Any]) -> tuple[PiecePrice, ...]:
    costs = {unit["package"]: unit["each"] for unit in table["units"]}
    found: list[PiecePrice] = []
    for number, row in enumerate(table["prices"]):
        units = Decimal(row["units"])
        each = {name: units * Decimal(cost) for name, cost in costs[row["package"]].items()}
        found += [
            PiecePrice(
                id=f"kling/{row['kind']}/{model}/{row['read_on']}/{number}",
                kind=row["kind"],
                model=model,
                each=each,
                package=row["package"],
                units=units,
                when={name: tuple(values) for name, values in row.get("when", {}).items()},
                since=row.get("from"),
                until=row.get("until"),
                read_on=row["read_on"],
            )
            for model in row["models"]
        ]
    return tuple(found)


def _web_prices(table: Mapping[str, Any]) -> tuple[PiecePrice, ...]:
    return tuple(
        PiecePrice(
            id=f"deepseek/{WEB}/{look}/{row['read_on']}",
            kind=WEB,
            model=look,
            each={name: Decimal(cost) for name, cost in row["each"].items()},
            read_on=row["read_on"],
        )
        for row in table["web"]
        for look in row["looks"]
    )


def _table(name: str) -> Mapping[str, Any]:
    text = (_FOLDER / f"{name}.toml").read_text(encoding="utf-8")
    return tomllib.loads(text, parse_float=Decimal)


def unit_costs(package: str) -> Mapping[str, Decimal]:
    """Return what a unit of a package costs by its list, by currency; empty where unknown."""
    return _UNIT_COSTS.get(package, {})


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_KLING: Sequence[Mapping[str, Any]] = _table("kling")["units"]
_UNIT_COSTS = {
    unit["package"]: {name: Decimal(cost) for name, cost in unit["each"].items()} for unit in _KLING
}
CHAT_PRICES = _chat_prices(_table("deepseek"))
PIECE_PRICES = _piece_prices(_table("kling"))
WEB_PRICES = _web_prices(_table("deepseek"))
PRICES = PriceList()
