"""core/models/money: peak hours, usage to price; the examples of money.md §1, exact."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.models.chat import ChatParameters, Usage
from core.models.money.amounts import exact, from_units, plain, to_units
from core.models.money.hours import (
    BEIJING,
    highest_class,
    hour_class,
    is_year_known,
    next_off_peak,
)
from core.models.money.prices import CHAT_PRICES, PRICES, ChatPrice, PriceList, TokenRates
from core.models.money.usage import (
    cost_of,
    estimate_tokens,
    most_output,
    most_tokens,
    tokens_of,
)


def beijing(month: int, day: int, hour: int = 0, minute: int = 0, year: int = 2026) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=BEIJING)


FRIDAY_NIGHT = beijing(11, 27, 20)
FRIDAY_MORNING = beijing(11, 27, 10)


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (beijing(11, 27, 8, 59), "off_peak"),
        (beijing(11, 27, 9), "peak"),
        (beijing(11, 27, 11, 59), "peak"),
        (beijing(11, 27, 12), "off_peak"),
        (beijing(11, 27, 13, 59), "off_peak"),
        (beijing(11, 27, 14), "peak"),
        (beijing(11, 27, 17, 59), "peak"),
        (beijing(11, 27, 18), "off_peak"),
        (beijing(11, 28, 10), "off_peak"),  # Saturday
        (beijing(10, 1, 10), "off_peak"),  # National Day, a Thursday
        (beijing(10, 8, 10), "peak"),  # the first working day after it
        (beijing(10, 10, 10), "off_peak"),  # a make-up working Saturday
        (beijing(9, 25, 10), "off_peak"),  # Mid-Autumn, a Friday
        (beijing(8, 22, 10), "peak"),  # a Saturday before weekends were taken out
        (beijing(8, 29, 10), "off_peak"),
        (beijing(8, 16, 10), "off_peak"),  # there were no hours yet
        (beijing(3, 1, 10, year=2027), "peak"),  # nobody knows that year's holidays
        (datetime(2026, 11, 27, 1, tzinfo=UTC), "peak"),
        (datetime(2026, 11, 27, 10, tzinfo=UTC), "off_peak"),
    ],
)
def test_the_hour_class_of_a_moment(at: datetime, expected: str) -> None:
    assert hour_class(at) == expected


def test_what_a_year_without_holidays_is_called() -> None:
    assert is_year_known(FRIDAY_NIGHT)
    assert not is_year_known(beijing(1, 1, year=2027))
    assert is_year_known(datetime(2026, 12, 31, 15, 59, tzinfo=UTC))
    assert not is_year_known(datetime(2026, 12, 31, 16, tzinfo=UTC))  # 2027 in Beijing


def test_when_it_gets_cheaper() -> None:
    assert next_off_peak(FRIDAY_MORNING) == datetime(2026, 11, 27, 4, tzinfo=UTC)
    assert next_off_peak(beijing(11, 27, 17, 30)) == datetime(2026, 11, 27, 10, tzinfo=UTC)
    assert next_off_peak(FRIDAY_NIGHT) is None


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (beijing(11, 27, 8, 58), beijing(11, 27, 8, 59), "off_peak"),
        (beijing(11, 27, 8, 58), beijing(11, 27, 9), "peak"),
        (beijing(11, 27, 11, 59), beijing(11, 27, 12, 1), "peak"),
        (beijing(11, 27, 8, 50), beijing(11, 27, 12, 10), "peak"),  # all of it in between
        (beijing(11, 27, 18), beijing(11, 28, 8), "off_peak"),
    ],
)
def test_the_dearest_class_on_the_way(start: datetime, end: datetime, expected: str) -> None:
    assert highest_class(start, end) == expected


def price(model: str = "deepseek-flash", currency: str = "CNY") -> ChatPrice:
    found = PRICES.chat(model, currency, FRIDAY_NIGHT)
    assert found is not None
    return found


def test_the_worked_example_of_the_reference() -> None:
    tokens = tokens_of(Usage(12_000, 800, 12_800, 10_000, 2_000))
    assert tokens is not None
    night = cost_of(price(), tokens, start=FRIDAY_NIGHT, end=FRIDAY_NIGHT)
    morning = cost_of(price(), tokens, start=FRIDAY_MORNING, end=FRIDAY_MORNING)
    assert (night.amount, night.hour) == (Decimal("0.0054"), "off_peak")
    assert (morning.amount, morning.hour) == (Decimal("0.0108"), "peak")
    assert not night.is_range


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (beijing(11, 27, 8, 59), beijing(11, 27, 9, 1)),
        (beijing(11, 27, 11, 59), beijing(11, 27, 12, 1)),
    ],
)
def test_over_the_edge_of_a_class_there_are_two_figures(start: datetime, end: datetime) -> None:
    tokens = tokens_of(Usage(12_000, 800, 12_800, 10_000, 2_000))
    assert tokens is not None
    cost = cost_of(price(), tokens, start=start, end=end)
    assert (cost.amount, cost.low) == (Decimal("0.0108"), Decimal("0.0054"))
    assert cost.is_range


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        (Usage(100, 7, 107, 60, 40, 3), (60, 40, 7, 3, False)),
        (Usage(100, 7, 107, 60), (60, 40, 7, None, False)),  # only what was found in the cache
        (Usage(100, 7, 107, None, 40), (60, 40, 7, None, False)),
        (Usage(100, 7), (0, 100, 7, None, True)),  # all of it as missed: an upper bound
        (Usage(None, 7), None),
        (Usage(100, None), None),
        (Usage(None, 7, None, 60, 40), (60, 40, 7, None, False)),
        (None, None),
    ],
)
def test_what_usage_bills(usage: Usage | None, expected: tuple[object, ...] | None) -> None:
    tokens = tokens_of(usage)
    told = tokens and (
        tokens.hit,
        tokens.miss,
        tokens.completion,
        tokens.reasoning,
        tokens.is_input_unsplit,
    )
    assert told == expected


def test_prices_are_those_of_the_reference() -> None:
    def rates(model: str, currency: str) -> list[str]:
        found = price(model, currency)
        assert found.peak is not None
        return [
            plain(value)
            for one in (found.off_peak, found.peak)
            for value in (one.input_hit, one.input_miss, one.output)
        ]

    assert rates("deepseek-flash", "CNY") == ["0.02", "1", "4", "0.04", "2", "8"]
    assert rates("deepseek-flash", "USD") == ["0.003", "0.15", "0.6", "0.006", "0.3", "1.2"]
    assert rates("deepseek-v4-pro", "CNY") == ["0.15", "4.5", "13.5", "0.3", "9", "27"]
    assert rates("deepseek-v4-pro", "USD") == ["0.022", "0.66", "1.98", "0.044", "1.32", "3.96"]
    assert price("deepseek-v4-flash") == price("deepseek-flash")


def test_what_stands_in_no_row_is_unknown() -> None:
    assert PRICES.chat("another-model", "CNY", FRIDAY_NIGHT) is None
    assert PRICES.chat("deepseek-flash", "EUR", FRIDAY_NIGHT) is None
    assert PRICES.chat("deepseek-flash", "CNY", beijing(9, 9, 23)) is None  # before its first row
    assert PRICES.chat("deepseek-v4-pro", "CNY", beijing(9, 9, 23)) is not None


def test_what_the_owner_sets_goes_before_the_table_in_his_currency() -> None:
    rates = TokenRates(Decimal(1), Decimal(2), Decimal(3))
    mine = ChatPrice("settings", ("deepseek-flash", "mine"), "USD", rates)
    prices = PriceList(own_chat=(mine,))
    for model in mine.models:
        found = prices.chat(model, "CNY", FRIDAY_MORNING)
        assert found is mine
        assert found.rates("peak") == rates
    assert prices.chat("deepseek-v4-pro", "CNY", FRIDAY_NIGHT) is not None


def test_the_table_grows_old() -> None:
    assert not PRICES.stale(date(2026, 9, 1))
    assert PRICES.stale(date(2027, 3, 1))


@given(
    st.integers(0, 2_000_000),
    st.integers(0, 2_000_000),
    st.integers(0, 400_000),
    st.sampled_from(CHAT_PRICES),
    st.sampled_from(["peak", "off_peak"]),
)
def test_no_cost_is_rounded_on_the_way(
    hit: int, miss: int, completion: int, row: ChatPrice, hour: str
) -> None:
    rates = row.rates("peak" if hour == "peak" else "off_peak")
    cost = rates.cost(hit=hit, miss=miss, completion=completion)
    assert exact(cost) == cost
    assert from_units(to_units(cost)) == cost
    assert Decimal(plain(cost)) == cost
    assert "E" not in plain(cost)


@given(st.text(max_size=300))
def test_a_text_is_never_more_tokens_than_are_held_back_for_it(text: str) -> None:
    assert estimate_tokens(text) <= most_tokens(text)


@pytest.mark.parametrize(
    ("parameters", "tokens"),
    [
        (ChatParameters(max_tokens=77), 77),
        (ChatParameters(thinking=False), 8_192),
        (ChatParameters(thinking=True), 65_536),
        (ChatParameters(thinking=True, effort="max"), 131_072),
        (ChatParameters(thinking=False, effort="max"), 8_192),
    ],
)
def test_how_long_an_answer_may_get(parameters: ChatParameters, tokens: int) -> None:
    assert most_output(parameters) == tokens
