"""`/mcp` by the official SDK's client, over real sockets, in both ages of the protocol."""

import asyncio
import contextlib
import json
import logging
from collections.abc import Awaitable, Callable, Iterator
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
import mcp.types as types
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError

from core.errors import StoreError
from core.models.money.amounts import plain
from core.models.money.ledger import LedgerLine
from core.practice.server import PracticeServer
from core.settings import AccessSettings, Secret
from core.storage.db.key_values import KeyValues
from core.storage.money.filters import LedgerFilter
from core.web.diagnostics import request_log
from core.web.mcp.studio_tools import StudioTools
from core.wire.log_form import FACTS
from core.work.process_studio import close_studio, current_studio, open_studio
from core.work.studio import Studio
from tests.crash.workshop import QUICK as SOON
from tests.waiting import until
from tests.web.serving import KLING_KEY, QUICK, Served, serving_practice

soon = partial(Studio.open, timings=SOON)
TOKEN = "inkling-token-of-ann-0123456789"
READER = "inkling-token-of-rex-0123456789"
AGES = ["legacy", "2026-07-28"]
TOOLS = {"ask", "draw_picture", "look_at_task", "find_in_history"}


@pytest.fixture(scope="module")
def practice() -> Iterator[PracticeServer]:
    with PracticeServer(settings=QUICK) as server:
        yield server


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, practice: PracticeServer) -> Iterator[Served]:
    access = AccessSettings(
        tokens={"ann": Secret(TOKEN), "rex": Secret(READER)},
        token_scopes={"rex": frozenset({"read"})},
    )
    folder = tmp_path_factory.mktemp("mcp")
    with serving_practice(folder, practice, access=access, build=soon) as running:
        yield running


class Person:
    """Answers what a program's user is asked, and remembers it."""

    def __init__(self, action: str = "accept", *, spend: bool = True) -> None:
        self.questions: list[str] = []
        self._action, self._spend = action, spend

    async def __call__(self, context: Any, params: Any) -> types.ElicitResult:
        self.questions.append(params.message)
        content = {"spend": self._spend} if self._action == "accept" else None
        return types.ElicitResult(action=self._action, content=content)  # type: ignore[arg-type]


Work = Callable[[Client], Awaitable[Any]]


def using(
    served: Served,
    work: Work,
    *,
    age: str = "legacy",
    person: Person | None = None,
    token: str = "",
) -> Any:
    """Return what some work with the official client brings."""

    async def run() -> Any:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        headers["Accept-Language"] = "en"
        async with (
            httpx2.AsyncClient(headers=headers, timeout=30, trust_env=False) as http,
            Client(
                streamable_http_client(f"{served.url}/mcp", http_client=http),
                mode=age,
                elicitation_callback=person,
            ) as client,
        ):
            return await work(client)

    return asyncio.run(run())


def call(name: str, **arguments: Any) -> Work:
    return lambda client: client.call_tool(name, arguments)


def words(result: Any) -> str:
    return str(result.content[0].text)


def lines(served: Served) -> list[LedgerLine]:
    return list(served.studio.store.ledger.every(LedgerFilter()))


@pytest.mark.parametrize("age", AGES)
def test_every_tool_is_listed_and_works(served: Served, practice: PracticeServer, age: str) -> None:
    async def work(client: Client) -> None:
        listed = await client.list_tools()
        assert {tool.name for tool in listed.tools} == TOOLS
        assert all(tool.description and tool.input_schema["properties"] for tool in listed.tools)

        told = await client.call_tool("ask", {"question": f"砚台 {age}", "max_tokens": 300})
        assert not told.is_error
        assert len(words(told)) > 5

        before = practice.counters.tasks_accepted
        drawn = await client.call_tool("draw_picture", {"prompt": f"a hill of {age}", "n": 2})
        facts = json.loads(words(drawn))
        assert (facts["status"], len(facts["pictures"])) == ("succeeded", 2)
        assert facts == drawn.structured_content
        assert [one.type for one in drawn.content[1:]] == ["image", "image"]
        assert practice.counters.tasks_accepted == before + 1

        looked = await client.call_tool("look_at_task", {"task": facts["task"]})
        assert json.loads(words(looked)) == facts

        served.studio.store.search_index.catch_up()
        found = await client.call_tool("find_in_history", {"words": f"hill of {age}"})
        assert [one["task"] for one in found.structured_content["pictures"]] == [facts["task"]]
        found = await client.call_tool("find_in_history", {"words": f"砚台 {age}"})
        assert found.structured_content["conversations"]

    using(served, work, age=age)
    settled = until(
        lambda: (got := lines(served)) and all(one.state != "reserved" for one in got) and got,
        "the lines are settled",
    )
    assert {"chat", "image"} <= {one.kind for one in settled}
    assert {one.caller for one in settled} == {"local"}


DEAR = {"prompt": "nine dear hills", "n": 9}


@pytest.mark.parametrize("age", AGES)
def test_what_is_dear_is_asked_for_first_or_refused(
    served: Served, practice: PracticeServer, age: str
) -> None:
    before = practice.counters.tasks_accepted
    nobody = using(served, call("draw_picture", **DEAR), age=age)
    assert nobody.is_error
    assert "ask_above" in words(nobody)
    for person in (Person("decline"), Person("cancel"), Person(spend=False)):
        declined = using(served, call("draw_picture", **DEAR), age=age, person=person)
        assert declined.is_error
        assert len(person.questions) == 1
        assert "¥1.8" in person.questions[0]
    assert practice.counters.tasks_accepted == before
    yes = Person()
    drawn = using(served, call("draw_picture", **DEAR), age=age, person=yes)
    assert not drawn.is_error, words(drawn)
    assert len(yes.questions) == 1
    assert practice.counters.tasks_accepted == before + 1


@pytest.mark.parametrize("age", AGES)
def test_a_repeat_under_one_key_buys_once(
    served: Served, practice: PracticeServer, age: str
) -> None:
    before = practice.counters.tasks_accepted
    asked = call("draw_picture", prompt="the same hill", key=f"hill-{age}")
    first, second = (using(served, asked, age=age) for _ in range(2))
    assert first.structured_content == second.structured_content
    assert practice.counters.tasks_accepted == before + 1


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("draw_picture", {"prompt": ""}),
        ("draw_picture", {"prompt": "x" * 2_501}),
        ("draw_picture", {"prompt": "x", "n": 0}),
        ("draw_picture", {"prompt": "x", "n": 10}),
        ("draw_picture", {"prompt": "x", "aspect_ratio": "7:1"}),
        ("draw_picture", {"prompt": "x", "model": "kling-v99"}),
        ("draw_picture", {"prompt": "x", "resolution": "8k"}),
        ("ask", {"question": ""}),
        ("ask", {"question": "x", "max_tokens": 0}),
        ("ask", {"question": "x", "model": "no-such-model"}),
        ("look_at_task", {"task": "nothing"}),
        ("look_at_task", {}),
        ("find_in_history", {"words": ""}),
        ("no_such_tool", {}),
    ],
)
def test_what_cannot_be_is_refused_with_a_reason_and_spends_nothing(
    served: Served, practice: PracticeServer, name: str, arguments: dict[str, Any]
) -> None:
    before = practice.counters.tasks_accepted, len(practice.picture_book)
    refused = using(served, call(name, **arguments))
    assert refused.is_error
    assert words(refused)
    assert "Traceback" not in words(refused)
    assert (practice.counters.tasks_accepted, len(practice.picture_book)) == before


def test_each_tool_asks_for_its_own_scope(served: Served) -> None:
    read = using(served, call("find_in_history", words="hill"), token=READER)
    assert not read.is_error
    for name, arguments in (("ask", {"question": "x"}), ("draw_picture", {"prompt": "x"})):
        refused = using(served, call(name, **arguments), token=READER)
        assert refused.is_error
        assert words(refused).startswith(f"Error executing tool {name}: This token")


def test_a_session_is_good_for_whoever_opened_it_only(served: Served) -> None:
    headers = {"Accept": "application/json, text/event-stream"}
    hello = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {
            "protocolVersion": "2025-06-18",
            "capabilities": {},
            "clientInfo": {"name": "t", "version": "1"},
        },
    }
    ann = headers | {"Authorization": f"Bearer {TOKEN}"}
    opened = served.http.post("/mcp", json=hello, headers=ann)
    session = {"Mcp-Session-Id": opened.headers["mcp-session-id"]}
    listing = {"jsonrpc": "2.0", "id": 2, "method": "tools/list"}
    rex = headers | {"Authorization": f"Bearer {READER}"}
    assert served.http.post("/mcp", json=listing, headers=rex | session).status_code == 404
    assert served.http.post("/mcp", json=listing, headers=ann | session).status_code == 200
    assert TOKEN not in opened.text


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"}, {"Host": "evil.example"}])
def test_who_is_not_let_in_sees_no_tool(served: Served, headers: dict[str, str]) -> None:
    refused = served.http.post("/mcp", json={}, headers=headers)
    assert refused.status_code == 403
    assert "tool" not in refused.text


def test_nothing_that_is_known_as_a_secret_comes_out(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        StudioTools, "described", lambda _self, _caller, one: {"task": one.id, "error": KLING_KEY}
    )
    for age in AGES:
        drawn = using(served, call("draw_picture", prompt="a hill of keys"), age=age)
        assert KLING_KEY not in str(drawn)
        assert "***" in str(drawn) or "…" in str(drawn)


def test_a_caller_who_leaves_stops_the_answer(served: Served, practice: PracticeServer) -> None:
    before = practice.counters.streams_closed_early

    async def work(client: Client) -> None:
        asking = client.call_tool("ask", {"question": "/practice slow 50 写 2000 字"})
        task = asyncio.create_task(asking)
        await asyncio.to_thread(
            until, lambda: practice.counters.streams_open, "it is being answered"
        )
        task.cancel()

    with contextlib.suppress(asyncio.CancelledError):
        using(served, work)
    until(lambda: practice.counters.streams_closed_early > before, "the answer was stopped")


def test_the_log_tells_what_an_answer_cost(
    served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger=request_log.__name__)
    using(served, call("ask", question="砚台的故事", max_tokens=200))

    store = served.studio.store
    newest = store.conversations.list("local", limit=1).items[0]
    message = store.messages.path("local", newest.id)[-1]

    def told() -> dict[str, Any] | None:
        facts = [getattr(record, FACTS, {}) for record in caplog.records]
        return next((one for one in facts if one.get("answer") == message.id), None)

    line = until(told, "the answer's line")  # those of earlier tests may come late
    assert line["route"] == "/mcp"
    assert (line["caller"], line["status"]) == ("local", 200)
    assert Decimal(line["cost"]) > 0
    ledger = [one for one in lines(served) if one.message_id == message.id]
    assert [plain(one.amount) for one in ledger if one.amount] == [line["cost"]]


def test_what_was_asked_before_a_restart_may_be_answered_after_it(
    tmp_path: Path, practice: PracticeServer
) -> None:
    """The newer revision keeps no session: the state comes back with the person's answer."""
    before = practice.counters.tasks_accepted
    with serving_practice(tmp_path, practice, build=soon) as running:

        class Slow(Person):
            async def __call__(self, context: Any, params: Any) -> types.ElicitResult:
                settings = running.studio.settings
                await asyncio.to_thread(close_studio)
                await asyncio.to_thread(open_studio, lambda: settings, soon)
                return await super().__call__(context, params)

        yes = Slow()
        drawn = using(running, call("draw_picture", **DEAR), age="2026-07-28", person=yes)
        assert current_studio() is not running.studio
        assert not drawn.is_error, words(drawn)
        assert len(yes.questions) == 1
    assert practice.counters.tasks_accepted == before + 1


def test_a_store_that_cannot_be_read_when_the_first_comes_is_tried_again(
    tmp_path: Path, practice: PracticeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_self: KeyValues, _key: str) -> bytes:
        raise StoreError("error.store_locked")

    with serving_practice(tmp_path, practice, build=soon) as running:
        with monkeypatch.context() as patched:
            patched.setattr(KeyValues, "secret", broken)
            refused = running.http.post("/mcp", json={})
            assert refused.status_code == 503
        assert not using(running, call("find_in_history", words="hill")).is_error


def test_a_closed_studio_serves_none_of_its_sessions(
    tmp_path: Path, practice: PracticeServer
) -> None:
    async def work(client: Client) -> None:
        await client.list_tools()
        await asyncio.to_thread(close_studio)
        with pytest.raises(MCPError):
            await client.list_tools()

    # Last here: a process has one studio.
    with serving_practice(tmp_path, practice, build=soon) as running:
        using(running, work)
