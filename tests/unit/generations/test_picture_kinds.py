"""Kinds of pictures beside the plain one: their rules, what is sent for them, and their prices."""

import base64
from typing import Any

import pytest

from core.errors import InputError
from core.models.generations import GenerationRequest, ImageRequest, ReferenceImage
from core.models.image_rules import ReferenceFacts
from core.models.kinds import KINDS, check_request
from core.models.money.prices import PRICES
from core.models.pictures.expand import ExpandRequest, centred, least_area
from core.models.pictures.mentions import for_kling, mentioned
from core.models.pictures.multi import MultiRequest
from core.models.pictures.omni import OmniRequest
from core.models.speech import SpeechRequest
from core.providers.kling.endpoints import ENDPOINTS
from core.providers.kling.wire import task_from_json

PICTURES = [ReferenceImage(bytes([number]), "image/png") for number in range(10)]
FACTS = ReferenceFacts(1000, "PNG", 800, 600)


def bare(number: int) -> str:
    return base64.b64encode(PICTURES[number].content).decode()


def refused(request: GenerationRequest) -> tuple[str, str]:
    with pytest.raises(InputError) as caught:
        check_request(request, [FACTS] * request.reference_count)
    assert "{" not in str(caught.value)
    return caught.value.field, caught.value.text_id


def sent(request: GenerationRequest) -> dict[str, Any]:
    check_request(request, [FACTS] * request.reference_count)
    return ENDPOINTS[request.kind].body(request, PICTURES[: request.reference_count])


def omni(**fields: Any) -> OmniRequest:
    return OmniRequest(**{"prompt": "一只猫", "model_name": "kling-v3-omni"} | fields)


def expand(**fields: Any) -> ExpandRequest:
    return ExpandRequest(**{"up": 0.25, "down": 0.25} | fields)


def multi(**fields: Any) -> MultiRequest:
    return MultiRequest(**{"subject_count": 1} | fields)


OMNI_REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"prompt": " "}, "prompt", "error.prompt_empty"),
    ({"prompt": "x" * 2501}, "prompt", "error.prompt_too_long"),
    # `@图1` is three signs here and thirteen at Kling.
    ({"prompt": "@图1" + "x" * 2490, "image_count": 1}, "prompt", "error.prompt_too_long"),
    ({"model_name": "kling-v3"}, "model_name", "error.image_model_unknown"),
    ({"aspect_ratio": "5:4"}, "aspect_ratio", "error.image_ratio"),
    ({"resolution": "8k"}, "resolution", "error.image_resolution"),
    (
        {"resolution": "4k", "model_name": "kling-image-o1"},
        "resolution",
        "error.image_resolution",
    ),
    ({"n": 0}, "n", "error.image_count"),
    ({"n": 10}, "n", "error.image_count"),
    ({"is_series": True, "n": 1}, "series_amount", "error.series_amount"),
    ({"is_series": True, "n": 10}, "series_amount", "error.series_amount"),
    ({"is_auto": True}, "series_amount", "error.series_amount"),
    (
        {"is_series": True, "n": 3, "model_name": "kling-image-o1"},
        "result_type",
        "error.field_not_offered",
    ),
    ({"image_count": 11}, "image_list", "error.too_many_references"),
    ({"image_count": 9, "element_ids": (1, 2)}, "image_list", "error.too_many_references"),
    ({"prompt": "@image2", "image_count": 1}, "prompt", "error.mentioned_missing"),
    ({"prompt": "<<<element_1>>>"}, "prompt", "error.mentioned_missing"),
    ({"callback_url": "ftp://x"}, "callback_url", "error.callback_url"),
]


@pytest.mark.parametrize(("fields", "field", "text_id"), OMNI_REFUSED)
def test_an_omni_picture_kling_would_not_take_is_refused(
    fields: dict[str, Any], field: str, text_id: str
) -> None:
    assert refused(omni(**fields)) == (field, text_id)


def test_an_omni_picture_is_asked_for_with_its_references_in_their_order() -> None:
    request = omni(
        prompt="把@图2里的人放进 @image1, with @element1",
        image_count=2,
        element_ids=(2**60,),
        n=3,
        resolution="4k",
        watermark=True,
    )
    assert sent(request) == {
        "model_name": "kling-v3-omni",
        "prompt": "把<<<image_2>>>里的人放进 <<<image_1>>>, with <<<element_1>>>",
        "aspect_ratio": "auto",
        "resolution": "4k",
        "n": 3,
        "image_list": [{"image": bare(0)}, {"image": bare(1)}],
        "element_list": [{"element_id": 2**60}],
        "watermark_info": {"enabled": True},
    }
    assert (request.slots, request.n_least) == (3, 3)


@pytest.mark.parametrize(
    ("fields", "field", "text_id"),
    [
        ({"has_image": False}, "image", "error.reference_missing"),
        ({"prompt": "x" * 2501}, "prompt", "error.prompt_too_long"),
        ({"n": 10}, "n", "error.image_count"),
        ({"up": -0.1}, "up_expansion_ratio", "error.expand_side"),
        ({"right": 2.1}, "right_expansion_ratio", "error.expand_side"),
        ({"up": float("nan")}, "up_expansion_ratio", "error.expand_side"),
        ({"up": 1.0, "down": 1.1}, "area", "error.expand_area"),
        ({"up": 0.0, "down": 0.0}, "area", "error.expand_nothing"),
    ],
)
def test_an_expansion_kling_would_not_take_is_refused(
    fields: dict[str, Any], field: str, text_id: str
) -> None:
    assert refused(expand(**fields)) == (field, text_id)


def test_an_expansion_tells_all_four_sides() -> None:
    assert sent(expand(up=1.0, down=1.0, n=2)) == {
        "image": bare(0),
        "n": 2,
        "up_expansion_ratio": 1.0,
        "down_expansion_ratio": 1.0,
        "left_expansion_ratio": 0.0,
        "right_expansion_ratio": 0.0,
    }


@pytest.mark.parametrize("size", [(1024, 1024), (1600, 900), (301, 752), (999, 1777)])
@pytest.mark.parametrize("ratio", [1.0, 16 / 9, 9 / 16, 21 / 9])
def test_a_frame_has_the_shape_and_area_that_were_asked_for(
    size: tuple[int, int], ratio: float
) -> None:
    least = least_area(*size, ratio)
    for area in (least, (least + 3) / 2, 3.0):
        if least > 3 or area <= 1:
            continue
        sides = centred(*size, ratio, area)
        width, height = size[0] * (1 + 2 * sides.left), size[1] * (1 + 2 * sides.up)
        assert width / height == pytest.approx(ratio, rel=1e-3)
        assert area - 0.002 <= sides.area <= area + 1e-9
        check_request(
            ExpandRequest(up=sides.up, down=sides.down, left=sides.left, right=sides.right),
            [FACTS],
        )


@pytest.mark.parametrize(
    ("fields", "field", "text_id"),
    [
        ({"subject_count": 0}, "subject_image_list", "error.subject_count"),
        ({"subject_count": 5}, "subject_image_list", "error.subject_count"),
        ({"model_name": "kling-v2"}, "model_name", "error.image_model_unknown"),
        ({"aspect_ratio": "auto"}, "aspect_ratio", "error.image_ratio"),
        ({"n": 0}, "n", "error.image_count"),
    ],
)
def test_subjects_kling_would_not_take_are_refused(
    fields: dict[str, Any], field: str, text_id: str
) -> None:
    assert refused(multi(**fields)) == (field, text_id)


def test_subjects_scene_and_style_go_to_their_own_fields() -> None:
    body = sent(multi(prompt="跳舞", subject_count=2, has_scene=True, has_style=True))
    assert body["subject_image_list"] == [{"subject_image": bare(0)}, {"subject_image": bare(1)}]
    assert (body["scene_image"], body["style_image"]) == (bare(2), bare(3))
    style = sent(multi(has_style=True))
    assert (style["style_image"], "scene_image" in style) == (bare(1), False)


@pytest.mark.parametrize("kind", [ImageRequest, OmniRequest])
def test_a_model_that_is_not_known_can_be_typed(kind: type[ImageRequest | OmniRequest]) -> None:
    named = kind("x", model_name="kling-v9.1", is_typed=True)
    assert sent(named)["model_name"] == "kling-v9.1"
    assert PRICES.pieces(*named.price_key, named.price_facts) is None
    for name in ("kling-v9.1 ", "../x", "KLING"):
        assert refused(kind("x", model_name=name, is_typed=True))[0] == "model_name"
    assert refused(kind("x", model_name="kling-v9.1"))[0] == "model_name"  # a slip, over HTTP


def test_a_series_has_an_amount_in_place_of_a_number() -> None:
    three = sent(omni(is_series=True, n=3))
    assert (three["result_type"], three["series_amount"], "n" in three) == ("series", 3, False)
    open_end = omni(is_series=True, is_auto=True, n=9)
    assert sent(open_end)["series_amount"] == "auto"
    assert (open_end.slots, open_end.n_least) == (9, 2)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("@image1", "<<<image_1>>>"),
        ("@Image 12!", "<<<image_12>>>!"),
        ("在@图片3中", "在<<<image_3>>>中"),
        ("@主体2", "<<<element_2>>>"),
        ("<<<image_1>>>", "<<<image_1>>>"),
        ("me@image1.example", "me@image1.example"),
        ("@image123", "@image123"),
        ("@imagine1", "@imagine1"),
    ],
)
def test_a_reference_is_named_as_people_write_it(written: str, read: str) -> None:
    assert for_kling(written) == read
    assert for_kling(read) == read
    assert mentioned(written) == mentioned(read)


def test_files_of_a_series_stand_in_a_list_of_their_own() -> None:
    links = [{"index": index, "url": f"https://x/{index}"} for index in (1, 0)]
    for result in ({"images": [], "series_images": links}, {"images": links}):
        told = {"task_id": "T", "task_status": "succeed", "task_result": result}
        task = task_from_json(told, "omni")
        assert task is not None
        assert [(one.index, one.url) for one in task.images] == [
            (0, "https://x/0"),
            (1, "https://x/1"),
        ]
    both = {"images": links, "series_images": links}
    task = task_from_json({"task_id": "T", "task_status": "succeed", "task_result": both}, "omni")
    assert task is not None
    assert [one.index for one in task.images] == [0, 1, 2, 3]


# Units a picture: the table of money.md section 2.3.
PRICED: list[tuple[GenerationRequest, int | None]] = [
    (omni(model_name="kling-image-o1"), 8),
    (omni(model_name="kling-image-o1", resolution="2k"), 8),
    (omni(), 8),
    (omni(resolution="2k", image_count=10), 8),
    (omni(resolution="4k"), 16),
    (omni(model_name="kling-image-4.0"), None),
    (expand(), 8),
    (multi(), 16),
]


@pytest.mark.parametrize(("request_", "units"), PRICED)
def test_a_kind_costs_what_the_table_says(request_: GenerationRequest, units: int | None) -> None:
    price = PRICES.pieces(*request_.price_key, request_.price_facts)
    assert (None if price is None else price.units) == units


def test_every_kind_stands_in_every_room() -> None:
    assert KINDS.keys() == ENDPOINTS.keys()
    # Two have tables of their own: plain pictures, and what is read aloud.
    elsewhere = {"image", SpeechRequest.kind}
    assert {kind for kind in KINDS} <= {request.kind for request, _ in PRICED} | elsewhere
