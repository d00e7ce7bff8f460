"""What is sent is what is described: every path's replies, and its refusals, field by field."""

import http.client
import io
import json
from collections.abc import Iterator
from copy import deepcopy
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator
from PIL import Image

from core.models.access_scopes import ACCESS_SCOPES
from core.models.money.ledger import Period
from core.settings import AccessSettings, Secret
from core.web.openapi.description import DESCRIPTION
from core.work.process_studio import close_studio
from tests.web.serving import Served, serving

MODEL = "deepseek-flash"
WEATHER = {"name": "get_weather", "parameters": {"type": "object", "properties": {}}}
TOOLS = [{"type": "function", "function": WEATHER}]
ASKED = [{"role": "user", "content": "What is the weather in Paris?"}]
SEARCHED = [{"role": "user", "content": "讲讲端砚"}]
CALCULATED = [{"role": "user", "content": "/practice tool-calculator 6*7"}]
CITED = {"model": MODEL, "messages": SEARCHED, "web_search_options": {}, "nobody_knows": 1}
OPERATIONS = [
    (path, method)
    for path, methods in DESCRIPTION["paths"].items()
    for method in methods
    if method != "head"
]


def closed() -> dict[str, Any]:
    """Return the schemas, where no object holds what is not described."""
    schemas = deepcopy(DESCRIPTION["components"]["schemas"])
    for schema in schemas.values():
        if "properties" in schema:
            schema.setdefault("additionalProperties", False)
    return {"schemas": schemas}


CLOSED = closed()


def look_over(reply: httpx.Response, path: str, method: str) -> None:
    """Hold a reply to what is described of its path, method and status."""
    replies = DESCRIPTION["paths"][path][method.lower()]["responses"]
    told = replies.get(str(reply.status_code)) or replies["default"]
    kind = reply.headers["content-type"].partition(";")[0]
    assert kind in told["content"], (reply.status_code, kind, reply.text)
    if kind != "application/json":
        return
    schema = {**told["content"][kind]["schema"], "components": CLOSED}
    faults = [
        f"{fault.json_path}: {fault.message}"
        for fault in Draft202012Validator(schema).iter_errors(reply.json())
    ]
    assert not faults, reply.text


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("described")) as running:
        yield running


POSTED: list[tuple[str, dict[str, Any]]] = [
    ("/complete", {"question": "hi", "nobody_knows": 1}),
    ("/complete", {"messages": ASKED, "tools": TOOLS}),
    ("/complete", {"messages": SEARCHED, "web_search_options": {}}),
    ("/complete", {"messages": CALCULATED, "studio_tools": True}),
    ("/v1/chat/completions", CITED),
    ("/v1/chat/completions", {"model": MODEL, "messages": ASKED, "tools": TOOLS}),
    ("/v1/chat/completions", {"messages": ASKED, "logprobs": True, "top_logprobs": 2}),
    ("/v1/chat/completions", {"messages": CALCULATED, "studio_tools": True}),
    ("/v1/responses", {"model": MODEL, "input": "hello", "metadata": {"a": "b"}, "truncation": 1}),
    ("/v1/responses", {"input": ASKED, "tools": [{"type": "function", **WEATHER}]}),
    ("/v1/responses", {"input": "Tell much", "max_output_tokens": 5, "reasoning": {}}),
    ("/v1/tools/search", {"query": "端砚"}),
    ("/v1/tools/fetch", {"url": "https://inkling.invalid/duanyan"}),
    ("/v1/images/generations", {"prompt": "a hill", "model": "dall-e-3", "size": "1024x1024"}),
    ("/v1/images/generations", {"prompt": "a hill", "response_format": "b64_json"}),
    ("/kling/v1/images/generations", {"prompt": "a hill"}),
    ("/kling/v1/images/omni-image", {"prompt": "a hill"}),
]


@pytest.mark.parametrize(
    ("path", "body"), POSTED, ids=[f"{path}-{n}" for n, (path, _) in enumerate(POSTED)]
)
def test_a_reply_holds_what_is_described_and_nothing_else(
    served: Served, path: str, body: dict[str, Any]
) -> None:
    reply = served.http.post(path, json=body)
    assert reply.status_code == 200, reply.text
    look_over(reply, path, "POST")


LOOKED = [
    ("/complete", "/complete?question=hi"),
    ("/v1/models", "/v1/models"),
    ("/v1/models/{model}", f"/v1/models/{MODEL}"),
    ("/ledger", "/ledger?limit=500"),
    ("/ledger", "/ledger?format=csv"),
    ("/kling/v1/images/generations", "/kling/v1/images/generations?pageNum=1&pageSize=5"),
    ("/kling/account/costs", "/kling/account/costs?start_time=1&end_time=2"),
    ("/checkup", "/checkup"),
    ("/checkup", "/checkup?format=text"),
    ("/exchanges", "/exchanges?limit=2000"),
    ("/exchanges", "/exchanges?format=har"),
    ("/healthz", "/healthz"),
    ("/readyz", "/readyz"),
    ("/metrics", "/metrics"),
    ("/enter", "/enter"),
]


@pytest.mark.parametrize(("path", "address"), LOOKED)
def test_what_is_looked_at_holds_what_is_described(served: Served, path: str, address: str) -> None:
    served.http.post("/complete", json={"question": "hi"})  # there is something to be looked at
    reply = served.http.get(address)
    assert reply.status_code == 200, reply.text
    look_over(reply, path, "GET")


def test_pictures_of_a_message_are_as_described(served: Served) -> None:
    store = served.studio.store
    conversation = store.conversations.create("local", title="竹")
    message = store.messages.add(
        "local", conversation.id, role="assistant", content="a hill", parent_id=None
    )
    for what, body in (("drawing", {}), ("milder", {"prompt": "a war"})):
        reply = served.http.post(f"/messages/{message.id}/{what}", json=body)
        assert reply.status_code == 200, reply.text
        look_over(reply, f"/messages/{{message_id}}/{what}", "POST")
    bought = {"prompt": "a hill", "message_id": message.id}
    assert served.http.post("/kling/v1/images/generations", json=bought).status_code == 200
    reply = served.http.get(f"/messages/{message.id}/pictures")
    assert len(reply.json()["pictures"]) == 1
    look_over(reply, "/messages/{message_id}/pictures", "GET")


def test_a_task_and_an_edit_are_as_described(served: Served) -> None:
    made = served.http.post("/kling/v1/images/generations", json={"prompt": "a hill"}).json()
    reply = served.http.get(f"/kling/v1/images/generations/{made['data']['task_id']}")
    look_over(reply, "/kling/v1/images/generations/{task_id}", "GET")
    buffer = io.BytesIO()
    Image.new("RGB", (400, 300), "teal").save(buffer, "PNG")
    edited = served.http.post(
        "/v1/images/edits", data={"prompt": "a hill"}, files={"image": buffer.getvalue()}
    )
    assert edited.status_code == 200, edited.text
    look_over(edited, "/v1/images/edits", "POST")


def statuses(served: Served, **asked: Any) -> set[int]:
    """Return how every path answers a call; each answer is as it is described."""
    told = set()
    for path, method in OPERATIONS:
        if path == "/checkup/beat":  # nothing but a caller is asked for
            continue
        address = path
        for name in ("task_id", "message_id", "model"):
            address = address.replace(f"{{{name}}}", "none")
        reply = served.http.request(method, address, **asked)
        if reply.content:
            look_over(reply, path, method)
        told.add(reply.status_code)
    return told


NOT_OURS = dict.fromkeys(("messages", "prompt", "query", "input", "n"), True)
WORDS = dict.fromkeys(("question", "prompt", "query", "input"), "x")
REFUSED: list[tuple[dict[str, Any], int]] = [
    ({"headers": {"Host": "elsewhere.example"}}, 403),
    ({"headers": {"Origin": "http://elsewhere.example"}}, 403),
    ({"content": b"{", "headers": {"Content-Type": "application/json"}}, 400),
    ({"json": []}, 400),
    ({"content": b"x", "headers": {"Content-Type": "text/plain"}}, 415),
    ({"json": {}}, 400),
    ({"json": NOT_OURS}, 400),
    ({"params": dict.fromkeys(("from", "kind", "format", "limit"), "x")}, 400),
]


@pytest.mark.parametrize(("asked", "status"), REFUSED)
def test_every_path_refuses_as_described(
    served: Served, asked: dict[str, Any], status: int
) -> None:
    assert status in statuses(served, **asked)


@pytest.mark.parametrize(
    "path", [path for path, method in OPERATIONS if method == "post" and path != "/v1/images/edits"]
)
def test_too_large_a_body_is_refused_as_described(served: Served, path: str) -> None:
    types = DESCRIPTION["paths"][path]["post"]["requestBody"]["content"]
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=30)
    connection.putrequest("POST", path.replace("{message_id}", "none"))
    connection.putheader("Content-Type", f"{next(iter(types))}; boundary=x")
    connection.putheader("Content-Length", str(10**10))
    connection.endheaders()
    reply = connection.getresponse()
    found = httpx.Response(reply.status, headers=dict(reply.headers), content=reply.read())
    connection.close()
    assert found.status_code == 413
    look_over(found, path, "POST")
    assert json.loads(found.content)


# The last one: a process has one studio.
def test_tokens_and_what_a_closed_studio_says_are_as_described(tmp_path: Path) -> None:
    access = AccessSettings(behind_proxy=True, tokens={"web": Secret("a-token-of-the-web-01")})
    everything: Any = frozenset(ACCESS_SCOPES)
    limit: tuple[Period, Decimal, str] = ("day", Decimal("0.000001"), "PRACTICE")
    with serving(tmp_path, access=access) as served:
        poor = served.studio.tokens.issue("poor", everything, limit=limit)
        narrow = served.studio.tokens.issue("narrow", frozenset({"read"}))
        for token, status in ((poor, 402), (narrow, 403), ("of-nobody-0123456789", 401)):
            headers = {"Authorization": f"Bearer {token}"}
            assert status in statuses(served, headers=headers, json=WORDS)
        close_studio()
        assert 503 in statuses(served, json=WORDS)
