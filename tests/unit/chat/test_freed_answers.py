"""Whatever becomes of an answer, nothing of it waits for the garbage collector.

That looks at old objects seldom: what refers to itself stays, with every text and body that it
holds, long after its answer has ended.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.access.owners import LOCAL_OWNER
from core.models.chat import AnswerStatus, ChatParameters
from core.settings import ChatSettings, Secret, Settings
from core.work.studio import Studio
from tests.garbage import assert_freed
from tests.upstream import DONE, STREAM_HEAD, Plan, Step, Upstream, completion, ending, event, whole
from tests.waiting import until

WATCHED = ("core.", "httpx", "aiohttp.client_reqrep", "aiohttp.streams")
KEPT = ("core.storage.db.column_types",)  # of statements
CALL = {"index": 0, "id": "c1", "function": {"name": "look", "arguments": '{"at": 1}'}}
ENDED = ending() + DONE
STREAMS: dict[str, tuple[AnswerStatus, bytes]] = {
    "said": (AnswerStatus.COMPLETE, 400 * event(content="ink is soot ") + ENDED),
    "thought": (
        AnswerStatus.COMPLETE,
        event(reasoning_content="hm ") + event(content="soot") + ENDED,
    ),
    "tags": (AnswerStatus.COMPLETE, event(content="<think>hm</think>soot <") + ENDED),
    "a call": (AnswerStatus.COMPLETE, event(tool_calls=[CALL]) + ending("tool_calls") + DONE),
    "cut off": (AnswerStatus.CUT_OFF, 3 * event(content="ink is ")),
    "an error within": (
        AnswerStatus.CUT_OFF,
        event(content="ink is ") + b'data: {"error": {"message": "overloaded"}}\n\n',
    ),
    "not JSON": (AnswerStatus.COMPLETE, b"data: {broken\n\n" + event(content="soot") + ENDED),
    "nothing": (AnswerStatus.COMPLETE, DONE),
    "two versions": (
        AnswerStatus.COMPLETE,
        event(content="ink " * 9) + event(content="ink " * 20) + ENDED,
    ),
}
REPLIES: dict[str, tuple[AnswerStatus, bytes]] = {
    "refused": (AnswerStatus.FAILED, whole({"error": {"message": "no"}}, "401 Unauthorized")),
    "no stream": (AnswerStatus.COMPLETE, completion("soot and glue")),
    "a page": (
        AnswerStatus.FAILED,
        b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 6\r\n\r\n<html>",
    ),
}
KINDS = STREAMS | REPLIES


def plan(body: dict[str, Any]) -> Plan:
    """Answer as the question says."""
    kind = next((kind for kind in KINDS if f"[{kind}]" in str(body["messages"])), "")
    if kind:
        yield Step(data=(STREAM_HEAD if kind in STREAMS else b"") + KINDS[kind][1])
        return
    yield Step(data=STREAM_HEAD + event(content="first "))
    yield Step(data=None)


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    with Upstream(plan) as upstream:
        opened = Studio.open(
            Settings(
                data_dir=Path(tmp_path_factory.mktemp("freed")),
                chat=ChatSettings(url=upstream.url, api_key=Secret("sk-freed-0123456789abcdef")),
            )
        )
        yield opened
        opened.close()


def ask(studio: Studio, kind: str, *, stream: bool) -> AnswerStatus:
    """Ask, and return how the answer ended; what stands still is stopped."""
    conversation = studio.store.conversations.create(LOCAL_OWNER, title="named")
    parameters = ChatParameters(stream=stream)
    live = studio.answers.ask(LOCAL_OWNER, conversation, f"[{kind}]", parameters)
    if kind not in KINDS:
        # Asked for whole, it tells nothing before its end.
        until(lambda: live.has_grown or (live.is_asked and not stream), "it is under way")
        studio.answers.stop(LOCAL_OWNER, live.message_id)
    assert live.saved.wait(60)
    return live.snapshot().status


@pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])
@pytest.mark.parametrize("kind", [*KINDS, "stopped"])
def test_an_answer_is_freed_when_it_has_ended(studio: Studio, kind: str, stream: bool) -> None:
    expected = KINDS[kind][0] if kind in KINDS else AnswerStatus.STOPPED

    def ask_it() -> None:
        assert ask(studio, kind, stream=stream) == expected

    # What X-ray keeps, it keeps on purpose.
    assert_freed(ask_it, *WATCHED, kept=KEPT, forget=studio.xray.ring.clear)
