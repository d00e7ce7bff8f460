"""Budgets and prices in settings: what is understood, and what stops spending where it is not."""

from decimal import Decimal
from pathlib import Path

import pytest

from core.models.money.ledger import Budget
from core.settings import Settings, read_settings


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / ".streamlit").mkdir()
    return tmp_path


def settings_of(root: Path, secrets: str = "", **environment: str) -> Settings:
    (root / ".streamlit/secrets.toml").write_text(secrets, encoding="utf-8")
    return read_settings(root=root, environment=environment)


def limits(settings: Settings) -> set[tuple[str, str, str, str, str]]:
    return {
        (one.scope, one.name, one.period, f"{one.limit}", one.currency)
        for one in settings.money.plan.budgets
    }


WHOLE = """
[budget]
day = "5 CNY"
month = ["100 CNY", "12.50 USD"]
timezone = "Europe/Berlin"
ask_above = "2 CNY"
[budget.tokens.web]
day = "1 CNY"
[budget.users."Ada@Example.org"]
month = "20 CNY"
"""


def test_a_whole_section_is_understood(root: Path) -> None:
    settings = settings_of(root, WHOLE)
    assert settings.problems == ()
    assert limits(settings) == {
        ("studio", "", "day", "5", "CNY"),
        ("studio", "", "month", "100", "CNY"),
        ("studio", "", "month", "12.50", "USD"),
        ("token", "web", "day", "1", "CNY"),
        ("user", "ada@example.org", "month", "20", "CNY"),
    }
    money = settings.money
    assert (money.plan.zone, money.plan.is_broken) == ("Europe/Berlin", False)
    assert money.ask_above == {"CNY": Decimal(2)}


@pytest.mark.parametrize(
    ("words", "amount", "currency"),
    [
        ("5 CNY", "5", "CNY"),
        ("5CNY", "5", "CNY"),
        (" 5.5  cny ", "5.5", "CNY"),
        ("CNY 5", "5", "CNY"),
        ("¥5", "5", "CNY"),
        ("￥5", "5", "CNY"),
        ("5元", "5", "CNY"),
        ("5 RMB", "5", "CNY"),
        ("$0.25", "0.25", "USD"),
        ("1,000 CNY", "1000", "CNY"),
        ("0 CNY", "0", "CNY"),
        ("3 PRACTICE", "3", "PRACTICE"),
    ],
)
def test_amounts_as_people_write_them(root: Path, words: str, amount: str, currency: str) -> None:
    settings = settings_of(root, f'[budget]\nday = "{words}"\n')
    assert settings.problems == ()
    assert settings.money.plan.budgets == (Budget("studio", "", "day", Decimal(amount), currency),)


@pytest.mark.parametrize(
    "value",
    ['"5"', "5", '"-5 CNY"', '"five CNY"', '"5 CNY USD"', "true", '["5 CNY", "6 CNY"]', '"nan CNY"',
     '"0,5 CNY"', '"1,5 CNY"', '"1,0000 CNY"',
     '"1e3 CNY"', '{ cny = 5 }', '["5 CNY", 5]', '"99999999 CNY"', '"5 人民"'],
)  # fmt: skip
def test_a_budget_that_cannot_be_read_is_named_and_stops_spending(root: Path, value: str) -> None:
    settings = settings_of(root, f"[budget]\nday = {value}\n")
    (problem,) = settings.problems
    assert problem.key == "[budget] day"
    assert "5 CNY" in problem.sentence("zh")
    assert settings.money.plan.is_broken
    assert settings.money.plan.budgets == ()
    assert settings.chat is not None


@pytest.mark.parametrize(
    ("secrets", "key", "is_broken"),
    [
        ("budget = 5\n", "[budget]", True),
        ("[budget]\ntokens = 5\n", "[budget.tokens]", True),
        ('[budget]\ndaily = "5 CNY"\n', "[budget] daily", True),
        ('[budget.tokens.web]\nweek = "5 CNY"\n', '[budget.tokens."web"] week', True),
        ("[budget.tokens]\nweb = 5\n", '[budget.tokens."web"]', True),
        ('[budget]\ntimezone = "Mars/Olympus"\n', "[budget] timezone", False),
        ("prices = 5\n", "[prices]", False),
        ("[prices]\nchat = 5\n", "[[prices.chat]] 1", False),
        ('[[prices.chat]]\nmodel = "m"\n', "[[prices.chat]] 1", False),
        ('[[prices.images]]\nmodel = "m"\neach = -1\n', "[[prices.images]] 1", False),
        ('[[prices.images]]\nmodel = "m"\neach = inf\n', "[[prices.images]] 1", False),
        ('[[prices.images]]\nmodel = ""\neach = 1\n', "[[prices.images]] 1", False),
    ],
)
def test_what_else_cannot_be_read_is_named(
    root: Path, secrets: str, key: str, is_broken: bool
) -> None:
    settings = settings_of(root, secrets)
    assert [problem.key for problem in settings.problems] == [key]
    assert settings.money.plan.is_broken is is_broken


def test_the_environment_stands_above_the_file(root: Path) -> None:
    settings = settings_of(root, WHOLE, INKLING_BUDGET_DAY="9 CNY; 1 USD")
    assert settings.problems == ()
    days = {one for one in limits(settings) if one[0] == "studio" and one[2] == "day"}
    assert days == {("studio", "", "day", "9", "CNY"), ("studio", "", "day", "1", "USD")}


def test_prices_of_the_owners(root: Path) -> None:
    settings = settings_of(
        root,
        """
        [[prices.chat]]
        model = "mine"
        currency = "usd"
        input_hit = 0.01
        input_miss = "0.1"
        output = 1
        [[prices.images]]
        model = "kling-v3"
        resolution = "2K"
        each = 0.3
        """,
    )
    assert settings.problems == ()
    (chat,), (picture,) = settings.money.prices.own_chat, settings.money.prices.own_pieces
    assert (chat.models, chat.currency, chat.peak) == (("mine",), "USD", None)
    assert chat.off_peak.input_hit == Decimal("0.01")
    assert picture.each == {"CNY": Decimal("0.3")}
    assert picture.fits("image", "kling-v3", {"resolution": "2k", "has_image": False}, None)
    assert not picture.fits("image", "kling-v3", {"resolution": "1k", "has_image": False}, None)
