"""The bill of a line adds up to what the ledger settled."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from core.models.money.arithmetic import terms_of
from core.models.money.ledger import LedgerLine, LineState
from core.models.money.prices import CHAT_PRICES, PriceList

PRICE = next(one for one in CHAT_PRICES if one.peak is not None)
LINE = LedgerLine(
    id="a",
    at=datetime(2026, 11, 28, tzinfo=UTC),
    kind="chat",
    state=LineState.COMPUTED,
    provider="deepseek",
    model=PRICE.models[0],
    owner="local",
    caller="page",
    origin="page",
    currency=PRICE.currency,
    amount=None,
    price_id=PRICE.id,
    hour="peak",
    hit=1_000,
    miss=250,
    completion=4_000,
)


def test_the_terms_of_an_answer_make_its_cost() -> None:
    terms = terms_of(LINE, PriceList())
    assert [one.name for one in terms] == ["hit", "miss", "completion"]
    cost = PRICE.rates("peak").cost(hit=1_000, miss=250, completion=4_000)
    assert sum(one.amount for one in terms) == cost
    assert [one.rate for one in terms][2] == PRICE.rates("peak").output


def test_pictures_are_counted_by_the_piece() -> None:
    line = replace(LINE, kind="image", pieces=4, amount=Decimal("0.80"))
    (term,) = terms_of(line, PriceList())
    assert (term.count, term.rate, term.amount) == (4, Decimal("0.2"), Decimal("0.80"))


def test_what_is_not_known_is_not_worked_out() -> None:
    assert terms_of(replace(LINE, price_id="gone"), PriceList()) == ()
    assert terms_of(replace(LINE, hour=None), PriceList()) == ()
