"""The studio's loop at its end: nothing is left half way, and nothing new is taken."""

import asyncio
import logging
import threading
from concurrent.futures import CancelledError

import pytest

from core.work.loop import LoopEndedError, LoopThread


def test_what_begins_while_others_clean_up_is_ended_too(caplog: pytest.LogCaptureFixture) -> None:
    loop = LoopThread()
    began, ended = threading.Event(), []

    async def late(name: str, more: int) -> None:
        try:
            await asyncio.to_thread(lambda: None)
            await asyncio.sleep(60)
        finally:
            ended.append(name)
            if more:  # on the loop itself, in the midst of its end
                loop.spawn(late(f"{name}'", more - 1), name="late")

    async def first() -> None:
        began.set()
        try:
            await asyncio.sleep(60)
        finally:
            loop.spawn(late("a", 2), name="late")

    loop.spawn(first(), name="first")
    assert began.wait(60)
    with caplog.at_level(logging.WARNING):
        loop.close()
    # Each was cancelled, at its first step or before it: none came to the closed executor.
    assert set(ended) <= {"a", "a'", "a''"}
    assert caplog.messages == []


def test_what_comes_from_other_threads_at_the_end_is_run_whole_or_refused() -> None:
    """Many threads post and call while the loop ends: each hears of it, none waits for ever."""
    loop = LoopThread()
    go = threading.Event()
    refused: list[int | BaseException] = []
    ended: list[int] = []

    async def work() -> None:
        try:
            await asyncio.to_thread(lambda: None)
        finally:
            ended.append(1)

    def caller() -> None:
        go.wait(60)
        while True:
            coroutine = work()
            try:
                loop.call(coroutine, timeout_s=120)
            except LoopEndedError:
                refused.append(1)
                break
            except CancelledError:  # it ran, and was ended
                pass
            except BaseException as error:
                refused.append(error)
                break

    threads = [threading.Thread(target=caller) for _ in range(8)]
    for thread in threads:
        thread.start()
    go.set()
    while len(ended) < 50:
        pass
    loop.close()
    for thread in threads:
        thread.join(150)
    assert refused == [1] * 8
    with pytest.raises(LoopEndedError):
        loop.post(lambda: None)
    with pytest.raises(LoopEndedError):
        loop.spawn(work(), name="late")
