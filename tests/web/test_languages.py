"""What callers over HTTP are told, in the language that their Accept-Language asks for."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from core.practice.server import PracticeServer
from tests.web.serving import QUICK, Served, serving_practice

CHINESE = re.compile(r"[\u4e00-\u9fff]")
ZH = {"Accept-Language": "zh-CN,zh;q=0.9,en;q=0.8"}
ASKED = {"model": "deepseek-flash", "messages": [{"role": "user", "content": "你好"}]}

CALLS: dict[str, dict[str, Any]] = {
    "no such path": {"method": "GET", "url": "/v1/nothing"},
    "wrong method": {"method": "PUT", "url": "/stream"},
    "no JSON": {"method": "POST", "url": "/complete", "content": "x"},
    "broken JSON": {
        "method": "POST",
        "url": "/complete",
        "content": "{",
        "headers": {"Content-Type": "application/json"},
    },
    "a field of a chat": {
        "method": "POST",
        "url": "/v1/chat/completions",
        "json": {**ASKED, "temperature": 9},
    },
    "a message": {"method": "POST", "url": "/complete", "json": {"messages": ["hello"]}},
    "not offered": {"method": "POST", "url": "/complete", "json": {**ASKED, "tools": [1]}},
    "too long a question": {
        "method": "POST",
        "url": "/complete",
        "json": {"question": "y" * 1_000_001},
    },
    "a model that is gone": {
        "method": "POST",
        "url": "/v1/chat/completions",
        "json": {**ASKED, "model": "deepseek-chat"},
    },
    "a field of a picture": {
        "method": "POST",
        "url": "/kling/v1/images/generations",
        "json": {"prompt": "a cat", "n": "many"},
    },
    "a rule of a picture": {
        "method": "POST",
        "url": "/kling/v1/images/generations",
        "json": {"prompt": ""},
    },
    "a path of Kling's": {"method": "GET", "url": "/kling/v1/..%2f"},
    "an old link": {"method": "GET", "url": "/transfer/import?ticket=x&file=f"},
}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with (
        PracticeServer(settings=QUICK) as practice,
        serving_practice(tmp_path_factory.mktemp("languages"), practice) as running,
    ):
        yield running


def sentence(served: Served, call: dict[str, Any], headers: dict[str, str]) -> str:
    reply = served.http.request(**{**call, "headers": {**call.get("headers", {}), **headers}})
    assert reply.status_code >= 400
    body = reply.json()
    error = body.get("error", body.get("message"))
    return str(error["message"] if isinstance(error, dict) else error)


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
def test_a_refusal_is_in_the_readers_language(served: Served, call: dict[str, Any]) -> None:
    chinese = sentence(served, call, ZH)
    ours = chinese.partition(" (")[0]  # in brackets stand the provider's own words
    assert CHINESE.search(ours), chinese
    assert not re.search(r"[A-Za-z]+ [a-z]+ [a-z]+ [a-z]+", ours), chinese
    for headers in ({}, {"Accept-Language": "de"}, {"Accept-Language": "en-GB,zh;q=0.2"}):
        english = sentence(served, call, headers)
        assert not CHINESE.search(english), english
        assert " " in english, "an id, and no sentence"


def test_a_cache_keeps_the_languages_apart(served: Served) -> None:
    reply = served.http.get("/v1/nothing", headers=ZH)
    assert "Accept-Language" in reply.headers["vary"]


def test_the_contracts_own_sentence_stays_whatever_is_read(served: Served) -> None:
    for headers in ({}, ZH):
        assert served.http.get("/stream", headers=headers).text == "缺少参数:question"
