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


class LoopEndedError(RuntimeError):
    """The studio is being closed: its loop takes nothing more from other threads."""


class LoopThread:
    """An asyncio loop in a daemon thread of its own, used from any other thread.

    What other threads hand over is run, or refused with LoopEndedError once `close` was called.
    """

    def __init__(self, name: str = "inkling-studio") -> None:
        self._loop = new_event_loop()
        self._lock = threading.Lock()  # between what is handed over and the end
        self._is_ended = False
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
        with self._lock:
            if not self._is_ended:
                return asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        coroutine.close()
        raise LoopEndedError

    def spawn(self, coroutine: Coroutine[Any, Any, None], *, name: str) -> None:
        """Start a background task from any thread; what it raises is logged."""
        if threading.current_thread() is self._thread:
            self._start(coroutine, name)
            return
        try:
            self._hand_over(self._start, coroutine, name)
        except LoopEndedError:
            coroutine.close()
            raise

    def post(self, callback: Callable[[], object]) -> None:
        """Run `callback` on the loop soon."""
        self._hand_over(callback)

    def close(self) -> None:
        """Cancel what still runs, wait for it to clean up, and end the thread."""
        with self._lock:
            if self._is_ended:
                return
            # Whatever was handed over stands before this in the loop's queue: it is cancelled too.
            self._is_ended = True
            stopping = asyncio.run_coroutine_threadsafe(self._cancel_all(), self._loop)
        try:
            stopping.result(STOP_TIMEOUT_S)
        except TimeoutError:
            logger.warning("Background work did not end within %.0f s", STOP_TIMEOUT_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(STOP_TIMEOUT_S)

    def _hand_over(self, callback: Callable[..., object], *arguments: Any) -> None:
        with self._lock:
            if self._is_ended and threading.current_thread() is not self._thread:
                raise LoopEndedError
            # An empty context: what runs there must not carry the page session that started it.
            context = contextvars.Context()
            self._loop.call_soon_threadsafe(callback, *arguments, context=context)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
        finally:
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.run_until_complete(self._loop.shutdown_default_executor())
            self._loop.close()

    def _start(self, coroutine: Coroutine[Any, Any, None], name: str) -> None:
        task = self._loop.create_task(coroutine, name=name, context=contextvars.Context())
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[Any]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("Background task %s ended with an error", task.get_name(), exc_info=error)

    async def _cancel_all(self) -> None:
        """Cancel until nothing runs: what is cancelled may begin something to clean up with."""
        current = asyncio.current_task()
        while tasks := [task for task in asyncio.all_tasks() if task is not current]:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await asyncio.sleep(0)  # what they posted
