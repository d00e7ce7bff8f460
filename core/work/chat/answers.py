"""Chat answers that outlive the page that asked: started, watched and stopped from any thread.

A question and its answer's row are stored before anything is sent, however it was asked.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from core.errors import InputError
from core.models.chat import ChatParameters, Conversation, Message, Turn
from core.models.notices import unread_events, unread_facts
from core.models.parts import with_text
from core.providers.deepseek.client import DeepSeek
from core.storage.chat.posted_chats import PostedChat
from core.storage.store import Store
from core.work.chat.context import sent_turns, stored_turns
from core.work.chat.live_answer import LiveAnswer
from core.work.chat.registry import AnswerRegistry
from core.work.chat.runner import AnswerJob, AnswerRunner
from core.work.chat.timings import AnswerTimings
from core.work.chat.titles import Titles, shortened
from core.work.loop import LoopThread

# What a person may ask in one message; DeepSeek's context is 1,048,576 tokens (deepseek.md §1).
QUESTION_LIMIT = 400_000


@dataclass(frozen=True, slots=True)
class ChatService:
    """Who answers: DeepSeek (or a compatible server), or the practice provider."""

    client: DeepSeek
    practice: bool


class Answers:
    """Starts, watches and stops the answers of one process.

    `on_saved` is called on the loop whenever one has ended and was written down.
    """

    def __init__(
        self,
        *,
        loop: LoopThread,
        store: Store,
        process_id: str,
        service: Callable[[str], ChatService],
        timings: AnswerTimings = AnswerTimings(),  # noqa: B008 - frozen
        on_saved: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = store
        self._process_id = process_id
        self._service = service
        self._timings = timings
        self._titles = Titles(store)
        self._live = AnswerRegistry()
        self._runner = AnswerRunner(
            loop=loop,
            store=store,
            live=self._live,
            titles=self._titles,
            process_id=process_id,
            timings=timings,
            on_saved=on_saved,
        )

    def start(self) -> None:
        """Begin to save what grows. Call once, after what a dead process left was settled."""
        self._runner.start()

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
        turn = Turn.of_text("user", _checked(question))
        service = self._service(owner)
        parent = parent_id if parent_id is not None else conversation.head_id
        return self._begin(owner, conversation, turn, parent, parameters, service)

    def ask_posted(
        self,
        owner: str,
        question: str,
        parameters: ChatParameters,
        *,
        system_prompt: str = "",
        earlier: Sequence[Turn] = (),
    ) -> LiveAnswer:
        """Start the answer of a posted chat, stored as a conversation of its own. Returns at once.

        Where the store takes nothing the answer ends with StoreError, and nothing was asked.
        """
        question = _checked(question)
        service = self._service(owner)
        chat = PostedChat(
            owner=owner,
            question=Turn.of_text("user", question),
            parameters=parameters,
            practice=service.practice,
            title=shortened(question),
            system_prompt=system_prompt,
            earlier=tuple(earlier),
        )
        turns = [*earlier, chat.question]
        if system_prompt.strip():
            turns.insert(0, Turn.of_text("system", system_prompt))

        async def context(with_reasoning: bool) -> list[Turn]:
            return sent_turns(turns, with_reasoning=with_reasoning)

        live = LiveAnswer(chat.answer(), owner, has_row=False)
        self._runner.run_posted(AnswerJob(live, parameters, service.client, context), chat)
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
        """Ask `message` in other words from the same place: a branch beside the old question.

        What was attached to it stays attached.
        """
        service = self._service(owner)
        turn = Turn("user", with_text(message.said(), _checked(question)))
        return self._begin(owner, conversation, turn, message.parent_id, parameters, service)

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
            owner, conversation, None, answer.parent_id, parameters, self._service(owner), answer
        )

    def live(self, message_id: str) -> LiveAnswer | None:
        """Return the running answer of this process with that id."""
        return self._live.get(message_id)

    def live_in(self, conversation_id: str) -> LiveAnswer | None:
        """Return the answer that is running in a conversation, in this process."""
        return self._live.find_in(conversation_id)

    def running_conversations(self) -> frozenset[str]:
        """Return the conversations that are being answered in this process."""
        return self._live.conversations()

    def is_title_awaited(self, conversation_id: str) -> bool:
        """Tell whether the model is still writing the conversation's title."""
        return self._titles.is_awaited(conversation_id)

    def stop(self, owner: str, message_id: str) -> None:
        """Close the upstream at once and keep what came; harmless when it has ended already."""
        if self._live.mark_stopped(message_id, owner=owner):
            self._runner.cancel(message_id)
        else:
            self._store.messages.request_stop(owner, message_id)

    def close(self) -> None:
        """End every answer of this process as interrupted, with what came so far stored."""
        self._runner.close()

    def end_late(self) -> None:
        """End what was asked while the loop was being closed: its readers wait for nobody."""
        self._runner.end_late()

    # -- what the ways of asking share -------------------------------------------------------------

    def _begin(
        self,
        owner: str,
        conversation: Conversation,
        question: Turn | None,
        parent_id: str | None,
        parameters: ChatParameters,
        service: ChatService,
        beginning: Message | None = None,
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
            lease_s=self._timings.lease_s,
            content=beginning.content if beginning else "",
            reasoning_content=beginning.reasoning_content if beginning else "",
        )
        if beginning is not None:  # what that lacks, this lacks
            lacking = unread_facts(unread_events(beginning.error_facts))
            answer = replace(answer, error_facts=lacking)
        if question is not None and not conversation.title:
            title = shortened(question.text)
            self._store.conversations.rename(owner, conversation.id, title, manual=False)
        live = LiveAnswer(answer, owner)

        async def context(with_reasoning: bool) -> list[Turn]:
            return await asyncio.to_thread(
                stored_turns, self._store, owner, conversation, live, with_reasoning=with_reasoning
            )

        is_first = conversation.head_id is None
        wants_title = is_first and not conversation.title_is_manual
        self._runner.run(AnswerJob(live, parameters, service.client, context, wants_title))
        return live


def _checked(question: str) -> str:
    if not question.strip():
        raise InputError("question", "error.question_empty")
    if len(question) > QUESTION_LIMIT:
        raise InputError(
            "question",
            "error.question_too_long",
            facts={"count": len(question), "limit": QUESTION_LIMIT},
        )
    return question
