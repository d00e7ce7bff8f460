"""A caller who reads a running answer: what it leaves behind."""

import asyncio
import gc
import weakref
from datetime import UTC, datetime

from core.models.chat import AnswerStatus, Message
from core.models.deltas import Delta
from core.web.chat.reader import AnswerReader
from core.web.http_call import HttpCall
from core.web.loop_notifier import LoopNotifier
from core.work.chat.live_answer import LiveAnswer

SCOPE = {"type": "http", "method": "GET", "path": "/stream", "headers": []}


def running() -> LiveAnswer:
    message = Message(
        id="a" * 32,
        conversation_id="c" * 32,
        parent_id=None,
        role="assistant",
        content="",
        created_at=datetime(2026, 11, 22, tzinfo=UTC),
        status=AnswerStatus.RUNNING,
    )
    return LiveAnswer(message, "local")


async def read_to_the_end(live: LiveAnswer) -> str:
    async def receive() -> dict[str, object]:
        await asyncio.Event().wait()
        raise AssertionError

    async def send(_message: object) -> None:
        raise AssertionError

    call = HttpCall(SCOPE, receive, send)
    notifier = LoopNotifier(asyncio.get_running_loop())
    async with AnswerReader(call, live, notifier, keep_alive_s=15) as reader:
        live.add(Delta("content", ["你好"]))
        await reader.wait()
        text = "".join(reader.take().content)
        live.finish(AnswerStatus.COMPLETE)
        await reader.wait()
        assert reader.take().is_final
    return text


def test_the_text_is_let_go_at_once_and_not_when_the_collector_comes_round() -> None:
    async def main() -> None:
        live = running()
        assert await read_to_the_end(live) == "你好"
        gone = weakref.ref(live)
        del live
        while asyncio.all_tasks() - {asyncio.current_task()}:  # that watched for a hang-up
            await asyncio.sleep(0)
        assert gone() is None

    gc.collect()
    gc.disable()
    try:
        asyncio.run(main())
    finally:
        gc.enable()
