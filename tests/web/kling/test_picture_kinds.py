"""Kinds of pictures over HTTP: what practice takes and refuses, and that each is paid once."""

import base64
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from PIL import Image

from core.errors import InputError
from core.models.generations import GenerationStatus
from core.models.kinds import check_request
from core.practice.server import PracticeServer
from core.practice.settings import (
    PRACTICE_ACCESS_KEY,
    PRACTICE_KLING_API_KEY,
    PRACTICE_SECRET_KEY,
    PracticeSettings,
)
from core.settings import KlingSettings, Secret, Settings
from core.storage.money.filters import LedgerFilter
from core.texts.catalogue import LANGUAGES
from core.web.kling.creates import CREATES, LOOKED_UP, SPEECH_PATH
from core.web.openapi.description import DESCRIPTION
from tests.waiting import until
from tests.web.serving import QUICK, serving, serving_practice

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
        httpx.Client(base_url=server.origin, headers=KEY, timeout=60) as client,
    ):
        yield client


def made(client: httpx.Client, path: str, **body: Any) -> dict[str, Any]:
    """Post a body; return the task once it has ended."""
    reply = client.post(path, json={"prompt": "山"} | body).json()
    assert reply["code"] == 0, reply
    task_id = reply["data"]["task_id"]

    def ended() -> dict[str, Any] | None:
        task: dict[str, Any] = client.get(f"{path}/{task_id}").json()["data"]
        return task if task["task_status"] == "succeed" else None

    task: dict[str, Any] = until(ended, "it ends")
    return task


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


EXPAND = "/v1/images/editing/expand"
MULTI = "/v1/images/multi-image2image"
SHARES = {f"{side}_expansion_ratio": 0.25 for side in ("up", "down", "left", "right")}


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        (EXPAND, SHARES, "image"),
        (EXPAND, {"image": encoded()}, "up_expansion_ratio"),
        (EXPAND, {"image": encoded()} | SHARES | {"up_expansion_ratio": 2.5}, "up_expansion"),
        (EXPAND, {"image": encoded()} | SHARES | {"up_expansion_ratio": 2.0}, "3 times"),
        (MULTI, {}, "subject_image_list"),
        (MULTI, {"subject_image_list": [{"subject_image": encoded()}] * 5}, "subject_image_list"),
        (MULTI, {"subject_image_list": [{"image": encoded()}]}, "subject_image_list"),
        (MULTI, {"model_name": "kling-v2"}, "model_name"),
    ],
)
def test_practice_refuses_expansions_and_subjects_as_kling_would(
    practice: httpx.Client, path: str, body: dict[str, Any], field: str
) -> None:
    reply = practice.post(path, json=body)
    assert (reply.status_code, reply.json()["code"]) == (400, 1201)
    assert field in reply.json()["message"]


def test_practice_makes_the_whole_as_large_as_its_sides_say(practice: httpx.Client) -> None:
    task = made(practice, EXPAND, image=encoded(400, 300), prompt="", **SHARES)
    (link,) = task["task_result"]["images"]
    width, height = size_of(practice, link)
    assert width / height == pytest.approx(400 / 300, rel=0.01)


BODIES: dict[str, dict[str, Any]] = {
    "/v1/images/generations": {"prompt": "一座山", "n": 2},
    OMNI: {
        "prompt": "<<<image_2>>>",
        "image_list": [{"image": encoded()}, {"image": encoded(300, 300)}],
        "model_name": "kling-v3-omni",
        "result_type": "series",
        "series_amount": 3,
    },
    EXPAND: {"image": encoded()} | SHARES,
    MULTI: {"subject_image_list": [{"subject_image": encoded()}], "style_image": encoded()},
}


def test_each_kind_is_bought_once_archived_and_in_the_ledger(tmp_path: Path) -> None:
    """Posted twice under one id: one task, every file here, and the ledger has what was charged."""
    assert BODIES.keys() == LOOKED_UP
    with PracticeServer(settings=QUICK) as server, serving_practice(tmp_path, server) as served:
        store = served.studio.store
        for number, (path, body) in enumerate(BODIES.items()):
            posted = body | {"external_task_id": f"mine-{number}"}
            replies = [served.http.post(f"/kling{path}", json=posted) for _ in range(2)]
            assert [reply.status_code for reply in replies] == [200, 200], replies[0].text
            assert replies[0].json()["data"] == replies[1].json()["data"]
            task_id = replies[0].json()["data"]["task_id"]
            assert served.http.get(f"/kling{path}/{task_id}").json()["data"]["task_id"] == task_id
        until(lambda: not store.generation_lists.list("local", active_only=True).items, "the end")
        made_here = store.generation_lists.list("local").items
        assert [len(one.pictures) for one in reversed(made_here)] == [2, 3, 1, 1]
        assert all(one.status is GenerationStatus.ARCHIVED for one in made_here)
        assert server.counters.tasks_accepted == len(BODIES)
        charged = {line.task.task_id: line.amount for line in server.picture_book}
        lines = store.ledger.every(LedgerFilter())
        assert {line.task_id: line.units for line in lines} == charged
        assert charged[made_here[0].task_id or ""] == 16


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        (OMNI, {"prompt": "x", "image_list": [{"image": "https://x/y.png"}]}, "image_list"),
        (OMNI, {"prompt": "x", "image_list": "y"}, "image_list"),
        (OMNI, {"prompt": "x", "result_type": "film"}, "result_type"),
        (OMNI, {"prompt": "x", "result_type": "series", "series_amount": "many"}, "series_amount"),
        (OMNI, {"prompt": "x", "element_list": [{"element_id": "a"}]}, "element_list"),
        (EXPAND, {"image": encoded()}, "up_expansion_ratio"),
        (EXPAND, {"image": encoded()} | SHARES | {"up_expansion_ratio": "1"}, "up_expansion"),
        (MULTI, {"subject_image_list": [{}]}, "subject_image_list"),
        (
            MULTI,
            {"subject_image_list": [{"subject_image": encoded()}], "scene_image": "!"},
            "scene",
        ),
    ],
)
def test_a_body_that_is_wrong_is_refused_by_the_name_of_its_field(
    path: str, body: dict[str, Any], field: str
) -> None:
    with pytest.raises(InputError) as caught:
        check_request(CREATES[path].read(body).request)
    assert caught.value.field.startswith(field)
    for language in LANGUAGES:
        assert "?" not in caught.value.sentence(language)


def test_a_key_pair_is_told_that_it_cannot_use_the_newer_paths(tmp_path: Path) -> None:
    with PracticeServer(settings=QUICK) as server:
        pair = KlingSettings(
            origin=server.origin,
            access_key=Secret(PRACTICE_ACCESS_KEY),
            secret_key=Secret(PRACTICE_SECRET_KEY),
        )
        settings = Settings(data_dir=tmp_path, kling=pair)
        with serving(tmp_path, settings=settings) as served:
            reply = served.http.post("/kling/text-to-video/kling-3.0", json={})
            assert reply.status_code == 403
            assert "KLING_API_KEY" in reply.json()["message"]
            assert list(served.studio.store.ledger.every(LedgerFilter())) == []
            path = "/kling/v1/images/generations"
            assert served.http.post(path, json={"prompt": "山"}).status_code == 200


# Whole bodies of every create, and what JSON (as Python reads it) can put in place of a value.
EVERY_BODY = {**BODIES, SPEECH_PATH: {"text": "说一句话。", "voice_id": "ai_kaiya"}}
ABSURD = ("9" * 400, "-" + "9" * 400, "1e400", "-1e400", "NaN", "-Infinity", "true", "[1]", "{}")
# What of it a field may well hold: a switch, an entry that no field of it reads, nothing at all.
MEANT = {("watermark_info", one) for one in ("true", "{}", "[1]")} | {("external_task_id", "{}")}


def absurd_bodies(path: str) -> Iterator[tuple[str, str]]:
    """Yield the name of each field of a create and a body that is absurd in it alone."""
    for field in msgspec.structs.fields(CREATES[path].body):
        for absurd in ABSURD:
            if (field.name, absurd) in MEANT:
                continue
            wholes = {field.name: absurd}
            if field.name == "element_list":
                wholes[field.name] = f'[{{"element_id": {absurd}}}]'
            rest = {
                name: json.dumps(value)
                for name, value in EVERY_BODY[path].items()
                if name != field.name
            }
            if field.name == "n":  # which Kling does not look at in a series
                rest["result_type"] = '"single"'
            told = ", ".join(f'"{name}": {value}' for name, value in (rest | wholes).items())
            yield f"{field.name} {absurd[:9]}", f"{{{told}}}"


def test_every_create_refuses_absurd_values_in_klings_shape(tmp_path: Path) -> None:
    assert EVERY_BODY.keys() == CREATES.keys()
    wrong = []
    with PracticeServer(settings=QUICK) as server, serving_practice(tmp_path, server) as served:
        for path in CREATES:
            for named, body in absurd_bodies(path):
                reply = served.http.post(
                    f"/kling{path}", content=body, headers={"content-type": "application/json"}
                )
                told = reply.json()
                is_told = isinstance(told.get("code"), int) and told["code"] and told["message"]
                if not 400 <= reply.status_code < 500 or not is_told or "request_id" not in told:
                    wrong.append((path, named, reply.status_code, reply.text[:200]))
        assert not wrong, wrong
        assert server.counters.tasks_accepted == 0
        assert server.speech_book == ()


def test_openapi_describes_every_create_and_looks_only_where_there_are_any() -> None:
    for path, create in CREATES.items():
        described = DESCRIPTION["paths"][f"/kling{path}"]
        body = described["post"]["requestBody"]["content"]["application/json"]["schema"]
        assert {*body["required"]} == {*create.required}
        assert ("get" in described) is create.is_looked_up
        assert (f"/kling{path}/{{task_id}}" in DESCRIPTION["paths"]) is create.is_looked_up


TORN = base64.b64encode(b"no picture at all" * 9).decode()


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        (OMNI, {"prompt": "x", "image_list": [{"image": TORN}] * 11}, "11"),
        (MULTI, {"subject_image_list": [{"subject_image": TORN}] * 5}, "5"),
        (EXPAND, {"image": TORN} | SHARES | {"n": 10}, "10"),
        ("/v1/images/generations", {"prompt": "x", "image": TORN, "n": 10}, "10"),
    ],
)
def test_how_many_there_are_is_asked_before_a_picture_is_looked_into(
    tmp_path: Path, path: str, body: dict[str, Any], field: str
) -> None:
    with PracticeServer(settings=QUICK) as server, serving_practice(tmp_path, server) as served:
        reply = served.http.post(f"/kling{path}", json=body)
        assert (reply.status_code, reply.json()["code"]) == (400, 1201)
        assert field in reply.json()["message"]
