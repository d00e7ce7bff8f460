"""Whatever is asked over HTTP, nothing of it waits for the garbage collector."""

from collections.abc import Callable, Iterator

import pytest

from core.practice.server import PracticeServer
from core.web.timings import HttpTimings
from tests.garbage import assert_freed
from tests.upstream import DONE, STREAM_HEAD, Plan, Step, Upstream, completion, ending, event
from tests.waiting import until
from tests.web.events import opened
from tests.web.serving import QUICK, Served, ask_once, serving

WATCHED = ("core.", "starlette", "aiohttp.client_reqrep", "aiohttp.streams")
# What is kept on purpose: statements' types, practice's tasks, and what a task was last told.
KEPT = (
    "core.storage.db.column_types",
    "core.practice",
    "core.web.kling.shared_polls",
    "core.providers.kling.signed_calls.KlingReply",
)
MESSAGES = [{"role": "user", "content": "what is ink made of"}]


def plan(body: dict[str, object]) -> Plan:
    """Answer, break off, or stand still, as the question says."""
    if not body.get("stream"):
        yield Step(data=completion("soot and glue"))
        return
    yield Step(data=STREAM_HEAD + 300 * event(content="soot "))
    if "stand still" in str(body["messages"]):
        yield Step(data=None)
    elif "break off" not in str(body["messages"]):
        yield Step(data=ending() + DONE)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("freed")
    with (
        PracticeServer(settings=QUICK) as practice,
        Upstream(plan) as upstream,
        serving(
            folder,
            chat_url=upstream.url,
            kling_origin=practice.origin,
            build=ask_once,
            timings=HttpTimings(reader_grace_s=0.05),
        ) as it,
    ):
        yield it


def stream(question: str) -> Callable[[Served], None]:
    def ask(served: Served) -> None:
        with opened(served.http, "/stream", params={"question": question}) as (_, reading):
            for _ in reading:
                pass

    return ask


def leave(served: Served) -> None:
    asked = {"question": "stand still"}
    with opened(served.http, "/stream", params=asked) as (_, reading):
        answer = next(heard.answer_id for heard in reading if heard.text)
    served.kept(answer)  # stopped, since nobody reads it


def stop(served: Served) -> None:
    asked = {"question": "stand still"}
    with opened(served.http, "/stream", params=asked) as (_, reading):
        for heard in reading:
            if heard.text:
                served.studio.answers.stop("local", heard.answer_id)


def post(path: str, body: dict[str, object], status: int = 200) -> Callable[[Served], None]:
    def ask(served: Served) -> None:
        reply = served.http.post(path, json=body)
        assert reply.status_code == status, reply.text

    return ask


def get(path: str, status: int = 200) -> Callable[[Served], None]:
    def ask(served: Served) -> None:
        assert served.http.get(path).status_code == status

    return ask


def draw(served: Served) -> None:
    """Draw a picture, as far as the archive."""
    asked = {"model_name": "kling-v2-1", "prompt": "a hill", "n": 1}
    task = served.http.post("/kling/v1/images/generations", json=asked).json()["data"]["task_id"]
    path = f"/kling/v1/images/generations/{task}"
    until(lambda: served.http.get(path).json()["data"]["task_status"] == "succeed", "it is drawn")


MODEL: dict[str, object] = {"model": "deepseek-chat", "messages": MESSAGES}
CALLS: dict[str, Callable[[Served], None]] = {
    "stream": stream("what is ink made of"),
    "broken off": stream("break off"),
    "left": leave,
    "stopped": stop,
    "complete": post("/complete", {"question": "what is ink made of"}),
    "openai": post("/v1/chat/completions", MODEL),
    "openai streamed": post("/v1/chat/completions", MODEL | {"stream": True}),
    "responses": post("/v1/responses", {"model": "deepseek-chat", "input": "ink?", "stream": True}),
    "refused": post("/v1/chat/completions", MODEL | {"messages": []}, 400),
    "not there": get("/v1/nothing", 404),
    "ready": get("/readyz"),
    "ledger": get("/ledger"),
    "metrics": get("/metrics"),
    "a picture": draw,
    "no such model": post("/kling/v1/images/generations", {"model_name": "x", "prompt": "y"}, 400),
}


@pytest.mark.parametrize("call", CALLS)
def test_a_request_is_freed_when_it_has_ended(served: Served, call: str) -> None:
    assert_freed(
        lambda: CALLS[call](served), *WATCHED, kept=KEPT, forget=served.studio.xray.ring.clear
    )
