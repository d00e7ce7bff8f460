"""The contract that front ends were written for, row by row, over real sockets."""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from core.practice.server import PracticeServer
from tests.waiting import until
from tests.web.events import hear, opened
from tests.web.serving import QUICK, Served, serving_practice


@pytest.fixture(scope="module")
def practice() -> Iterator[PracticeServer]:
    with PracticeServer(settings=QUICK) as server:
        yield server


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, practice: PracticeServer) -> Iterator[Served]:
    with serving_practice(tmp_path_factory.mktemp("contract"), practice) as running:
        yield running


# -- chat ------------------------------------------------------------------------------------------


def test_each_piece_is_one_event_and_the_end_is_told(served: Served) -> None:
    heard = hear(served.http, "/stream", params={"question": "你好"})
    assert heard.has_ended
    assert len(heard.pieces) > 20
    assert "墨灵" in heard.text
    assert heard.errors == []
    assert len({event.id for event in heard.events}) == len(heard.events)


def test_pieces_are_spelled_as_they_are_and_never_buffered_on_the_way(served: Served) -> None:
    with opened(served.http, "/stream", params={"question": "你好"}) as (response, reading):
        assert not next(reading).has_ended
        assert response.status_code == 200
        assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert response.headers["cache-control"] == "no-cache, no-transform"
        assert response.headers["x-accel-buffering"] == "no"
    reply = served.http.get("/stream", params={"question": "你好"})
    assert '\ndata: "' in reply.text
    assert "\\u" not in reply.text


def test_a_whole_answer_is_one_json_object(served: Served) -> None:
    reply = served.http.get("/complete", params={"question": "你好"})
    assert reply.status_code == 200
    assert set(reply.json()) == {"content"}
    assert "墨灵" in reply.json()["content"]


def test_an_answer_is_in_the_history_marked_as_asked_over_http(served: Served) -> None:
    question = f"一个问题 {uuid.uuid4().hex}"
    heard = hear(served.http, "/stream", params={"question": question})
    stored = served.kept(heard.answer_id)
    conversation = served.studio.store.conversations.get("local", stored.conversation_id)
    assert conversation is not None
    assert conversation.origin == "http"
    assert conversation.title == question[:39] + "…" or conversation.title == question
    assert stored.content == heard.text
    path = served.studio.store.messages.path("local", conversation.id)
    assert [message.role for message in path] == ["user", "assistant"]
    assert path[0].content == question


def test_an_answer_is_found_at_once_and_soon_in_the_index(served: Served) -> None:
    word = uuid.uuid4().hex
    heard = hear(served.http, "/stream", params={"question": f"{word}?"})
    served.kept(heard.answer_id)
    store = served.studio.store
    found = store.search.find("local", word).items
    assert {hit.role for hit in found} >= {None, "user"}  # the title, and the question
    until(lambda: store.search_index.waiting() == 0, "nothing waits for the index")
    assert store.search.find("local", word).items == found


def test_naming_the_conversation_costs_no_second_request(
    served: Served, practice: PracticeServer
) -> None:
    before = practice.counters.chat_requests
    heard = hear(served.http, "/stream", params={"question": "你好"})
    served.kept(heard.answer_id)
    assert practice.counters.chat_requests == before + 1


@pytest.mark.parametrize("status", [400, 401, 402, 422])
def test_an_upstream_refusal_is_told_in_the_stream_and_then_it_ends(
    served: Served, status: int
) -> None:
    heard = hear(served.http, "/stream", params={"question": f"/practice {status}"})
    (error,) = heard.errors
    assert error["error"] == f"upstream {status}"
    assert isinstance(error["body"], str)
    assert 0 < len(error["body"]) <= 800
    assert heard.has_ended
    assert heard.pieces == []


@pytest.mark.parametrize("status", [400, 401, 402, 422])
def test_an_upstream_refusal_keeps_its_status_on_complete(served: Served, status: int) -> None:
    reply = served.http.get("/complete", params={"question": f"/practice {status}"})
    assert reply.status_code == status
    assert reply.json()["error"] == "upstream"
    assert 0 < len(reply.json()["body"]) <= 800


def test_an_upstream_that_sends_no_json_is_a_bad_gateway(served: Served) -> None:
    reply = served.http.get("/complete", params={"question": "/practice html"})
    assert (reply.status_code, reply.json()) == (502, {"error": "上游返回非 JSON"})


@pytest.mark.parametrize("query", ["", "?question=", "?question=%20%0A", "?other=1"])
def test_a_missing_question_is_said_so(served: Served, query: str) -> None:
    reply = served.http.get(f"/stream{query}")
    assert (reply.status_code, reply.text) == (400, "缺少参数:question")
    reply = served.http.get(f"/complete{query}")
    assert (reply.status_code, reply.json()) == (400, {"error": "缺少参数:question"})


def test_a_line_that_is_no_json_does_not_hold_the_answer_up(served: Served) -> None:
    heard = hear(served.http, "/stream", params={"question": "/practice garbage-line"})
    assert heard.has_ended
    assert heard.errors == []
    assert heard.text


def test_an_answer_that_is_cut_off_upstream_keeps_what_came_and_says_so(served: Served) -> None:
    heard = hear(served.http, "/stream", params={"question": "/practice cut"})
    assert heard.text
    (error,) = heard.errors
    assert "cut off" in error["error"]
    assert heard.has_ended


# -- paths, methods, origins -----------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/stream", "/complete", "/v1/chat/completions", "/kling/v1/x"])
def test_a_preflight_is_answered_for_pages_on_this_machine(served: Served, path: str) -> None:
    reply = served.http.options(path, headers={"Origin": "http://localhost:5173"})
    assert reply.status_code == 204
    assert reply.headers["access-control-allow-origin"] == "http://localhost:5173"
    assert "Idempotency-Key" in reply.headers["access-control-allow-headers"]
    assert "Origin" in reply.headers["vary"]


def test_a_page_on_this_machine_may_read_what_it_asked_for(served: Served) -> None:
    headers = {"Origin": "http://127.0.0.1:3000", "Sec-Fetch-Site": "cross-site"}
    reply = served.http.get("/complete", params={"question": "你好"}, headers=headers)
    assert reply.status_code == 200
    assert reply.headers["access-control-allow-origin"] == "http://127.0.0.1:3000"


@pytest.mark.parametrize(
    "path",
    [
        *("/stream/", "/stream/x", "/complete/x", "/v1", "/v1/", "/v1/nope", "/v1/models/x"),
        *("/kling", "/kling/", "/kling/v2/x", "/kling/v1", "/healthz/x", "/readyz/x"),
        "/openapi.json/x",
    ],
)
def test_an_unknown_path_is_json_never_a_page(served: Served, path: str) -> None:
    reply = served.http.get(path)
    assert reply.status_code == 404
    assert reply.headers["content-type"].startswith("application/json")
    assert "error" in reply.json()


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/stream", "GET, POST"),
        ("HEAD", "/stream", "GET, POST"),
        ("PUT", "/complete", "GET, POST"),
        ("GET", "/v1/chat/completions", "POST"),
        ("POST", "/v1/models", "GET"),
        ("POST", "/healthz", "GET, HEAD"),
        ("POST", "/readyz", "GET, HEAD"),
        ("DELETE", "/openapi.json", "GET"),
        ("TRACE", "/kling/v1/images/generations", "GET, POST, PUT, PATCH, DELETE"),
    ],
)
def test_a_wrong_method_is_told_the_right_ones(
    served: Served, method: str, path: str, allowed: str
) -> None:
    reply = served.http.request(method, path)
    assert reply.status_code == 405
    assert reply.headers["allow"] == allowed


def test_health_and_readiness_spend_nothing(served: Served, practice: PracticeServer) -> None:
    before = practice.counters
    assert served.http.get("/healthz").json() == {"status": "ok"}
    ready = served.http.get("/readyz")
    assert ready.json() == {"status": "ready", "chat": "live", "images": "live"}
    assert practice.counters == before


# -- Kling -----------------------------------------------------------------------------------------


def create(served: Served, prompt: str = "一座山", **fields: Any) -> Any:
    headers = fields.pop("headers", {})
    return served.http.post(
        "/kling/v1/images/generations", json={"prompt": prompt, **fields}, headers=headers
    )


def test_a_picture_is_made_as_the_page_expects_it(served: Served, practice: PracticeServer) -> None:
    reply = create(served, aspect_ratio="16:9", resolution="1k", external_task_id="page-1")
    assert reply.status_code == 200
    body = reply.json()
    assert (body["code"], body["message"]) == (0, "SUCCEED")
    uuid.UUID(body["request_id"])
    task = body["data"]
    assert task["task_status"] == "submitted"
    assert task["task_info"] == {"external_task_id": "page-1"}
    assert isinstance(task["created_at"], int)
    seen = set()

    def finished() -> Any:
        looked = served.http.get(f"/kling/v1/images/generations/{task['task_id']}").json()
        seen.add(looked["data"]["task_status"])
        return looked if looked["data"]["task_status"] == "succeed" else None

    done = until(finished, "the picture is done")
    assert seen <= {"submitted", "processing", "succeed"}
    image = done["data"]["task_result"]["images"][0]
    assert image["url"].startswith(practice.origin)
    assert served.http.get(image["url"]).status_code == 200
    generation = served.studio.store.generations.get_by_task_id("local", task["task_id"])
    assert generation is not None
    assert generation.origin == "http"
    until(
        lambda: (
            (one := served.studio.store.generations.load(generation.id))
            and one.status == "archived"
        ),
        "the picture is in the archive",
    )
    by_own_id = served.http.get("/kling/v1/images/generations/page-1").json()
    assert by_own_id["data"]["task_id"] == task["task_id"]


@pytest.mark.parametrize(("code", "status"), [(1301, 400), (1102, 429), (1103, 403), (1002, 401)])
def test_a_refusal_keeps_klings_code_and_status(served: Served, code: int, status: int) -> None:
    reply = create(served, f"/practice {code}")
    assert reply.status_code == status
    assert reply.json()["code"] == code
    assert reply.json()["message"]
    assert "data" not in reply.json()


@pytest.mark.parametrize(
    "fields",
    [
        {"prompt": ""},
        {"prompt": "x", "n": 10},
        {"prompt": "x", "n": "2"},
        {"prompt": "x", "aspect_ratio": "5:4"},
        {"prompt": "x", "model_name": "kling-v99"},
        {"prompt": "x", "image": "data:image/png;base64,AAAA"},
        {"prompt": "x", "image": "https://example.com/x.png"},
        {"prompt": "x", "image": "!!!"},
        {"prompt": "x", "element_list": "no"},
        {"prompt": ["x"]},
        {},
    ],
)
def test_what_kling_would_not_take_is_refused_in_its_shape(
    served: Served, practice: PracticeServer, fields: dict[str, Any]
) -> None:
    before = practice.counters.tasks_accepted
    reply = served.http.post("/kling/v1/images/generations", json=fields)
    assert reply.status_code == 400
    assert reply.json()["code"] == 1201
    assert practice.counters.tasks_accepted == before


def test_a_failed_task_says_why_as_kling_does(served: Served) -> None:
    task_id = create(served, "/practice fail").json()["data"]["task_id"]
    failed = until(
        lambda: (
            (one := served.http.get(f"/kling/v1/images/generations/{task_id}").json()["data"])[
                "task_status"
            ]
            == "failed"
            and one
        ),
        "the task failed",
    )
    assert "risk control" in failed["task_status_msg"]


def test_an_unknown_task_is_klings_own_404(served: Served) -> None:
    reply = served.http.get("/kling/v1/images/generations/no-such-task")
    assert (reply.status_code, reply.json()["code"]) == (404, 1203)


def test_the_list_of_tasks_is_forwarded_with_its_query(served: Served) -> None:
    reply = served.http.get("/kling/v1/images/generations?pageNum=1&pageSize=2")
    assert reply.status_code == 200
    assert isinstance(reply.json()["data"], list)
    assert len(reply.json()["data"]) <= 2
