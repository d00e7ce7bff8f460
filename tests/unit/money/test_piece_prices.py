"""core/models/money/prices: pieces against kling.md section 10; unknown is never nothing."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from core.models.kling_catalogue import IMAGE_MODELS, ImageModel
from core.models.money.prices import PIECE_PRICES, PRICES

# Model, resolution, and the units from text and from a picture: rows of kling.md section 10.
ROWS = [
    ("kling-v1", "1k", 1, 1),
    ("kling-v1-5", "1k", 4, 8),
    ("kling-v2", "1k", 4, 8),
    ("kling-v2", "2k", 4, 8),
    ("kling-v2-new", "1k", None, 8),
    ("kling-v2-1", "1k", 4, 8),
    ("kling-v2-1", "2k", 4, 8),
    ("kling-v3", "1k", 8, 8),
    ("kling-v3", "2k", 8, 8),
    ("kling-v3", "4k", None, None),
    ("kling-image-o1", "1k", 8, 8),
    ("kling-image-o1", "2k", 8, 8),
    ("kling-v3-omni", "1k", 8, 8),
    ("kling-v3-omni", "2k", 8, 8),
    ("kling-v3-omni", "4k", 16, 16),
    ("kling-image-4.0", "2k", None, None),
]


@pytest.mark.parametrize(("model", "resolution", "from_text", "from_picture"), ROWS)
def test_a_picture_costs_what_the_reference_says(
    model: str, resolution: str, from_text: int | None, from_picture: int | None
) -> None:
    for has_image, units in ((False, from_text), (True, from_picture)):
        facts = {"has_image": has_image, "resolution": resolution, "prompt": "told, not asked for"}
        price = PRICES.pieces("image", model, facts)
        assert (None if price is None else price.units) == units


def test_units_cost_what_they_cost_in_each_currency() -> None:
    facts = {"has_image": False, "resolution": "1k"}
    price = PRICES.pieces("image", "kling-v2-1", facts)
    assert price is not None
    assert (price.package, price.read_on) == ("image", date(2026, 8, 13))
    assert price.amount("CNY") == Decimal("0.1")
    assert price.amount("CNY", pieces=9) == Decimal("0.9")
    assert price.amount("USD") == Decimal("0.014")
    assert price.amount("EUR") is None


def test_what_nobody_wrote_down_is_unknown() -> None:
    facts = {"has_image": False, "resolution": "1k"}
    assert PRICES.pieces("image", "kling-v2-1", {"resolution": "1k"}) is None  # not told
    assert PRICES.pieces("video", "kling-v3", facts) is None
    assert all(price.units and price.units > 0 for price in PIECE_PRICES)


def test_no_price_is_hidden_behind_another() -> None:
    for price in PIECE_PRICES:
        values = {name: among[0] for name, among in price.when.items()}
        assert PRICES.pieces(price.kind, price.model, values) == price


@pytest.mark.parametrize("model", IMAGE_MODELS, ids=lambda model: model.name)
def test_all_that_the_form_offers_has_a_price(model: ImageModel) -> None:
    for has_image in (False, True):
        if has_image or model.text_to_image:
            for resolution in model.resolutions_for(has_image=has_image):
                facts = {"has_image": has_image, "resolution": resolution}
                assert PRICES.pieces("image", model.name, facts) is not None


def test_a_stopped_model_has_a_price_until_it_was_stopped() -> None:
    facts = {"has_image": False, "resolution": "1k"}
    before, after = datetime(2026, 9, 15, 12, tzinfo=UTC), datetime(2026, 9, 16, tzinfo=UTC)
    assert PRICES.pieces("image", "kling-v2", facts, before) is not None
    assert PRICES.pieces("image", "kling-v2", facts, after) is None
    assert PRICES.pieces("image", "kling-v2-1", facts, after) is not None
