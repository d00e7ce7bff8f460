"""core/models/money: the table of prices against kling.md section 10; unknown is never nothing."""

from datetime import date
from decimal import Decimal

import pytest

from core.models.kling_catalogue import IMAGE_MODELS, ImageModel
from core.models.money import PRICES, find_price

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
        price = find_price("kling", "image", model, facts)
        assert (None if price is None else price.units) == units


def test_units_cost_what_they_cost_in_each_currency() -> None:
    facts = {"has_image": False, "resolution": "1k"}
    price = find_price("kling", "image", "kling-v2-1", facts)
    assert price is not None
    assert (price.package, price.read_on) == ("image", date(2026, 8, 13))
    assert price.amount("CNY") == Decimal("0.1")
    assert price.amount("CNY", pieces=9) == Decimal("0.9")
    assert price.amount("USD") == Decimal("0.014")
    assert price.amount("EUR") is None


def test_what_nobody_wrote_down_is_unknown() -> None:
    facts = {"has_image": False, "resolution": "1k"}
    assert find_price("kling", "image", "kling-v2-1", {"resolution": "1k"}) is None  # not told
    assert find_price("kling", "video", "kling-v3", facts) is None
    assert find_price("another", "image", "kling-v3", facts) is None
    assert all(price.units > 0 for price in PRICES)


def test_no_price_is_hidden_behind_another() -> None:
    for price in PRICES:
        values = {name: among[0] for name, among in price.when.items()}
        assert find_price(price.provider, price.kind, price.model, values) == price


@pytest.mark.parametrize("model", IMAGE_MODELS, ids=lambda model: model.name)
def test_all_that_the_form_offers_has_a_price(model: ImageModel) -> None:
    for has_image in (False, True):
        if has_image or model.text_to_image:
            for resolution in model.resolutions_for(has_image=has_image):
                facts = {"has_image": has_image, "resolution": resolution}
                assert find_price("kling", "image", model.name, facts) is not None
