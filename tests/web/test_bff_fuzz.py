"""Whatever is sent: an answer in time, no fault of ours, no key in it, and as described."""

import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from core.practice.server import PracticeServer
from core.web.front.paths import PATHS
from core.web.openapi.description import DESCRIPTION
from tests.web.serving import CHAT_KEY, KLING_KEY, QUICK, Served, ask_once, serving_practice

TIMEOUT_S = 10.0
EXAMPLES = 25
QUICKLY = settings(
    max_examples=EXAMPLES,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
    database=None,
)

description = schemathesis.openapi.from_dict(DESCRIPTION)


@pytest.fixture(scope="module")
def practice() -> Iterator[PracticeServer]:
    with PracticeServer(settings=QUICK) as server:
        yield server


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, practice: PracticeServer) -> Iterator[Served]:
    with serving_practice(tmp_path_factory.mktemp("fuzz"), practice, build=ask_once) as running:
        yield running


def look_over(reply: httpx.Response) -> None:
    assert CHAT_KEY not in reply.text
    assert KLING_KEY not in reply.text
    assert "Traceback" not in reply.text


# A drawn picture takes a second or more, and each example would wait for its own.
@description.exclude(path_regex="^/v1/images/").parametrize()
@QUICKLY
def test_what_the_description_allows_is_answered_as_described(case: Any, served: Served) -> None:
    reply = case.call(base_url=served.url, timeout=TIMEOUT_S)
    case.validate_response(
        reply,
        checks=[
            not_a_server_error,
            status_code_conformance,
            content_type_conformance,
            response_schema_conformance,
        ],
    )
    look_over(reply)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
NAMES = (
    *("question", "messages", "model", "thinking", "parameters", "system", "stream", "prompt"),
    *("n", "image", "temperature", "max_tokens", "element_list", "external_task_id", "tools"),
    *("tool_choice", "response_format", "stop", "logprobs", "input", "text", "reasoning", "size"),
)
POSTS = (
    *("/stream", "/complete", "/v1/chat/completions", "/kling/v1/images/generations"),
    *("/v1/responses", "/v1/images/generations"),
)


@QUICKLY
@given(
    path=st.sampled_from(POSTS),
    body=st.dictionaries(st.sampled_from(NAMES), json_values) | json_values,
)
def test_any_json_is_answered(served: Served, path: str, body: Any) -> None:
    content = httpx.Request("POST", "http://x", json=None).content
    try:
        content = httpx.Request("POST", "http://x", json=body).content
    except (ValueError, UnicodeEncodeError):
        return  # what JSON cannot say
    reply = served.http.post(
        path, content=content, headers={"Content-Type": "application/json"}, timeout=TIMEOUT_S
    )
    assert reply.status_code < 500, reply.text
    look_over(reply)


@QUICKLY
@given(path=st.sampled_from(POSTS), body=st.binary(max_size=200))
def test_any_bytes_are_answered(served: Served, path: str, body: bytes) -> None:
    reply = served.http.post(
        path, content=body, headers={"Content-Type": "application/json"}, timeout=TIMEOUT_S
    )
    assert reply.status_code in (200, 400), reply.text


header_text = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=60)


@QUICKLY
@given(
    headers=st.dictionaries(
        st.sampled_from(
            [
                "Host",
                "Origin",
                "Referer",
                "Sec-Fetch-Site",
                "Authorization",
                "Last-Event-ID",
                "X-Forwarded-For",
                "Idempotency-Key",
                "Content-Type",
                "Cookie",
            ]
        ),
        header_text.map(str.strip),
    ),
    path=st.sampled_from(["/complete?question=hi", "/v1/models", "/kling/v1/account", "/healthz"]),
)
def test_any_headers_are_answered(served: Served, headers: dict[str, str], path: str) -> None:
    reply = served.http.get(path, headers=headers, timeout=TIMEOUT_S)
    assert reply.status_code < 500
    look_over(reply)


@QUICKLY
@given(path=st.text(st.sampled_from("./\\%2eE5cC0fF;:@aé墨\x00\n &=+"), max_size=30))
def test_any_path_under_kling_is_answered(served: Served, path: str) -> None:
    raw = "".join(sign if sign in "./\\%2eE5cC0fF;:@a&=+" else quote(sign) for sign in path)
    url = httpx.URL(served.url).copy_with(raw_path=b"/kling/v1/" + raw.encode())
    reply = served.http.get(url, timeout=TIMEOUT_S)
    assert reply.status_code < 500
    look_over(reply)


def test_the_description_names_what_is_served(served: Served) -> None:
    for path, methods in DESCRIPTION["paths"].items():
        known = {method.upper() for method in methods}
        real = path.replace("{task_id}", "x")
        refusal = served.http.request("TRACE", real)
        assert refusal.status_code == 405, path
        allowed = set(refusal.headers["allow"].split(", "))
        assert known <= allowed
        if not path.startswith("/kling"):
            assert known == allowed
        assert path.startswith(PATHS)
    assert served.http.get("/openapi.json").json() == DESCRIPTION
    assert threading.active_count() < 100
