"""Chat answers that outlive the page that asked: started, watched and stopped from any thread.

Each answer is a job on the studio's loop. A question and its answer's row are stored before
anything is sent; the text so far is stored every SAVE_INTERVAL_S for all jobs in one transaction,
and once more at every way out: a killed process loses at most the last second of text.
"""

import asyncio
import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from core.errors import (
    AppError,
    AuthenticationError,
    InputError,
    QuotaExceededError,
    RateLimitError,
    RejectedError,
    StoreError,
    UnavailableError,
)
from core.models import AnswerStatus, ChatChunk, ChatParameters, Conversation, Message, Turn
from core.providers.deepseek import DeepSeek
from core.storage.asked import Ask
from core.storage.messages import AnswerDraft, SaveOutcome
from core.storage.store import Store
from core.wire.pacing import retry_delays
from core.work.live_answer import LiveAnswer
from core.work.loop import LoopThread
from core.work.titles import Titles, shortened
from core.work.together import Together

logger = logging.getLogger(__name__)

SAVE_INTERVAL_S = 0.5
LEASE_S = 15.0
CLOSE_TIMEOUT_S = 8.0
ATTEMPTS = 3

# What a person may ask in one message; DeepSeek's context is 1,048,576 tokens (deepseek.md §1).
QUESTION_LIMIT = 400_000

# Refused outright: asking again at once would be refused again.
_FINAL_ERRORS = (AuthenticationError, QuotaExceededError, RejectedError, InputError)


@dataclass(frozen=True, slots=True)
class ChatService:
    """Who answers: DeepSeek (or a compatible server), or the practice provider."""

    client: DeepSeek
    practice: bool


class Answers:
    """Starts, watches and stops the answers of one process."""

    def __init__(
        self,
        *,
        loop: LoopThread,
        store: Store,
        process_id: str,
        service: Callable[[str], ChatService],
        backoff: Callable[[], Sequence[float]] | None = None,
    ) -> None:
        self._loop = loop
        self._store = store
        self._process_id = process_id
        self._service = service
        self._backoff = backoff or _default_backoff
        self._titles = Titles(store)
        self._is_closing = False
        self._lock = threading.Lock()
        self._live: dict[str, LiveAnswer] = {}
        self._jobs: dict[str, asyncio.Task[None]] = {}
        self._stopping: set[str] = set()
        # Hundreds may be asked, and end, at once: what comes together shares a transaction.
        self._asks = Together(self._write_asks)
        self._ends = Together(self._write_ends)

    def start(self) -> None:
        """Begin to save what grows. Call once, after what a dead process left was settled."""
        self._loop.spawn(self._save_regularly(), name="save-answers")

    # -- use cases, from any thread ----------------------------------------------------------------

    def ask(
        self,
        owner: str,
        conversation: Conversation,
        question: str,
        parameters: ChatParameters,
        *,
        parent_id: str | None = None,
    ) -> LiveAnswer:
        """Store a question under the conversation's head (or `parent_id`) and start its answer."""
        question = _checked(question)
        service = self._service(owner)
        parent = parent_id if parent_id is not None else conversation.head_id
        return self._begin(owner, conversation, question, parent, parameters, service)

    async def ask_over_http(
        self,
        owner: str,
        question: str,
        parameters: ChatParameters,
        *,
        system_prompt: str = "",
        earlier: Sequence[Turn] = (),
    ) -> LiveAnswer:
        """Store a posted chat as a conversation of its own and start its answer. On the loop."""
        question = _checked(question)
        service = self._service(owner)
        ask = Ask(
            owner=owner,
            question=question,
            parameters=parameters,
            practice=service.practice,
            title=shortened(question),
            system_prompt=system_prompt,
            earlier=tuple(earlier),
        )
        live = LiveAnswer(await self._asks.write(ask), owner)
        with self._lock:
            self._live[live.message_id] = live
        turns = [*earlier, Turn("user", question)]
        if system_prompt.strip():
            turns.insert(0, Turn("system", system_prompt))
        self._loop.spawn(
            self._run(owner, None, live, parameters, service, posted=turns),
            name=f"answer-{live.message_id}",
        )
        return live

    def check(self, owner: str, question: str) -> None:
        """Raise what `ask` would raise before it stores anything."""
        self._service(owner)
        _checked(question)

    def edit(
        self,
        owner: str,
        conversation: Conversation,
        message: Message,
        question: str,
        parameters: ChatParameters,
    ) -> LiveAnswer:
        """Ask `message` in other words from the same place: a branch beside the old question."""
        service = self._service(owner)
        question = _checked(question)
        return self._begin(owner, conversation, question, message.parent_id, parameters, service)

    def regenerate(
        self, owner: str, conversation: Conversation, answer: Message, parameters: ChatParameters
    ) -> LiveAnswer:
        """Answer the same question again; the earlier answer stays as another version."""
        service = self._service(owner)
        return self._begin(owner, conversation, None, answer.parent_id, parameters, service)

    def resume(
        self, owner: str, conversation: Conversation, answer: Message, parameters: ChatParameters
    ) -> LiveAnswer:
        """Go on where `answer` was cut: a new version that starts with the text that is there."""
        return self._begin(
            owner,
            conversation,
            None,
            answer.parent_id,
            parameters,
            self._service(owner),
            content=answer.content,
            reasoning_content=answer.reasoning_content,
        )

    def live(self, message_id: str) -> LiveAnswer | None:
        """Return the running answer of this process with that id."""
        with self._lock:
            return self._live.get(message_id)

    def live_in(self, conversation_id: str) -> LiveAnswer | None:
        """Return the answer that is running in a conversation, in this process."""
        with self._lock:
            return next(
                (live for live in self._live.values() if live.conversation_id == conversation_id),
                None,
            )

    def running_conversations(self) -> frozenset[str]:
        """Return the conversations that are being answered in this process."""
        with self._lock:
            return frozenset(live.conversation_id for live in self._live.values())

    def is_title_awaited(self, conversation_id: str) -> bool:
        """Tell whether the model is still writing the conversation's title."""
        return self._titles.is_awaited(conversation_id)

    def stop(self, owner: str, message_id: str) -> None:
        """Close the upstream at once and keep what came; harmless when it has ended already."""
        with self._lock:
            live = self._live.get(message_id)
            is_ours = live is not None and live.owner == owner
            if is_ours:
                self._stopping.add(message_id)
        if is_ours:
            self._loop.post(lambda: self._cancel(message_id))
        else:
            self._store.messages.request_stop(owner, message_id)

    def close(self) -> None:
        """End every answer of this process as interrupted, with what came so far stored."""
        self._loop.call(self._close(), timeout_s=CLOSE_TIMEOUT_S)

    # -- the job -----------------------------------------------------------------------------------

    def _begin(
        self,
        owner: str,
        conversation: Conversation,
        question: str | None,
        parent_id: str | None,
        parameters: ChatParameters,
        service: ChatService,
        *,
        content: str = "",
        reasoning_content: str = "",
    ) -> LiveAnswer:
        _, answer = self._store.messages.begin_answer(
            owner,
            conversation.id,
            question=question,
            parent_id=parent_id,
            parameters=parameters,
            model=parameters.model,
            practice=service.practice,
            process_id=self._process_id,
            lease_s=LEASE_S,
            content=content,
            reasoning_content=reasoning_content,
        )
        if question is not None and not conversation.title:
            title = shortened(question)
            self._store.conversations.rename(owner, conversation.id, title, manual=False)
        live = LiveAnswer(answer, owner)
        with self._lock:
            self._live[answer.id] = live
        is_first = conversation.head_id is None
        self._loop.spawn(
            self._run(owner, conversation, live, parameters, service, has_title=not is_first),
            name=f"answer-{answer.id}",
        )
        return live

    def _write_asks(self, asks: Sequence[Ask]) -> Sequence[Message]:
        return self._store.asked.begin(asks, process_id=self._process_id, lease_s=LEASE_S)

    def _write_ends(self, ended: Sequence[Message]) -> Sequence[None]:
        self._store.messages.save_final(ended)
        return [None] * len(ended)

    async def _run(
        self,
        owner: str,
        conversation: Conversation | None,
        live: LiveAnswer,
        parameters: ChatParameters,
        service: ChatService,
        *,
        posted: Sequence[Turn] | None = None,
        has_title: bool = True,
    ) -> None:
        job = asyncio.current_task()
        assert job is not None
        with self._lock:
            self._jobs[live.message_id] = job
            was_stopped = live.message_id in self._stopping
        try:
            if was_stopped:  # before the job came to its first step
                raise asyncio.CancelledError
            status, error = await self._stream(
                owner, conversation, live, parameters, service, posted
            )
        except asyncio.CancelledError:
            with self._lock:
                was_stopped = live.message_id in self._stopping
            status = AnswerStatus.STOPPED if was_stopped else AnswerStatus.INTERRUPTED
            error = None
        wants_title = (
            status is AnswerStatus.COMPLETE
            and conversation is not None
            and not (has_title or conversation.title_is_manual)
        )
        if wants_title:  # noted first: a page that sees the end is to know that more will come
            self._titles.await_for(live.conversation_id)
        await asyncio.shield(self._end(live, status, error))
        logger.info(
            "Answer %s ended as %s%s",
            live.message_id,
            status,
            f" ({error.text_id})" if error else "",
        )
        if wants_title and not self._is_closing:
            try:
                await self._titles.write(owner, live.snapshot(), parameters.model, service.client)
            finally:
                self._titles.give_up(live.conversation_id)

    async def _stream(
        self,
        owner: str,
        conversation: Conversation | None,
        live: LiveAnswer,
        parameters: ChatParameters,
        service: ChatService,
        posted: Sequence[Turn] | None,
    ) -> tuple[AnswerStatus, AppError | None]:
        """Bring the answer in; say how it ended."""
        with_reasoning = False
        delays = iter(self._backoff())
        while True:
            try:
                if conversation is None:
                    turns = _posted_turns(posted or (), with_reasoning)
                else:
                    turns = await asyncio.to_thread(
                        self._turns, owner, conversation, live, with_reasoning
                    )
                live.restart_clock()
                await self._receive(live, turns, parameters, service.client)
            except AppError as error:
                if live.has_grown:
                    return AnswerStatus.CUT_OFF, error
                if error.text_id == "error.reasoning_required" and not with_reasoning:
                    with_reasoning = True
                    continue
                delay = next(delays, None) if _is_worth_retrying(error) else None
                if delay is None:
                    return AnswerStatus.FAILED, error
                logger.info("Answer %s: %s, asked again", live.message_id, error.text_id)
                await asyncio.sleep(delay)
            except Exception as error:  # a bug must not leave an answer running for ever
                logger.exception("Answer %s ended with an unexpected error", live.message_id)
                return AnswerStatus.FAILED, AppError(type(error).__name__)
            else:
                return AnswerStatus.COMPLETE, None

    async def _receive(
        self,
        live: LiveAnswer,
        turns: Sequence[Turn],
        parameters: ChatParameters,
        client: DeepSeek,
    ) -> None:
        if not parameters.stream:
            whole = await client.complete(turns, parameters)
            live.add(
                ChatChunk(
                    content=whole.content,
                    reasoning_content=whole.reasoning_content,
                    finish_reason=whole.finish_reason,
                    usage=whole.usage,
                    model=whole.model,
                )
            )
            return
        async with client.stream(turns, parameters) as chunks:
            async for batch in chunks.batches():
                live.add(*batch)

    def _turns(
        self, owner: str, conversation: Conversation, live: LiveAnswer, with_reasoning: bool
    ) -> list[Turn]:
        path = self._store.messages.path(owner, conversation.id, head_id=live.message_id)
        turns: list[Turn] = []
        current = self._store.conversations.get(owner, conversation.id) or conversation
        if current.system_prompt.strip():
            turns.append(Turn("system", current.system_prompt))
        for message in path:
            wants_reasoning = with_reasoning and message.role == "assistant"
            reasoning = message.reasoning_content if wants_reasoning else None
            if message.id == live.message_id:
                # The text a continued answer starts with: DeepSeek goes on behind a prefix turn.
                if message.content:
                    turns.append(
                        Turn("assistant", message.content, message.reasoning_content or None, True)
                    )
            elif message.content:
                turns.append(Turn(message.role, message.content, reasoning))
        return turns

    async def _end(self, live: LiveAnswer, status: AnswerStatus, error: AppError | None) -> None:
        """Write the final state down, however long the store takes to come back, then let go."""
        message = live.finish(status, error)
        for delay in retry_delays(Random()):
            try:
                await self._ends.write(message)
                break
            except StoreError as store_error:
                logger.warning("Answer %s is not saved yet: %s", message.id, store_error)
                await asyncio.sleep(delay)
        with self._lock:
            self._live.pop(message.id, None)
            self._jobs.pop(message.id, None)
            self._stopping.discard(message.id)
        live.saved.set()

    async def _close(self) -> None:
        self._is_closing = True
        with self._lock:
            jobs = dict(self._jobs)
        for message_id in jobs:
            self._cancel(message_id)  # not those that have ended: they are being saved
        await asyncio.gather(*jobs.values(), return_exceptions=True)

    async def _save_regularly(self) -> None:
        saved: dict[str, int] = {}
        renewed_at = 0.0
        clock = asyncio.get_running_loop().time
        while True:
            await asyncio.sleep(SAVE_INTERVAL_S)
            with self._lock:
                running = [live for live in self._live.values() if not live.is_final]
            must_renew = clock() - renewed_at > LEASE_S / 3
            versions = {live.message_id: live.version for live in running}
            changed = [
                live
                for live in running
                if must_renew or saved.get(live.message_id) != versions[live.message_id]
            ]
            if not changed:
                saved = versions
                continue
            try:
                outcomes = await asyncio.to_thread(
                    self._store.messages.save_running,
                    [_draft(live) for live in changed],
                    lease_s=LEASE_S,
                )
            except StoreError as error:
                logger.warning("Running answers are not saved yet: %s", error)
                continue
            saved = versions
            if must_renew:
                renewed_at = clock()
            for message_id, outcome in outcomes.items():
                if outcome is not SaveOutcome.SAVED:  # stopped from elsewhere, or deleted
                    with self._lock:
                        self._stopping.add(message_id)
                    self._cancel(message_id)

    def _cancel(self, message_id: str) -> None:
        with self._lock:
            job = self._jobs.get(message_id)
            live = self._live.get(message_id)
        if job is not None and live is not None and not live.is_final:
            job.cancel()


def _checked(question: str) -> str:
    if not question.strip():
        raise InputError("question", "The question is empty.", text_id="error.question_empty")
    if len(question) > QUESTION_LIMIT:
        raise InputError(
            "question",
            f"The question has {len(question)} characters; at most {QUESTION_LIMIT} can be sent.",
            text_id="error.question_too_long",
            facts={"count": len(question), "limit": QUESTION_LIMIT},
        )
    return question


def _posted_turns(posted: Sequence[Turn], with_reasoning: bool) -> list[Turn]:
    if with_reasoning:
        return list(posted)
    return [Turn(turn.role, turn.content) for turn in posted]


def _is_worth_retrying(error: AppError) -> bool:
    # Only before the first text, and only what is refused or lost at once: a request that was
    # silent for a minute may still be running, and billed, over there.
    if isinstance(error, _FINAL_ERRORS):
        return False
    if isinstance(error, RateLimitError):
        return True
    return isinstance(error, UnavailableError) and (
        error.status_code is not None
        # The latter also when a server hung up on a kept connection at that very moment.
        or error.text_id in ("error.network_connect", "error.network_lost")
    )


def _default_backoff() -> Sequence[float]:
    return tuple(retry_delays(Random(), attempts=ATTEMPTS - 1))


def _draft(live: LiveAnswer) -> AnswerDraft:
    message = live.snapshot()
    return AnswerDraft(
        message_id=message.id,
        content=message.content,
        reasoning_content=message.reasoning_content,
        reasoning_s=message.reasoning_s,
        first_token_s=message.first_token_s,
    )
