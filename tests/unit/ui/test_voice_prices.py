"""What a voice costs stands beside it as in the ledger: in the currency that is billed."""

from decimal import Decimal
from types import SimpleNamespace

import pytest

from core.models.money.prices import PiecePrice, PriceList
from core.settings.money import MoneySettings
from core.ui import session
from core.ui.chat.answer import reading
from core.work.money.spending import Spending

OWN = PiecePrice("settings/speech", "speech", "kling-tts", {"EUR": Decimal("0.5")})


@pytest.mark.parametrize(
    ("billed", "own", "shown"), [("CNY", (), "¥"), ("USD", (), "$"), ("CNY", (OWN,), "0.50 EUR")]
)
def test_a_voices_price_is_in_the_currency_that_is_billed(
    monkeypatch: pytest.MonkeyPatch, billed: str, own: tuple[PiecePrice, ...], shown: str
) -> None:
    money = MoneySettings(prices=PriceList(own_pieces=own))
    studio = SimpleNamespace(spending=Spending(lambda: money, lambda _provider: billed))
    monkeypatch.setattr(session, "studio", lambda: studio)
    monkeypatch.setattr(session, "owner", lambda: "local")
    monkeypatch.setattr(session, "caller", lambda: "page")
    monkeypatch.setattr(session, "language", lambda: "en")
    monkeypatch.setattr(reading, "text", lambda _id, **facts: str(facts.get("price")))
    assert shown in reading._words("kling:ai_kaiya", reading._kling_price())
