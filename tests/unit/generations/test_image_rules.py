"""core/models/image_rules: every rule of kling.md section 3, before anything is sent."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.errors import InputError
from core.models.generations import ImageRequest
from core.models.image_rules import REFERENCE_MOST_BYTES, ReferenceFacts
from core.models.kinds import check_request
from core.models.kling_catalogue import (
    ALL_RATIOS,
    IMAGE_MODELS,
    OFFERED_MODELS,
    ImageModel,
    find_image_model,
    offered_model,
)
from core.models.money.prices import PIECE_PRICES
from core.models.pictures.rules import PROMPT_LIMIT, count_characters

MODELS = [model.name for model in IMAGE_MODELS]
PICTURE = ReferenceFacts(size_bytes=1_000_000, format="PNG", width=1024, height=768)


def ask(**fields: Any) -> ImageRequest:
    return ImageRequest(**({"prompt": "一只猫"} | fields))


def refusal(request: ImageRequest, reference: ReferenceFacts | None = None) -> InputError:
    with pytest.raises(InputError) as caught:
        check_request(request, [] if reference is None else [reference])
    return caught.value


@pytest.mark.parametrize("model", MODELS)
def test_every_model_takes_what_its_row_offers(model: str) -> None:
    row = find_image_model(model)
    assert row is not None
    for has_image in (False, True):
        if not (has_image or row.text_to_image):
            continue
        request = ask(
            model_name=model,
            has_image=has_image,
            image_reference="subject" if has_image and row.needs_image_reference else None,
        )
        for ratio in row.ratios_for(has_image=has_image) or ("1:1",):
            for resolution in row.resolutions_for(has_image=has_image):
                check_request(
                    replace(request, aspect_ratio=ratio, resolution=resolution),
                    [PICTURE] if has_image else [],
                )


@pytest.mark.parametrize(
    ("fields", "field", "text_id"),
    [
        ({"prompt": ""}, "prompt", "error.prompt_empty"),
        ({"prompt": " \n\u3000"}, "prompt", "error.prompt_empty"),
        ({"prompt": "字" * 2501}, "prompt", "error.prompt_too_long"),
        ({"negative_prompt": "x" * 2501}, "negative_prompt", "error.negative_prompt_too_long"),
        ({"n": 0}, "n", "error.image_count"),
        ({"n": 10}, "n", "error.image_count"),
        ({"n": True}, "n", "error.image_count"),
        ({"model_name": "kling-v3-omni"}, "model_name", "error.image_model_unknown"),
        ({"model_name": "kling-v2-new"}, "model_name", "error.image_model_needs_image"),
        ({"aspect_ratio": "5:4"}, "aspect_ratio", "error.image_ratio"),
        ({"aspect_ratio": "auto"}, "aspect_ratio", "error.image_ratio"),
        (
            {"model_name": "kling-v1", "aspect_ratio": "21:9"},
            "aspect_ratio",
            "error.image_ratio",
        ),
        ({"model_name": "kling-v1", "resolution": "2k"}, "resolution", "error.image_resolution"),
        ({"model_name": "kling-v1-5", "resolution": "2k"}, "resolution", "error.image_resolution"),
        ({"resolution": "4k"}, "resolution", "error.image_resolution"),
        (
            {"model_name": "kling-v2-1", "image_reference": "face"},
            "image_reference",
            "error.field_needs_image",
        ),
        (
            {"model_name": "kling-v2-1", "image_fidelity": 0.5},
            "image_fidelity",
            "error.field_needs_image",
        ),
        (
            {"model_name": "kling-v2-1", "element_ids": (1,)},
            "element_ids",
            "error.field_not_offered",
        ),
        (
            {"element_ids": tuple(range(11))},
            "element_ids",
            "error.too_many_references",
        ),
        ({"callback_url": "ftp://host/x"}, "callback_url", "error.callback_url"),
    ],
)
def test_without_a_picture_it_refuses(fields: dict[str, Any], field: str, text_id: str) -> None:
    error = refusal(ask(**fields))
    assert (error.field, error.text_id) == (field, text_id)
    assert "{" not in str(error)


@pytest.mark.parametrize(
    ("fields", "field", "text_id"),
    [
        ({"negative_prompt": "x"}, "negative_prompt", "error.negative_prompt_with_image"),
        ({"image_reference": "face"}, "image_reference", "error.field_not_offered"),
        ({"model_name": "kling-v1-5"}, "image_reference", "error.image_reference_required"),
        (
            {"model_name": "kling-v1-5", "image_reference": "hand"},
            "image_reference",
            "error.image_reference_unknown",
        ),
        (
            {"model_name": "kling-v1", "image_reference": "subject"},
            "image_reference",
            "error.field_not_offered",
        ),
        (
            {"model_name": "kling-v2", "resolution": "2k"},
            "resolution",
            "error.image_resolution",
        ),
        (
            {"model_name": "kling-v2-new", "resolution": "2k"},
            "resolution",
            "error.image_resolution",
        ),
        ({"image_fidelity": 0.5}, "image_fidelity", "error.field_not_offered"),
        ({"human_fidelity": 0.5}, "human_fidelity", "error.field_not_offered"),
        (
            {"model_name": "kling-v1", "image_fidelity": 1.01},
            "image_fidelity",
            "error.field_not_a_share",
        ),
        (
            {"model_name": "kling-v1", "image_fidelity": float("nan")},
            "image_fidelity",
            "error.field_not_a_share",
        ),
        (
            {"model_name": "kling-v2-1", "human_fidelity": 0.5},
            "human_fidelity",
            "error.human_fidelity_needs_subject",
        ),
        (
            {"model_name": "kling-v2-1", "human_fidelity": 0.5, "image_reference": "face"},
            "human_fidelity",
            "error.human_fidelity_needs_subject",
        ),
        (
            {"model_name": "kling-v1-5", "human_fidelity": -0.1, "image_reference": "subject"},
            "human_fidelity",
            "error.field_not_a_share",
        ),
        ({"element_ids": tuple(range(10))}, "element_ids", "error.too_many_references"),
    ],
)
def test_with_a_picture_it_refuses(fields: dict[str, Any], field: str, text_id: str) -> None:
    error = refusal(ask(has_image=True, **fields), PICTURE)
    assert (error.field, error.text_id) == (field, text_id)
    assert "{" not in str(error)


@pytest.mark.parametrize(
    ("change", "text_id"),
    [
        ({"format": "WEBP"}, "error.reference_format"),
        ({"format": ""}, "error.reference_format"),
        ({"size_bytes": REFERENCE_MOST_BYTES + 1}, "error.reference_too_large"),
        ({"width": 299}, "error.reference_too_small"),
        ({"height": 299}, "error.reference_too_small"),
        ({"width": 751, "height": 300}, "error.reference_too_narrow"),
        ({"width": 300, "height": 751}, "error.reference_too_narrow"),
    ],
)
def test_a_reference_kling_would_not_take_is_refused(change: dict[str, Any], text_id: str) -> None:
    error = refusal(ask(has_image=True), replace(PICTURE, **change))
    assert (error.field, error.text_id) == ("image", text_id)
    assert "{" not in str(error)


@pytest.mark.parametrize(
    "change",
    [
        {"format": "JPEG"},
        {"format": "mpo"},
        {"size_bytes": REFERENCE_MOST_BYTES},
        {"width": 300, "height": 300},
        {"width": 750, "height": 300},
        {"width": 300, "height": 750},
    ],
)
def test_a_reference_just_within_the_bounds_is_taken(change: dict[str, Any]) -> None:
    check_request(ask(has_image=True), [replace(PICTURE, **change)])


def test_a_request_that_promises_a_picture_needs_one() -> None:
    assert refusal(ask(has_image=True)).text_id == "error.reference_missing"


@pytest.mark.parametrize(
    "fields",
    [
        {"prompt": "字" * PROMPT_LIMIT},
        {"prompt": "🎨" * PROMPT_LIMIT},
        {"negative_prompt": "x" * PROMPT_LIMIT},
        {"n": 9, "aspect_ratio": "21:9", "resolution": "2k", "watermark": True},
        {"element_ids": tuple(range(10))},
        {"element_ids": tuple(range(9)), "has_image": True},
        {"callback_url": "https://example.org/kling"},
        {
            "model_name": "kling-v1-5",
            "has_image": True,
            "image_reference": "subject",
            "image_fidelity": 0,
            "human_fidelity": 1,
        },
        {"model_name": "kling-v2-new", "has_image": True, "aspect_ratio": "21:9"},
    ],
)
def test_what_lies_within_the_rules_passes(fields: dict[str, Any]) -> None:
    check_request(ask(**fields), [PICTURE] if fields.get("has_image") else [])


def test_the_facts_carry_the_figures() -> None:
    error = refusal(ask(prompt="字" * 2501))
    assert error.facts == {"count": 2501, "limit": 2500}


def test_characters_are_code_points() -> None:
    assert count_characters("猫🎨a") == 3


def test_only_the_oldest_model_lacks_the_widest_ratio() -> None:
    lacking = [model.name for model in IMAGE_MODELS if model.ratios != ALL_RATIOS]
    assert lacking == ["kling-v1"]


def test_stopped_models_are_those_whose_price_ends_and_have_a_living_successor() -> None:
    until = {price.model: price.until for price in PIECE_PRICES if price.until is not None}
    stopped = [model for model in IMAGE_MODELS if model.stopped_on is not None]
    assert sorted(until) == sorted(model.name for model in stopped)
    for model in stopped:
        last = until[model.name]
        assert not model.is_stopped(last)
        assert model.is_stopped(last + timedelta(seconds=1))
        assert offered_model(model.name).name == model.successor
        assert offered_model(model.name) in OFFERED_MODELS


@pytest.mark.parametrize("model", OFFERED_MODELS, ids=lambda model: model.name)
def test_what_is_offered_is_not_stopped_and_stays(model: ImageModel) -> None:
    assert not model.is_stopped(datetime(2030, 1, 1, tzinfo=UTC))
    assert offered_model(model.name) is model


def test_an_unknown_model_becomes_the_default() -> None:
    assert offered_model("kling-v9").name == "kling-v3"


def test_a_refused_model_is_told_what_is_offered_now() -> None:
    offered = refusal(ask(model_name="kling-v9")).facts["offered"]
    assert offered == "kling-v3, kling-v2-1, kling-v1"
