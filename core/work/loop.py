"""One thread with one asyncio loop: where all network work of the process runs."""

import asyncio
import contextvars
import logging
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

try:  # a third less work for each piece of a stream; not to be had on Windows
    from uvloop import new_event_loop
except ImportError:
    from asyncio import new_event_loop  # type: ignore[assignment]

logger = logging.getLogger(__name__)

_Result = TypeVar("_Result")

STOP_TIMEOUT_S = 10.0


class LoopThread:
    """An asyncio loop in a daemon thread of its own, used from any other thread."""

    def __init__(self, name: str = "inkling-studio") -> None:
        self._loop = new_event_loop()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The asyncio loop itself."""
        return self._loop

    def call(
        self, coroutine: Coroutine[Any, Any, _Result], *, timeout_s: float | None = None
    ) -> _Result:
        """Run `coroutine` on the loop and return its result to the calling thread."""
        return self.submit(coroutine).result(timeout_s)

    def submit(self, coroutine: Coroutine[Any, Any, _Result]) -> Future[_Result]:
        """Start `coroutine` on the loop without waiting for it."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    def spawn(self, coroutine: Coroutine[Any, Any, None], *, name: str) -> None:
        """Start a background task from any thread; what it raises is logged."""
        if threading.current_thread() is self._thread:
            self._start(coroutine, name)
            return
        self._loop.call_soon_threadsafe(self._start, coroutine, name)

    def post(self, callback: Callable[[], object]) -> None:
        """Run `callback` on the loop soon."""
        self._loop.call_soon_threadsafe(callback, context=contextvars.Context())

    def close(self) -> None:
        """Cancel what still runs, wait for it to clean up, and end the thread."""
        if not self._thread.is_alive():
            return
        stopping = asyncio.run_coroutine_threadsafe(self._cancel_all(), self._loop)
        try:
            stopping.result(STOP_TIMEOUT_S)
        except TimeoutError:
            logger.warning("Background work did not end within %.0f s", STOP_TIMEOUT_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(STOP_TIMEOUT_S)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
        finally:
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.run_until_complete(self._loop.shutdown_default_executor())
            self._loop.close()

    def _start(self, coroutine: Coroutine[Any, Any, None], name: str) -> None:
        # An empty context: a task must not carry the page session that happened to start it.
        task = self._loop.create_task(coroutine, name=name, context=contextvars.Context())
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[Any]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("Background task %s ended with an error", task.get_name(), exc_info=error)

    async def _cancel_all(self) -> None:
        current = asyncio.current_task()
        tasks = [task for task in asyncio.all_tasks() if task is not current]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
