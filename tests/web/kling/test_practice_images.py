"""The practice Kling over real sockets: authorization, rules, tasks, files, every service code."""

import base64
import io
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from PIL import Image, UnidentifiedImageError

from core.practice.faults import SERVICE_STATUSES
from core.practice.server import PracticeServer
from core.practice.settings import (
    PRACTICE_ACCESS_KEY,
    PRACTICE_KLING_API_KEY,
    PRACTICE_SECRET_KEY,
    PracticeSettings,
)

PATH = "/v1/images/generations"
SETTINGS = PracticeSettings(submitted_s=0, processing_s=0, picture_pixels=96, concurrent_pictures=9)
KEY = {"authorization": f"Bearer {PRACTICE_KLING_API_KEY}"}


@pytest.fixture(scope="module")
def practice() -> Iterator[PracticeServer]:
    with PracticeServer(settings=SETTINGS) as server:
        yield server


@pytest.fixture(scope="module")
def earlier_client() -> Iterator[httpx.Client]:
    """A client of a server where Kling has not yet stopped any model."""
    summer = datetime(2026, 9, 1, tzinfo=UTC)
    with (
        PracticeServer(settings=SETTINGS, clock=summer) as server,
        httpx.Client(base_url=server.origin, headers=KEY, timeout=60) as client,
    ):
        yield client


@pytest.fixture(scope="module")
def client(practice: PracticeServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=practice.origin, headers=KEY, timeout=60) as client:
        yield client


def token(*, secret: str = PRACTICE_SECRET_KEY, **claims: object) -> str:
    now = int(time.time())
    whole = {"iss": PRACTICE_ACCESS_KEY, "exp": now + 1800, "nbf": now - 5, **claims}
    return jwt.encode(whole, secret, algorithm="HS256")


def submit(client: httpx.Client, prompt: str = "山", **fields: object) -> dict[str, Any]:
    answer = client.post(PATH, json={"prompt": prompt, **fields})
    assert answer.status_code == 200, answer.text
    assert answer.json()["code"] == 0
    data: dict[str, Any] = answer.json()["data"]
    return data


def query(client: httpx.Client, task_id: str) -> dict[str, Any]:
    answer = client.get(f"{PATH}/{task_id}")
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


def encoded(width: int, height: int, kind: str = "PNG", **options: int) -> str:
    file = io.BytesIO()
    Image.new("RGB", (width, height)).save(file, kind, **options)
    return base64.b64encode(file.getvalue()).decode()


SMALL = encoded(400, 300)


# Authorization


@pytest.mark.parametrize(
    ("authorization", "code"),
    [
        ("", 1001),
        ("Bearer wrong-key", 1002),
        (f"Bearer  {PRACTICE_KLING_API_KEY}", 1002),
        (PRACTICE_KLING_API_KEY, 1002),
        (f"Bearer {token(secret='another-secret-of-32-bytes-or-more')}", 1002),
        (f"Bearer {token(iss='somebody')}", 1002),
        (f"Bearer {token(nbf=int(time.time()) + 86_400)}", 1003),
        (f"Bearer {token(exp=int(time.time()) - 1)}", 1004),
    ],
)
def test_a_wrong_authorization_has_its_code(
    practice: PracticeServer, authorization: str, code: int
) -> None:
    answer = httpx.get(practice.origin + PATH, headers={"authorization": authorization})

    assert answer.status_code == 401
    assert answer.json()["code"] == code
    sent_at = parsedate_to_datetime(answer.headers["date"]).timestamp()
    assert abs(sent_at - time.time()) < 60


def test_a_signed_token_is_accepted(practice: PracticeServer) -> None:
    answer = httpx.get(practice.origin + PATH, headers={"authorization": f"Bearer {token()}"})

    assert answer.json()["code"] == 0


# Tasks


def test_a_task_is_accepted_in_the_documented_shape(client: httpx.Client) -> None:
    answer = client.post(PATH, json={"prompt": "山", "external_task_id": "shape-1"}).json()

    assert answer["code"] == 0
    assert answer["message"] == "SUCCEED"
    assert isinstance(answer["request_id"], str)
    data = answer["data"]
    assert data["task_status"] == "submitted"
    assert data["task_info"] == {"external_task_id": "shape-1"}
    assert len(data["task_id"]) == 22
    assert data["created_at"] == data["updated_at"]
    assert abs(data["created_at"] / 1000 - time.time()) < 60


def test_a_finished_task_is_found_under_both_ids(client: httpx.Client) -> None:
    task = submit(client, n=2, external_task_id="both-1", watermark_info={"enabled": True})

    by_task_id, by_own_id = query(client, task["task_id"]), query(client, "both-1")

    assert by_task_id == by_own_id
    assert by_own_id["task_status"] == "succeed"
    assert by_own_id["final_unit_deduction"] == "16"
    assert by_own_id["watermark_info"] == {"enabled": True}
    images = by_own_id["task_result"]["images"]
    assert [image["index"] for image in images] == [0, 1]
    assert all(image["watermark_url"] != image["url"] for image in images)
    for image in images:
        for url in (image["url"], image["watermark_url"]):
            assert httpx.get(url).content.startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("fields", "size"),
    [
        ({}, (96, 54)),
        ({"aspect_ratio": "9:16"}, (54, 96)),
        ({"aspect_ratio": "1:1"}, (96, 96)),
        ({"aspect_ratio": "4:3"}, (96, 72)),
        ({"aspect_ratio": "3:4"}, (72, 96)),
        ({"aspect_ratio": "3:2"}, (96, 64)),
        ({"aspect_ratio": "2:3"}, (64, 96)),
        ({"aspect_ratio": "21:9"}, (96, 41)),
        ({"aspect_ratio": "1:1", "resolution": "2k"}, (192, 192)),
        ({"model_name": "kling-v2-new", "image": encoded(300, 400)}, (144, 192)),
    ],
)
def test_pictures_have_the_ratio_and_resolution_asked_for(
    earlier_client: httpx.Client, fields: dict[str, Any], size: tuple[int, int]
) -> None:
    task = query(earlier_client, submit(earlier_client, **fields)["task_id"])
    content = httpx.get(task["task_result"]["images"][0]["url"])

    assert content.headers["content-type"] == "image/png"
    assert Image.open(io.BytesIO(content.content)).size == size


@pytest.mark.parametrize(
    ("fields", "units"),
    [
        ({"model_name": "kling-v1"}, "1"),
        ({"model_name": "kling-v2-1", "n": 3}, "12"),
        ({"model_name": "kling-v2-1", "image": SMALL}, "8"),
        ({"model": "kling-v1"}, "8"),
    ],
)
def test_units_follow_the_price_table(
    client: httpx.Client, fields: dict[str, Any], units: str
) -> None:
    task = query(client, submit(client, **fields)["task_id"])

    assert task["final_unit_deduction"] == units


def test_the_list_shows_the_newest_first_and_in_pages(client: httpx.Client) -> None:
    tasks = [submit(client)["task_id"] for _ in range(3)]

    first = client.get(PATH, params={"pageNum": 1, "pageSize": 2}).json()["data"]
    second = client.get(PATH, params={"pageNum": 2, "pageSize": 2}).json()["data"]

    shown = [task["task_id"] for task in first + second]
    assert shown[:3] == tasks[::-1]
    assert "task_result" in first[0]


@pytest.mark.parametrize(
    "page", [{"pageNum": 0}, {"pageNum": 1001}, {"pageSize": 501}, {"pageSize": "x"}]
)
def test_a_page_out_of_range_is_refused(client: httpx.Client, page: dict[str, str]) -> None:
    answer = client.get(PATH, params=page)

    assert (answer.status_code, answer.json()["code"]) == (400, 1201)


def test_a_running_task_takes_its_slots(practice: PracticeServer) -> None:
    slow = PracticeSettings(submitted_s=600, picture_pixels=96, concurrent_pictures=4)
    with (
        PracticeServer(settings=slow) as server,
        httpx.Client(base_url=server.origin, headers=KEY) as client,
    ):
        task = submit(client, n=3)
        assert query(client, task["task_id"])["task_status"] == "submitted"
        assert "final_unit_deduction" not in query(client, task["task_id"])
        full = client.post(PATH, json={"prompt": "山", "n": 2})
        assert (full.status_code, full.json()["code"]) == (429, 1303)
        submit(client, n=1)
        assert server.counters.submits_refused == {1303: 1}


def test_a_task_passes_through_processing(client: httpx.Client) -> None:
    task = query(client, submit(client, "/practice slow 600")["task_id"])

    assert task["task_status"] == "processing"
    assert "task_result" not in task


# Rules


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"prompt": ""}, "prompt"),
        ({"prompt": None}, "prompt"),
        ({"prompt": 5}, "prompt"),
        ({"prompt": "x" * 2501}, "prompt"),
        ({"negative_prompt": "x" * 2501}, "negative_prompt"),
        ({"negative_prompt": "x", "image": SMALL}, "negative_prompt"),
        ({"n": 0}, "n"),
        ({"n": 10}, "n"),
        ({"n": "2"}, "n"),
        ({"n": True}, "n"),
        ({"aspect_ratio": "5:4"}, "aspect_ratio"),
        ({"aspect_ratio": "auto"}, "aspect_ratio"),
        ({"aspect_ratio": "21:9", "model_name": "kling-v1"}, "aspect_ratio"),
        ({"resolution": "4k"}, "resolution"),
        ({"resolution": "2k", "model_name": "kling-v1-5"}, "resolution"),
        ({"model_name": "kling-v9"}, "model_name"),
        ({"model_name": ""}, "model_name"),
        ({"model_name": "kling-v3-omni"}, "model_name"),
        ({"model_name": "kling-v2-new"}, "image"),
        ({"image_reference": "subject", "model_name": "kling-v1-5"}, "image"),
        ({"image": SMALL, "model_name": "kling-v1-5"}, "image_reference"),
        ({"image": SMALL, "image_reference": "pose"}, "image_reference"),
        ({"image": SMALL, "image_reference": "face"}, "image_reference"),
        ({"image": SMALL, "image_fidelity": 0.5}, "image_fidelity"),
        ({"image": SMALL, "model_name": "kling-v2-1", "image_fidelity": 1.5}, "image_fidelity"),
        ({"image": SMALL, "model_name": "kling-v1", "human_fidelity": 0.5}, "human_fidelity"),
        ({"element_list": [{"element_id": 1}], "model_name": "kling-v2"}, "element_list"),
        ({"element_list": [{"element_id": "1"}]}, "element_list"),
        ({"element_list": [{"element_id": k} for k in range(11)]}, "element_list"),
        ({"image": f"data:image/png;base64,{SMALL}"}, "image"),
        ({"image": "not base64!"}, "image"),
        ({"image": base64.b64encode(b"no picture").decode()}, "image"),
        ({"image": encoded(400, 400, "GIF")}, "image"),
        ({"image": encoded(299, 400)}, "image"),
        ({"image": encoded(800, 310)}, "image"),
        ({"watermark_info": True}, "watermark_info"),
        ({"callback_url": "ftp://example.org"}, "callback_url"),
        ({"external_task_id": 12}, "external_task_id"),
    ],
)
def test_a_field_against_the_rules_is_named(
    earlier_client: httpx.Client, fields: dict[str, Any], field: str
) -> None:
    answer = earlier_client.post(PATH, json={"prompt": "山", **fields})

    assert (answer.status_code, answer.json()["code"]) == (400, 1201)
    assert answer.json()["message"].startswith(f"{field} ")


def test_a_reference_over_ten_megabytes_is_refused(client: httpx.Client) -> None:
    large = encoded(2000, 2000, compress_level=0)
    answer = client.post(PATH, json={"prompt": "山", "image": large})

    assert len(large) * 3 // 4 > 10 * 1024 * 1024
    assert answer.json()["code"] == 1201
    assert "10MB" in answer.json()["message"]


@pytest.mark.parametrize(
    "fields",
    [
        {"image": SMALL},
        {"image": encoded(300, 300, "JPEG"), "model_name": "kling-v2-1", "image_fidelity": 0},
        {"image": "https://example.org/never-fetched.png"},
        {
            "image": SMALL,
            "model_name": "kling-v1-5",
            "image_reference": "subject",
            "human_fidelity": 1,
        },
        {"element_list": [{"element_id": 1}]},
        {"image": None, "negative_prompt": None, "n": None, "callback_url": None},
        {"negative_prompt": "blur"},
        {"prompt": "x" * 2500},
    ],
)
def test_what_the_rules_allow_is_accepted(
    earlier_client: httpx.Client, fields: dict[str, Any]
) -> None:
    submit(earlier_client, **{"prompt": "山", **fields})


@pytest.mark.parametrize("model", ["kling-v2", "kling-v2-new", "kling-v1-5"])
def test_a_stopped_model_is_refused_and_nothing_is_charged(
    practice: PracticeServer, client: httpx.Client, model: str
) -> None:
    before = practice.counters.tasks_accepted
    answer = client.post(PATH, json={"prompt": "山", "model_name": model, "image": SMALL})

    assert (answer.status_code, answer.json()["code"]) == (404, 1203)
    assert model in answer.json()["message"]
    assert practice.counters.tasks_accepted == before


def test_an_external_task_id_cannot_be_used_twice(
    practice: PracticeServer, client: httpx.Client
) -> None:
    submit(client, external_task_id="twice-1")
    again = client.post(PATH, json={"prompt": "山", "external_task_id": "twice-1"})

    assert (again.status_code, again.json()["code"]) == (400, 1201)
    assert "external_task_id" in again.json()["message"]
    assert practice.counters.accepted_by_external_task_id["twice-1"] == 1


@pytest.mark.parametrize("body", [b"{", b"[]"])
def test_a_body_that_is_not_an_object_is_refused(client: httpx.Client, body: bytes) -> None:
    answer = client.post(PATH, content=body)

    assert (answer.status_code, answer.json()["code"]) == (400, 1200)


@pytest.mark.parametrize("prompt", ["血腥的场面", "暴力", "gore", "scenes of Violence"])
def test_some_words_are_refused_at_once(client: httpx.Client, prompt: str) -> None:
    answer = client.post(PATH, json={"prompt": prompt})

    assert (answer.status_code, answer.json()["code"]) == (400, 1301)


@pytest.mark.parametrize("prompt", ["敏感的话题", "a sensitive subject", "/practice fail"])
def test_some_prompts_fail_later(client: httpx.Client, prompt: str) -> None:
    task = query(client, submit(client, prompt)["task_id"])

    assert task["task_status"] == "failed"
    assert task["task_status_msg"]
    assert task["final_unit_deduction"] == "0"


def test_an_unknown_task_is_not_found(client: httpx.Client) -> None:
    answer = client.get(f"{PATH}/nothing")

    assert (answer.status_code, answer.json()["code"]) == (404, 1203)


@pytest.mark.parametrize(
    ("method", "path"), [("DELETE", PATH), ("POST", f"{PATH}/x"), ("POST", "/account/costs")]
)
def test_a_wrong_method_has_its_code(client: httpx.Client, method: str, path: str) -> None:
    answer = client.request(method, path)

    assert (answer.status_code, answer.json()["code"]) == (404, 1202)


def test_a_bad_path_answers_in_the_other_shape(client: httpx.Client) -> None:
    answer = client.post("/v1/images/nothing")

    assert answer.status_code == 404
    assert set(answer.json()) == {"timestamp", "status", "error", "message", "path"}
    assert answer.json()["path"] == "/v1/images/nothing"


def test_costs_have_a_code_of_their_own(client: httpx.Client) -> None:
    times = {"start_time": 1, "end_time": int(time.time() * 1000)}
    data = client.get("/account/costs", params=times).json()["data"]

    assert data["code"] == 0
    assert data["msg"] == "success"
    pack = data["resource_pack_subscribe_infos"][0]
    assert pack["status"] == "online"
    assert isinstance(pack["remaining_quantity"], float)


def test_costs_need_both_times(client: httpx.Client) -> None:
    assert client.get("/account/costs", params={"start_time": 1}).json()["code"] == 1201


# Faults


@pytest.mark.parametrize(("code", "status"), SERVICE_STATUSES.items())
def test_each_service_code_can_be_asked_for(client: httpx.Client, code: int, status: int) -> None:
    answer = client.post(PATH, json={"prompt": f"/practice {code}"})

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert set(answer.json()) == {"code", "message", "request_id"}


def test_a_service_code_with_a_number_of_times_gives_way(client: httpx.Client) -> None:
    body = {"prompt": "/practice 5001 2", "external_task_id": "times-1"}

    assert [client.post(PATH, json=body).status_code for _ in range(3)] == [503, 503, 200]


def test_a_lost_reply_leaves_an_accepted_task(client: httpx.Client) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        client.post(PATH, json={"prompt": "/practice lost", "external_task_id": "lost-1"})

    assert query(client, "lost-1")["task_status"] == "succeed"


def test_a_dropped_submit_leaves_nothing(client: httpx.Client) -> None:
    body = {"prompt": "/practice dropped 1", "external_task_id": "dropped-1"}
    with pytest.raises(httpx.RemoteProtocolError):
        client.post(PATH, json=body)

    assert client.get(f"{PATH}/dropped-1").json()["code"] == 1203
    assert client.post(PATH, json=body).json()["code"] == 0


def test_a_hidden_task_is_only_in_the_list(client: httpx.Client) -> None:
    task = submit(client, "/practice hidden", external_task_id="hidden-1")

    assert client.get(f"{PATH}/hidden-1").json()["code"] == 1203
    listed = client.get(PATH).json()["data"]
    assert "hidden-1" in [entry["task_info"].get("external_task_id") for entry in listed]
    assert query(client, task["task_id"])


def test_a_web_page_can_come_instead(client: httpx.Client) -> None:
    answer = client.post(PATH, json={"prompt": "/practice html"})

    assert answer.status_code == 502
    assert answer.headers["content-type"].startswith("text/html")


def test_a_missing_picture_comes_at_the_third_fetch(client: httpx.Client) -> None:
    task = query(client, submit(client, "/practice missing-picture", n=2)["task_id"])
    first, last = (image["url"] for image in task["task_result"]["images"])

    assert httpx.get(first).status_code == 200
    assert [httpx.get(last).status_code for _ in range(3)] == [404, 404, 200]


def test_a_broken_picture_is_whole_at_the_second_fetch(client: httpx.Client) -> None:
    task = query(client, submit(client, "/practice broken-picture")["task_id"])
    url = task["task_result"]["images"][0]["url"]

    with pytest.raises(httpx.RemoteProtocolError):
        httpx.get(url)
    Image.open(io.BytesIO(httpx.get(url).content)).verify()


def test_an_unreadable_picture_comes_whole_and_is_none_as_often_as_told(
    client: httpx.Client,
) -> None:
    task = query(client, submit(client, "/practice unreadable-picture 1")["task_id"])
    url = task["task_result"]["images"][0]["url"]

    reply = httpx.get(url)
    assert (reply.status_code, reply.headers["content-type"]) == (200, "image/png")
    with pytest.raises(UnidentifiedImageError):
        Image.open(io.BytesIO(reply.content))
    Image.open(io.BytesIO(httpx.get(url).content)).verify()


# Files


@pytest.mark.parametrize("name", ["x.png", "A" * 22 + "-0.png"])
def test_an_unknown_file_is_not_found(practice: PracticeServer, name: str) -> None:
    assert httpx.get(f"{practice.origin}/files/{name}").status_code == 404


def test_a_file_is_not_there_before_the_task_ends(
    practice: PracticeServer, client: httpx.Client
) -> None:
    task = submit(client, "/practice slow 600")

    assert httpx.get(f"{practice.origin}/files/{task['task_id']}-0.png").status_code == 404


def test_the_same_picture_is_the_same_file(client: httpx.Client) -> None:
    url = query(client, submit(client)["task_id"])["task_result"]["images"][0]["url"]

    assert httpx.get(url).content == httpx.get(url).content


def test_tasks_and_pictures_outlive_the_server(tmp_path: Path) -> None:
    journal = tmp_path / "practice.jsonl"
    contents = []
    for life in range(2):
        with (
            PracticeServer(journal=journal, settings=SETTINGS) as server,
            httpx.Client(base_url=server.origin, headers=KEY) as client,
        ):
            if life == 0:
                submit(client, image=SMALL, external_task_id="outlive-1")
            task = query(client, "outlive-1")
            url = task["task_result"]["images"][0]["url"]
            assert url.startswith(server.origin)
            contents.append(httpx.get(url).content)
            again = client.post(PATH, json={"prompt": "山", "external_task_id": "outlive-1"})
            assert again.json()["code"] == 1201

    assert contents[0] == contents[1]
    assert SMALL[:60] not in journal.read_text()
