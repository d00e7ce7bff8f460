"""What all routes share while a studio is open."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from core.access.owners import LOCAL_OWNER
from core.errors import AppError, StoreError
from core.web.chat.audience import Audiences, audience_key
from core.web.chat.posted.body_room import BodyRoom
from core.web.chat.posted.end_users import EndUsers
from core.web.chat.posted.request import ChatRequest, Dialect
from core.web.chat.reader import AnswerReader
from core.web.http_call import LARGE_BYTES, HttpCall, HttpCallError
from core.web.http_errors import STORE_TEXT_ID
from core.web.loop_notifier import LoopNotifier
from core.web.timings import HttpTimings
from core.work.chat.buffers.cursors import Cursor
from core.work.chat.live_answer import LiveAnswer
from core.work.loop import LoopEndedError
from core.work.studio import Studio

_Result = TypeVar("_Result")

# Tokens are the owner's own, handed to their front ends: what those ask is the owner's history.
OWNER = LOCAL_OWNER


class StudioBridge:
    """The studio as the server's loop reaches it: nothing here blocks the loop."""

    def __init__(self, studio: Studio, timings: HttpTimings) -> None:
        self.studio = studio
        self.timings = timings
        self._loop = asyncio.get_running_loop()
        self.notifier = LoopNotifier(self._loop)
        self._tasks: set[asyncio.Task[Any]] = set()  # of the studio's loop
        self.body_room = BodyRoom()
        self.end_users = EndUsers(studio.store.key_values)
        self.audiences = Audiences(self.stop, self._sign_of, grace_s=timings.reader_grace_s)

    @property
    def default_model(self) -> str:
        """The model of a question that names none."""
        return self.studio.chat_models()[0]

    async def run(self, coroutine: Coroutine[Any, Any, _Result]) -> _Result:
        """Run a coroutine on the studio's loop and wait for it here; LoopEndedError."""
        done: asyncio.Future[_Result] = self._loop.create_future()

        def start() -> None:
            task = self.studio.loop.loop.create_task(coroutine)
            self._tasks.add(task)
            task.add_done_callback(end)

        def end(task: "asyncio.Task[_Result]") -> None:
            self._tasks.discard(task)
            self.notifier.notify(partial(_settle, done, task))

        # Not as a concurrent future: hundreds of results at once cost one wake-up of this loop.
        try:
            self.studio.loop.post(start)
        except LoopEndedError:
            coroutine.close()
            raise
        return await done

    async def in_thread(self, function: Callable[..., _Result], *arguments: object) -> _Result:
        """Run what blocks in a thread; StoreError becomes a refusal with its status."""
        try:
            return await asyncio.to_thread(function, *arguments)
        except StoreError as error:
            raise HttpCallError(503, STORE_TEXT_ID) from error

    def dialect(self, owner: str, *, thinks: bool) -> Dialect:
        """Return how an owner's chats are read: as whoever answers them understands them."""
        try:
            speaks_deepseek = self.studio.services.chat(owner).client.server.speaks_deepseek
        except AppError:  # which asking will tell
            speaks_deepseek = True
        return Dialect(self.default_model, speaks_deepseek=speaks_deepseek, thinks=thinks)

    async def ask(self, request: ChatRequest, call: HttpCall, *, whole: bool = False) -> LiveAnswer:
        """Start an answer for a caller; `whole` has the provider send it in one piece."""
        parameters, options = request.parameters, request.options
        if parameters.stream is whole:
            parameters = replace(parameters, stream=not whole)
        if options.user_id is None:
            end_user = await self.end_users.id_of(call.caller, request.end_user)
            options = replace(options, user_id=end_user) if end_user else options
        ask = partial(
            self.studio.answers.ask_posted,
            call.owner,
            request.turns,
            parameters,
            options=options,
            attached=request.attached,
            caller=call.caller,
        )
        live = await asyncio.to_thread(ask) if call.body_size > LARGE_BYTES else ask()
        call.pays_again, call.answer = True, live
        return live

    def reader(
        self, call: HttpCall, live: LiveAnswer, cursor: Cursor | None = None
    ) -> AnswerReader:
        """Return a reader of a running answer, from `cursor` on."""
        silence_s = self.timings.keep_alive_s
        return AnswerReader(call, live, self.notifier, keep_alive_s=silence_s, cursor=cursor)

    async def _sign_of(self, answer_id: str) -> object:
        return await asyncio.to_thread(self.studio.store.key_values.get, audience_key(answer_id))

    def stop(self, answer_id: str) -> None:
        """Stop an answer, soon."""
        live = self.studio.answers.live(answer_id)
        owner = OWNER if live is None else live.owner
        # Where it has just ended, stopping asks the store: not on the loop.
        self._loop.run_in_executor(None, self.studio.answers.stop, owner, answer_id)


def _settle(done: "asyncio.Future[_Result]", task: "asyncio.Task[_Result]") -> None:
    if done.done():
        return
    if task.cancelled():
        done.cancel()
    elif (error := task.exception()) is not None:
        done.set_exception(error)
    else:
        done.set_result(task.result())
