"""Budgets and prices of the owner's: `[budget]`, `[[prices.chat]]`, `…images]]`, and so on.

What cannot be read is named. A price that cannot be read is left out; a budget that cannot be read
stops spending, since somebody wanted a limit there.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from typing import Any, get_args

from core.models.generations import ImageRequest
from core.models.money.ledger import DEFAULT_ZONE, Budget, BudgetPlan, Period, Scope
from core.models.money.periods import is_zone
from core.models.money.prices import WEB, ChatPrice, PiecePrice, PriceList, TokenRates
from core.models.money.settling import OWN_PRICE
from core.models.parts import LookupKind
from core.models.speech import TRANSCRIPTION, SpeechRequest
from core.settings import parsers
from core.settings.sources import SECRETS_FILE, Sources
from core.settings.table import BUDGET_DAY, BUDGET_MONTH, Setting

_SETTINGS: dict[Period, Setting[str]] = {"day": BUDGET_DAY, "month": BUDGET_MONTH}
_OF_ONE = frozenset(_SETTINGS)
_OF_STUDIO = _OF_ONE | {"timezone", "ask_above", "tokens", "users"}
_SIGNS = {"¥": "CNY", "￥": "CNY", "元": "CNY", "RMB": "CNY", "$": "USD"}
# A comma parts thousands and nothing else: 0,5 might be a half, or five.
_AMOUNT = re.compile(r"([^\d\s.,+-]*)\s*((?:\d{1,3}(?:[,_]\d{3})+|\d+)(?:\.\d+)?)\s*([^\d\s.,+-]*)")
_CURRENCY = re.compile(r"[A-Z]{3,12}")
_MOST = Decimal(1_000_000)


@dataclass(frozen=True, slots=True)
class MoneySettings:
    """The owner's limits and prices, and above what a second press is asked."""

    plan: BudgetPlan = field(default_factory=BudgetPlan)
    prices: PriceList = field(default_factory=PriceList)
    ask_above: Mapping[str, Decimal] = field(default_factory=dict)  # by currency


def read_money(sources: Sources) -> MoneySettings:
    """Return what the sources say of budgets and prices."""
    reader = _Reader(sources)
    section = reader.table(sources.secrets, "budget", "[budget]")
    budgets = [
        *reader.budgets_of("studio", "", section, "[budget]"),
        *reader.budgets_of_many("token", section, "tokens"),
        *reader.budgets_of_many("user", section, "users"),
    ]
    zone = section.get("timezone", DEFAULT_ZONE)
    if not isinstance(zone, str) or not is_zone(zone):
        sources.refuse("[budget] timezone", SECRETS_FILE, "timezone")
        zone = DEFAULT_ZONE
    ask_above = reader.amounts("[budget] ask_above", SECRETS_FILE, section.get("ask_above"))
    prices = reader.table(sources.secrets, "prices", "[prices]")
    return MoneySettings(
        plan=BudgetPlan(tuple(budgets), zone, is_broken=reader.is_broken),
        prices=PriceList(
            own_chat=tuple(reader.rows(prices, "chat", "price_chat", _chat_price)),
            own_pieces=(
                *reader.rows(prices, "images", "price_images", _image_price),
                *reader.rows(prices, "speech", "price_speech", _speech_price),
                *reader.rows(prices, "transcription", "price_transcription", _transcription_price),
                *reader.rows(prices, "web", "price_web", _web_price),
            ),
        ),
        ask_above=dict(ask_above),
    )


class _Reader:
    """Reads tables, and notes what in them is of no use."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self.is_broken = False

    def table(self, among: Mapping[str, Any], name: str, shown: str) -> Mapping[str, Any]:
        found = among.get(name, {})
        if isinstance(found, Mapping):
            return found
        self._sources.refuse(shown, SECRETS_FILE, "section")
        self.is_broken |= name != "prices"
        return {}

    def budgets_of(
        self, scope: Scope, name: str, section: Mapping[str, Any], shown: str
    ) -> list[Budget]:
        found: list[Budget] = []
        for name_of_it in section.keys() - (_OF_STUDIO if scope == "studio" else _OF_ONE):
            # Somebody meant a limit by it.
            self._sources.refuse(f"{shown} {name_of_it}", SECRETS_FILE, "budget_key")
            self.is_broken = True
        for period, setting in _SETTINGS.items():
            key, source, value = f"{shown} {period}", SECRETS_FILE, section.get(period)
            stronger = self._sources.find(setting.names) if scope == "studio" else None
            if stronger is not None:
                key, source, value = stronger
            before = len(self._sources.problems)
            amounts = self.amounts(key, source, value)
            self.is_broken |= len(self._sources.problems) > before
            found += [Budget(scope, name, period, limit, currency) for currency, limit in amounts]
        return found

    def budgets_of_many(self, scope: Scope, section: Mapping[str, Any], name: str) -> list[Budget]:
        found: list[Budget] = []
        for person, limits in self.table(section, name, f"[budget.{name}]").items():
            shown = f'[budget.{name}."{person}"]'
            if not isinstance(limits, Mapping):
                self._sources.refuse(shown, SECRETS_FILE, "section")
                self.is_broken = True
                continue
            called = person.strip().lower() if scope == "user" else person
            found += self.budgets_of(scope, called, limits, shown)
        return found

    def amounts(self, key: str, source: str, value: Any) -> list[tuple[str, Decimal]]:
        """Return amounts by currency; a text may hold several, with commas or semicolons."""
        if value is None:
            return []
        values = value if isinstance(value, list | tuple) else [value]
        texts: list[object] = []
        for one in values:
            texts += re.split(r"[;,，；](?!\d)", one) if isinstance(one, str) else [one]
        found: dict[str, Decimal] = {}
        for one in texts:
            amount = _amount(one)
            if amount is None or amount[0] in found:
                self._sources.refuse(key, source, "budget")
                return []
            found[amount[0]] = amount[1]
        return list(found.items())

    def rows(
        self,
        section: Mapping[str, Any],
        name: str,
        kind: str,
        read: Callable[[Mapping[str, Any], int], Any],
    ) -> list[Any]:
        rows = section.get(name, [])
        found: list[Any] = []
        if not isinstance(rows, Sequence) or isinstance(rows, str):
            rows = [None]
        for number, row in enumerate(rows):
            try:
                found.append(read(row, number))
            except (AttributeError, TypeError, KeyError, ValueError, InvalidOperation):
                shown = f"[[prices.{name}]] {number + 1}"
                self._sources.refuse(shown, SECRETS_FILE, kind)
        return found


def _amount(value: object) -> tuple[str, Decimal] | None:
    """Return the currency and the amount that a text such as `5 CNY` or `¥5` names."""
    if not isinstance(value, str):
        return None
    match = _AMOUNT.fullmatch(parsers.strip(value))
    if match is None:
        return None
    words = [word for word in (match[1], match[3]) if word]
    if len(words) != 1:
        return None
    currency = _SIGNS.get(words[0], words[0].upper())
    currency = _SIGNS.get(currency, currency)
    amount = Decimal(re.sub(r"[,_]", "", match[2]))
    return (currency, amount) if _CURRENCY.fullmatch(currency) and amount <= _MOST else None


def _price(row: Mapping[str, Any], name: str) -> Decimal:
    value = row[name]
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        raise TypeError
    price = Decimal(str(value))
    if not price.is_finite() or not 0 <= price <= _MOST:
        raise ValueError
    return price


def _text(row: Mapping[str, Any], name: str, default: str | None = None) -> str:
    value = row.get(name, default)
    if not isinstance(value, str) or not value.strip():
        raise TypeError
    return value.strip()


def _currency(row: Mapping[str, Any]) -> str:
    currency = _text(row, "currency", "CNY").upper()
    if not _CURRENCY.fullmatch(currency):
        raise ValueError
    return currency


def _chat_price(row: Mapping[str, Any], _number: int) -> ChatPrice:
    model, currency = _text(row, "model"), _currency(row)
    miss = _price(row, "input_miss")
    hit = _price(row, "input_hit") if "input_hit" in row else miss
    rates = TokenRates(hit, miss, _price(row, "output"))
    return ChatPrice(f"{OWN_PRICE}chat/{model}/{currency}", (model,), currency, rates)


def _speech_price(row: Mapping[str, Any], number: int) -> PiecePrice:
    return _piece_price("speech", SpeechRequest.kind, _text(row, "model"), row, number)


def _transcription_price(row: Mapping[str, Any], number: int) -> PiecePrice:
    return _piece_price("transcription", TRANSCRIPTION, _text(row, "model"), row, number)


def _web_price(row: Mapping[str, Any], number: int) -> PiecePrice:
    look = _text(row, "look")
    if look not in get_args(LookupKind):
        raise ValueError
    return _piece_price("web", WEB, look, row, number)


def _image_price(row: Mapping[str, Any], number: int) -> PiecePrice:
    price = _piece_price("images", ImageRequest.kind, _text(row, "model"), row, number)
    if row.get("resolution") is None:
        return price
    return replace(price, when={"resolution": (_text(row, "resolution").lower(),)})


def _piece_price(
    section: str, kind: str, model: str, row: Mapping[str, Any], number: int
) -> PiecePrice:
    currency = _currency(row)
    return PiecePrice(
        id=f"{OWN_PRICE}{section}/{model}/{currency}/{number}",
        kind=kind,
        model=model,
        each={currency: _price(row, "each")},
    )
