"""What practice says of prices, in both languages, against the tables that they come from."""

import re
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from core.models.kling_catalogue import find_image_model
from core.models.money.prices import PRICES
from core.practice.chat.texts import Language, text

AT = datetime(2026, 11, 27, tzinfo=UTC)
LANGUAGES: list[tuple[Language, str]] = [("zh", "CNY"), ("en", "USD")]
HOURS = {"平时": "off_peak", "off-peak": "off_peak", "高峰": "peak", "peak": "peak"}
_NUMBER = re.compile(r"\d+(?:\.\d+)?")


def rows(language: Language) -> list[list[str]]:
    """Return the cells of the rows that begin with a model."""
    lines = text(language, "prices").splitlines()
    return [[cell.strip(" `") for cell in line.split("|")[1:-1]] for line in lines if "| `" in line]


@pytest.mark.parametrize(("language", "currency"), LANGUAGES)
def test_what_words_cost_is_what_the_table_says(language: Language, currency: str) -> None:
    told = [row for row in rows(language) if row[0].startswith("deepseek")]
    assert len(told) == 4
    for model, hour, *figures in told:
        price = PRICES.chat(model, currency, AT)
        assert price is not None
        rates = price.rates("peak" if HOURS[hour] == "peak" else "off_peak")
        wanted = [rates.input_hit, rates.input_miss, rates.output]
        assert [Decimal(figure) for figure in figures] == wanted


@pytest.mark.parametrize(("language", "currency"), LANGUAGES)
def test_what_pictures_cost_is_what_the_table_says(language: Language, currency: str) -> None:
    told = [row for row in rows(language) if row[0].startswith("kling")]
    assert len(told) == 3
    for model, *cells in told:
        known = find_image_model(model)
        assert known is not None
        assert known.stopped_on is None
        for has_image, cell in enumerate(cells):
            facts = {"has_image": bool(has_image), "resolution": "1k"}
            price = PRICES.pieces("image", model, facts, AT)
            assert price is not None
            units, money = (Decimal(number) for number in _NUMBER.findall(cell))
            assert (units, money) == (price.units, price.amount(currency))
