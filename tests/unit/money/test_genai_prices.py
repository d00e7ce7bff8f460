"""The dollar rows against `genai-prices`: a difference is reported and blocks nothing.

Theirs knows no weekends and no holidays: a weekday outside of the windows is asked for.
"""

import sys
from datetime import UTC, datetime

import pytest
from genai_prices import Usage, calc_price

from core.models.money.prices import CHAT_PRICES, ChatPrice

_DOLLARS = [price for price in CHAT_PRICES if price.currency == "USD"]
_HOURS = {
    "off_peak": datetime(2026, 11, 24, 12, tzinfo=UTC),
    "peak": datetime(2026, 11, 24, 2, tzinfo=UTC),
}
_MILLION = 1_000_000


@pytest.mark.parametrize("price", _DOLLARS, ids=lambda price: price.models[0])
def test_what_others_keep_of_the_same_prices_is_reported(
    price: ChatPrice, capsys: pytest.CaptureFixture[str]
) -> None:
    for hour, at in _HOURS.items():
        usage = Usage(input_tokens=2 * _MILLION, cache_read_tokens=_MILLION, output_tokens=_MILLION)
        rates = price.rates("peak" if hour == "peak" else "off_peak")
        ours = rates.cost(hit=_MILLION, miss=_MILLION, completion=_MILLION)
        assert ours > 0
        try:
            found = calc_price(
                usage,
                model_ref=price.models[0],
                provider_id="deepseek",
                genai_request_timestamp=at,
            )
        except LookupError as error:
            theirs: object = error
        else:
            theirs = found.total_price
        if theirs != ours:
            _report(capsys, f"{price.id}, {hour}: {ours} here, {theirs} in genai-prices")


def _report(capsys: pytest.CaptureFixture[str], words: str) -> None:
    with capsys.disabled():
        sys.stderr.write(f"\n{words}\n")
