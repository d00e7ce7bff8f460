"""What a period cost: by day, model, spender and way, with what the cache and the hours did."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from core.models.money.ledger import LedgerLine
from core.models.money.periods import zone_of
from core.models.money.prices import PriceList
from core.storage.money.filters import LedgerFilter
from core.storage.money.ledger import Ledger
from core.storage.money.sums import Column, Sums, quarter_start

_MILLION = 1_000_000
DEAREST = 5
WEEK = 7


@dataclass(frozen=True, slots=True)
class Savings:
    """What the cache saved, and what the same answers would have cost less off-peak."""

    currency: str
    hit_share: Decimal  # of all input tokens, between 0 and 1
    saved_by_cache: Decimal
    peak_share: Decimal  # of the money for answers
    saved_by_waiting: Decimal


@dataclass(frozen=True, slots=True)
class DayAmount:
    """What one day of the owner's zone cost in one currency."""

    day: date
    currency: str
    amount: Decimal


class Reports:
    """Reads the ledger for people. Blocking."""

    def __init__(self, ledger: Ledger, prices: PriceList) -> None:
        self._ledger = ledger
        self._prices = prices

    def totals(self, wanted: LedgerFilter) -> tuple[Sums, ...]:
        """Return one sum for each currency."""
        return self._ledger.sums(wanted)

    def by(self, wanted: LedgerFilter, *columns: Column) -> tuple[Sums, ...]:
        """Return sums told apart by columns, the dearest first."""
        return self._ledger.sums(wanted, *columns)

    def days(self, wanted: LedgerFilter) -> tuple[DayAmount, ...]:
        """Return what each day cost, by the zone in which the owner's days end."""
        zone = zone_of(self._ledger.plan.zone)
        found: dict[tuple[date, str], Decimal] = {}
        for one in self._ledger.sums(wanted, "quarter"):
            key = (quarter_start(one.by[0] or "0").astimezone(zone).date(), one.currency)
            found[key] = found.get(key, Decimal(0)) + one.amount
        return tuple(
            DayAmount(day, currency, found[day, currency]) for day, currency in sorted(found)
        )

    def calendar(self, wanted: LedgerFilter, now: datetime) -> tuple[date, ...]:
        """Return every day of a span until today, a week at least: also those without a call."""
        zone = zone_of(self._ledger.plan.zone)
        last = (wanted.end - timedelta(seconds=1) if wanted.end else now).astimezone(zone).date()
        first = (wanted.start or now).astimezone(zone).date()
        count = max((last - first).days + 1, WEEK)
        return tuple(first + timedelta(days=number) for number in range(count))

    def dearest_conversations(self, wanted: LedgerFilter) -> tuple[Sums, ...]:
        """Return the conversations that cost most."""
        sums = self._ledger.sums(wanted, "conversation_id")
        return tuple(one for one in sums if one.by[0] is not None and one.amount)[:DEAREST]

    def savings(self, wanted: LedgerFilter) -> tuple[Savings, ...]:
        """Return what cache and hours made of the answers' price, for each currency."""
        by_price = self._ledger.sums(wanted, "price_id", "hour")
        currencies = dict.fromkeys(one.currency for one in by_price if _is_chat(one))
        return tuple(self._savings(currency, by_price) for currency in currencies)

    def _savings(self, currency: str, sums: Sequence[Sums]) -> Savings:
        cache = waiting = peak = money = Decimal(0)
        hit = read = 0
        for one in sums:
            if one.currency != currency or not _is_chat(one):
                continue
            hit, read = hit + one.hit, read + one.hit + one.miss
            money += one.amount
            price = self._prices.chat_by_id(one.by[0])
            if price is None:
                continue
            is_peak = one.by[1] == "peak"
            rates = price.rates("peak" if is_peak else "off_peak")
            cache += (rates.input_miss - rates.input_hit) * one.hit / _MILLION
            if is_peak:
                peak += one.amount
                cheaper = price.off_peak.cost(hit=one.hit, miss=one.miss, completion=one.completion)
                waiting += max(one.amount - cheaper, Decimal(0))
        return Savings(currency, _share(hit, read), cache, _share(peak, money), waiting)


def cost_of_thinking(line: LedgerLine, prices: PriceList) -> Decimal | None:
    """Return what an answer's thinking alone cost; None where that is not known."""
    price = prices.chat_by_id(line.price_id)
    if price is None or not line.reasoning or line.amount is None:
        return None
    return price.rates(line.hour or "off_peak").output * line.reasoning / _MILLION


def _is_chat(one: Sums) -> bool:
    return bool(one.hit or one.miss or one.completion)


def _share(part: Decimal | int, whole: Decimal | int) -> Decimal:
    return Decimal(part) / Decimal(whole) if whole else Decimal(0)
