"""The contract's rows that need a provider, a store or a configuration of their own."""

import asyncio
import json
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from core.storage.db.errors import store_error
from core.web.chat.reader import AnswerReader
from core.web.server import middleware
from core.web.timings import HttpTimings
from core.work.process_studio import close_studio, opening_error
from tests.upstream import Plan, Step, Upstream, whole
from tests.waiting import PATIENCE_S, until
from tests.web.events import hear
from tests.web.serving import ask_once, serving


def test_an_upstream_that_is_not_there_is_our_fault(tmp_path: Path) -> None:
    nowhere = "http://127.0.0.1:9/chat/completions"
    with serving(tmp_path, chat_url=nowhere, build=ask_once) as served:
        reply = served.http.get("/complete", params={"question": "你好"})
        assert reply.status_code == 500
        assert "127.0.0.1:9 cannot be reached" in reply.json()["error"]


def test_the_body_of_a_refusal_is_cut_at_800_characters(tmp_path: Path) -> None:
    def plan(_body: dict[str, Any]) -> Plan:
        yield Step(0, whole({"error": {"message": "x" * 3000}}, "418 I'm a teapot"))

    with Upstream(plan) as upstream, serving(tmp_path, chat_url=upstream.url) as served:
        reply = served.http.get("/complete", params={"question": "你好"})
        assert reply.status_code == 418
        assert len(reply.json()["body"]) == 800
        assert reply.json()["body"].startswith('{"error": {"message": "xxx')


def test_a_posted_chat_carries_its_history_to_the_provider(tmp_path: Path) -> None:
    def plan(_body: dict[str, Any]) -> Plan:
        yield Step(0, whole({"choices": [{"message": {"content": "好"}, "finish_reason": "stop"}]}))

    chat = {
        "messages": [
            {"role": "system", "content": "short"},
            {"role": "user", "content": "一"},
            {"role": "assistant", "content": "二"},
            {"role": "user", "content": [{"type": "text", "text": "三"}]},
        ],
        "model": "some-model",
        "parameters": {"temperature": 0.5, "max_tokens": 99},
    }
    with Upstream(plan) as upstream, serving(tmp_path, chat_url=upstream.url) as served:
        assert served.http.post("/complete", json=chat).json() == {"content": "好"}
        heard = hear(served.http, "/stream", method="POST", json=chat)
        assert heard.text == "好"
        sent = upstream.exchanges[0].body
        assert [(one["role"], one["content"]) for one in sent["messages"]] == [
            ("system", "short"),
            ("user", "一"),
            ("assistant", "二"),
            ("user", "三"),
        ]
        assert sent["model"] == "some-model"
        assert (sent["temperature"], sent["max_tokens"]) == (0.5, 99)
        kept = served.kept(heard.answer_id)
        path = served.studio.store.messages.path("local", kept.conversation_id)
        assert [message.content for message in path] == ["一", "二", "三", "好"]


def test_a_store_that_cannot_be_written_is_not_ready(tmp_path: Path) -> None:
    with serving(tmp_path) as served:
        until(lambda: _made_a_folder(tmp_path / "inkling.sqlite3"), "a folder in its place")
        served.studio.store.close()  # whoever works in the background had it open meanwhile
        reply = served.http.get("/readyz")
        assert reply.status_code == 503
        assert str(tmp_path) not in reply.text
        for _ in range(2):  # before the store is known to be in trouble, and after
            heard = hear(served.http, "/stream", params={"question": "q"})
            assert "store" in heard.errors[0]["error"]
            assert str(tmp_path) not in json.dumps(heard.errors)
            assert heard.has_ended
        whole = served.http.get("/complete", params={"question": "q"})
        assert whole.status_code == 503
        assert str(tmp_path) not in whole.text
        for streams in (False, True):  # nothing is begun that may still be refused
            chat = {"messages": [{"role": "user", "content": "q"}], "stream": streams}
            reply = served.http.post("/v1/chat/completions", json=chat)
            assert reply.status_code == 503
            assert str(tmp_path) not in reply.text
        (tmp_path / "inkling.sqlite3").rmdir()


def test_a_store_that_is_slow_to_refuse_still_gives_a_stream_its_status(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fell_silent = threading.Event()
    spoke = AnswerReader.spoke

    def note(reader: AnswerReader) -> None:
        fell_silent.set()
        spoke(reader)

    def refuse(*_args: Any, **_named: Any) -> None:
        raise store_error("error.store_locked", "the store")

    def refuse_late(*_args: Any, **_named: Any) -> None:
        assert fell_silent.wait(PATIENCE_S)
        refuse()

    chat = {"messages": [{"role": "user", "content": "q"}], "stream": True}
    with serving(tmp_path, timings=HttpTimings(keep_alive_s=0.02)) as served:
        asked = served.studio.store.posted_chats
        monkeypatch.setattr(asked, "begin", refuse)
        hear(served.http, "/stream", params={"question": "q"})  # the trouble is known
        monkeypatch.setattr(AnswerReader, "spoke", note)
        monkeypatch.setattr(asked, "begin", refuse_late)
        reply = served.http.post("/v1/chat/completions", json=chat)
        assert fell_silent.is_set()
        assert reply.status_code == 503


def _made_a_folder(file: Path) -> bool:
    """Put a folder where the database was, unless somebody is quicker and makes the file again."""
    file.unlink(missing_ok=True)
    try:
        file.mkdir()
    except FileExistsError:
        return False
    return True


def test_a_studio_that_is_not_open_is_said_so() -> None:
    close_studio()
    transport = httpx.ASGITransport(Starlette(middleware=middleware()))

    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.get("/stream", params={"question": "x"})

    reply = asyncio.run(ask())
    assert reply.status_code == 503
    assert "still opening" in reply.json()["error"]
    assert reply.headers["retry-after"] == "2"


def test_a_studio_that_could_not_open_is_tried_again(tmp_path: Path) -> None:
    blocked = tmp_path / "data"
    blocked.write_text("a file where the folder should be")
    close_studio()

    def clear() -> None:
        until(opening_error, "the first try has failed")
        blocked.unlink()

    clearing = threading.Thread(target=clear)
    clearing.start()
    with serving(blocked, open_again_s=0.05) as served:
        assert served.http.get("/readyz").status_code == 200
    clearing.join()


def test_forwarding_takes_only_what_kling_needs_and_gives_back_what_it_said(
    tmp_path: Path,
) -> None:
    body = b'{"code":1234,"message":"\xe8\xaf\xb4"}'
    head = (
        b"HTTP/1.1 429 Too Many\r\nContent-Type: application/json\r\nRetry-After: 7\r\n"
        b"Set-Cookie: theirs=1\r\nX-Secret: no\r\nContent-Length: %d\r\n\r\n" % len(body)
    )

    def plan(_body: dict[str, Any]) -> Plan:
        yield Step(0, head + body)

    with Upstream(plan) as upstream:
        origin = upstream.url.removesuffix("/chat/completions")
        with serving(tmp_path, kling_origin=origin) as served:
            reply = served.http.post(
                "/kling/v1/videos/text2video?x=%2Fa&access_token=mine&y=1",
                json={"prompt": "说"},
                headers={
                    "Authorization": "Bearer the-page-has-its-own",
                    "Cookie": "session=secret",
                    "X-Custom": "no",
                    "Connection": "keep-alive, X-Custom",
                },
            )
            assert (reply.status_code, reply.content) == (429, body)
            assert reply.headers["retry-after"] == "7"
            assert "set-cookie" not in reply.headers
            assert "x-secret" not in reply.headers
            (exchange,) = upstream.exchanges
            assert exchange.path == "/v1/videos/text2video?x=%2Fa&y=1"
            assert exchange.body == {"prompt": "说"}
            assert exchange.headers["authorization"].startswith("bearer kling-live")
            assert not {"cookie", "x-custom", "origin"} & exchange.headers.keys()
            assert "mine" not in json.dumps(exchange.headers)


def test_kling_out_of_reach_is_a_bad_gateway_and_nothing_is_left_to_be_bought(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.web.kling.create.OFFLINE_TIMEOUT_S", 0.1)
    with serving(tmp_path, kling_origin="http://127.0.0.1:9") as served:
        reply = served.http.post("/kling/v1/images/generations", json={"prompt": "x"})
        assert (reply.status_code, reply.json()["code"]) == (502, 5000)
        (generation,) = served.studio.store.generation_lists.list("local").items
        assert generation.status == "cancelled"
        reply = served.http.get("/kling/v1/images/generations/abc")
        assert reply.status_code == 502 or reply.status_code == 504
