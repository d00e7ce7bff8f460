"""The owner's price of a look into the web stands before the list's; a broken one is named."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from core.models.money.prices import WEB
from core.settings import Settings, read_settings

NOW = datetime(2026, 11, 29, tzinfo=UTC)


def read(root: Path, price: str) -> Settings:
    (root / ".streamlit").mkdir(exist_ok=True)
    (root / ".streamlit" / "secrets.toml").write_text(f"[[prices.web]]\n{price}", encoding="utf-8")
    return read_settings(root=root, environment={})


def test_the_owners_price_stands_before_the_lists(tmp_path: Path) -> None:
    prices = read(tmp_path, 'look = "fetch"\ncurrency = "USD"\neach = 0.01\n').money.prices
    own, listed = prices.pieces(WEB, "fetch", {}, NOW), prices.pieces(WEB, "search", {}, NOW)
    assert own is not None
    assert own.each == {"USD": Decimal("0.01")}
    assert listed is not None
    assert listed.each == {"CNY": Decimal("0.005"), "USD": Decimal("0.00075")}


@pytest.mark.parametrize(
    "price", ['look = "draw"\neach = 1\n', 'look = "search"\n', 'look = "search"\neach = "x"\n']
)
def test_a_price_that_cannot_be_read_is_named(tmp_path: Path, price: str) -> None:
    (problem,) = read(tmp_path, price).problems
    assert problem.text_id == "error.configuration_price_web"
