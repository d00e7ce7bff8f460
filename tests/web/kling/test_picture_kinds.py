"""Kinds of pictures over HTTP: what practice takes and refuses, and that each is paid once."""

import base64
import io
import time
from typing import Any

import httpx
import pytest
from PIL import Image

from core.practice import PRACTICE_KLING_API_KEY, PracticeServer, PracticeSettings

SETTINGS = PracticeSettings(submitted_s=0, processing_s=0, picture_pixels=96, concurrent_pictures=9)
KEY = {"authorization": f"Bearer {PRACTICE_KLING_API_KEY}"}
OMNI = "/v1/images/omni-image"


def encoded(width: int = 400, height: int = 300) -> str:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), "teal").save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


@pytest.fixture(scope="module")
def practice() -> Any:
    with (
        PracticeServer(settings=SETTINGS) as server,
        httpx.Client(base_url=server.origin, headers=KEY, timeout=10) as client,
    ):
        yield client


def made(client: httpx.Client, path: str, **body: Any) -> dict[str, Any]:
    """Post a body; return the task once it has ended."""
    reply = client.post(path, json={"prompt": "山"} | body).json()
    assert reply["code"] == 0, reply
    task_id = reply["data"]["task_id"]
    for _ in range(100):
        task: dict[str, Any] = client.get(f"{path}/{task_id}").json()["data"]
        if task["task_status"] == "succeed":
            return task
        time.sleep(0.02)
    raise AssertionError("it never ended")


def size_of(client: httpx.Client, link: dict[str, Any]) -> tuple[int, int]:
    return Image.open(io.BytesIO(client.get(link["url"]).content)).size


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"prompt": ""}, "prompt"),
        ({"model_name": "kling-v3"}, "model_name"),
        ({"image_list": ["x"]}, "image_list"),
        ({"image_list": [{"image": "data:image/png;base64,AAAA"}]}, "image"),
        ({"image_list": [{"image": encoded(200, 400)}]}, "image"),
        ({"element_list": [{"element_id": one} for one in range(11)]}, "element_list"),
        ({"prompt": "<<<image_1>>>"}, "prompt"),
        ({"resolution": "4k"}, "resolution"),
        ({"result_type": "series"}, "result_type"),
        ({"result_type": "series", "model_name": "kling-v3-omni", "series_amount": 1}, "series"),
        ({"aspect_ratio": "5:4"}, "aspect_ratio"),
        ({"n": 10}, "n"),
    ],
)
def test_practice_refuses_what_kling_would(
    practice: httpx.Client, body: dict[str, Any], field: str
) -> None:
    reply = practice.post(OMNI, json={"prompt": "山"} | body)
    assert (reply.status_code, reply.json()["code"]) == (400, 1201)
    assert field in reply.json()["message"]


def test_practice_draws_a_series_and_lists_it_at_its_own_path(practice: httpx.Client) -> None:
    series = {"model_name": "kling-v3-omni", "result_type": "series", "series_amount": "auto"}
    task = made(practice, OMNI, image_list=[{"image": encoded()}], **series)
    result = task["task_result"]
    assert (result["result_type"], result["images"], len(result["series_images"])) == (
        "series",
        [],
        4,
    )
    assert task["final_unit_deduction"] == "32"
    assert size_of(practice, result["series_images"][3]) == (96, 72)  # as the picture is
    assert [one["task_id"] for one in practice.get(OMNI).json()["data"]] == [task["task_id"]]
    other = practice.get(f"/v1/images/generations/{task['task_id']}")
    assert (other.status_code, other.json()["code"]) == (404, 1203)
