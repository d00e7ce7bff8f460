"""Chat answers that outlive the page that asked: started, watched and stopped from any thread.

A question and its answer's row are stored before anything is sent, however it was asked.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace

from core.errors import AppError, InputError
from core.models.chat import ChatParameters, Conversation, Message, Turn
from core.models.chat_options import NO_OPTIONS, ChatOptions
from core.models.money.ledger import Spender
from core.models.notices import unread_events, unread_facts
from core.models.parts import Blob, LookupPart, Part, lookup_in, sources_in, with_text
from core.storage.store import Store
from core.work.attachments.extraction import ReadFile, parts_of
from core.work.chat.asking.attaching import check_room, check_sight, shown_to
from core.work.chat.asking.context import posted_turns, stored_turns, turns_before, with_attached
from core.work.chat.asking.looking import looking, most_brought
from core.work.chat.asking.posting import posted_chat
from core.work.chat.asking.steps import counted
from core.work.chat.between.relay import AnswerRelay
from core.work.chat.live_answer import LiveAnswer
from core.work.chat.models import ChatModels
from core.work.chat.registry import AnswerRegistry
from core.work.chat.runner import AnswerJob, AnswerRunner
from core.work.chat.service import ChatService
from core.work.chat.timings import AnswerTimings
from core.work.chat.titles import Titles, shortened
from core.work.loop import LoopThread
from core.work.money.spending import Spending
from core.work.tools.studio_tools import StudioTools
from core.work.web.looks import Looks, question_with_look, without_looks

logger = logging.getLogger(__name__)
# What a person may ask in one message; DeepSeek's context is 1,048,576 tokens (deepseek.md §1).
QUESTION_LIMIT = 400_000


class Answers:
    """Starts, watches and stops the answers of one process.

    `on_saved` is called on the loop whenever one has ended and was written down, `on_ended` with
    its outline as soon as it has ended.
    """

    def __init__(
        self,
        *,
        loop: LoopThread,
        store: Store,
        process_id: str,
        service: Callable[[str], ChatService],
        spending: Spending,
        models: Callable[[], ChatModels] = lambda: ChatModels(""),
        timings: AnswerTimings = AnswerTimings(),  # noqa: B008 - frozen
        on_saved: Callable[[], None] = lambda: None,
        on_ended: Callable[[Message], None] = lambda _message: None,
    ) -> None:
        self._store = store
        self._process_id = process_id
        self._service = service
        self._models = models
        self._timings = timings
        self._spending = spending
        self._titles = Titles(store, spending)
        self.looks = Looks(store, spending, timings)
        self._tools = StudioTools(store, spending, self.looks)
        self._live = AnswerRegistry()
        self._runner = AnswerRunner(
            loop=loop,
            store=store,
            live=self._live,
            titles=self._titles,
            spending=spending,
            process_id=process_id,
            timings=timings,
            on_saved=on_saved,
            on_ended=on_ended,
        )
        self.relay = AnswerRelay(store.notifications, self._live, self._runner.cancel)

    def start(self) -> None:
        """Begin to save what grows. Call once, after what a dead process left was settled."""
        self._runner.start()
        self.relay.start()

    # -- use cases, from any thread ----------------------------------------------------------------

    def ask(
        self,
        owner: str,
        conversation: Conversation,
        question: str,
        parameters: ChatParameters,
        *,
        parent_id: str | None = None,
        files: Sequence[ReadFile] = (),
        caller: str = "page",
        zone: str = "",
    ) -> LiveAnswer:
        """Store a question under the conversation's head (or `parent_id`) and start its answer.

        BudgetError where no budget has room for it, InputError where its model does not see the
        pictures among the `files`, or does not hold their text; nothing is stored then. `zone` is
        the person's, for the studio's clock.
        """
        spender = Spender(owner, caller)
        return self._ask(
            spender, conversation, question, parameters, parent_id, files=files, zone=zone
        )

    def read_page(
        self,
        owner: str,
        conversation: Conversation,
        question: str,
        url: str,
        parameters: ChatParameters,
        *,
        caller: str = "page",
    ) -> LiveAnswer:
        """Ask a question that a page of the web is read for first."""
        spender, look = Spender(owner, caller), LookupPart("fetch", url)
        return self._ask(spender, conversation, question, parameters, look=look)

    def _ask(
        self,
        spender: Spender,
        conversation: Conversation,
        question: str,
        parameters: ChatParameters,
        parent_id: str | None = None,
        look: LookupPart | None = None,
        files: Sequence[ReadFile] = (),
        zone: str = "",
    ) -> LiveAnswer:
        look = look or self._search(spender.owner, parameters, question)
        parts = with_text((), _checked(question))
        if look is not None:
            parts = question_with_look(question, look)
        attached, blobs = parts_of(files)
        turn = Turn("user", (*parts, *attached))
        parent = parent_id if parent_id is not None else conversation.head_id
        return self._begin(
            spender, conversation, turn, parent, parameters, attached=blobs, zone=zone
        )

    def ask_posted(
        self,
        owner: str,
        turns: Sequence[Turn],
        parameters: ChatParameters,
        *,
        options: ChatOptions = NO_OPTIONS,
        attached: Sequence[Blob] = (),
        caller: str = "local",
    ) -> LiveAnswer:
        """Start the answer of a posted chat, stored as a conversation of its own. Returns at once.

        Where the store takes nothing the answer ends with StoreError, and where no budget has room
        for it with BudgetError; nothing was asked then.
        """
        service = self._service(owner)
        spender = Spender(owner, caller, "http")
        read = [*turns, Turn.of_text("system", options.prompt())]
        look = self._search(owner, parameters, turns[-1].text)
        if look is not None:
            turns = [*turns[:-1], replace(turns[-1], content=(*turns[-1].content, look))]
        box = self._tools.for_answer(service, parameters)
        read += [box.read()] if box is not None else []
        held = self._spending.for_answer(
            spender, service.provider, parameters, read, brought=most_brought(look)
        )
        chat = posted_chat(
            owner,
            turns,
            parameters,
            practice=service.practice,
            reservation=held,
            attached=attached,
        )
        held.line = replace(
            held.line,
            id=chat.answer_id,
            message_id=chat.answer_id,
            conversation_id=chat.conversation_id,
        )
        sent = with_attached(turns, attached)

        async def context(with_reasoning: bool) -> list[Turn]:
            return posted_turns(sent, with_reasoning=with_reasoning or bool(options.tools))

        live = LiveAnswer(
            chat.answer(),
            owner,
            has_row=False,
            has_tools=bool(options.tools),
            has_studio_tools=box is not None,
        )
        job = AnswerJob(live, parameters, service.client, context, held, options)
        if box is not None:
            job.tools = box.loop(live, service, spender, held, turns)
        if look is not None:

            def found(parts: tuple[Part, ...]) -> None:
                sent[-1] = replace(sent[-1], content=(*sent[-1].content, *sources_in(parts)))

            job.look = looking(self.looks, live, service, spender, chat.question_id, look, found)
        self._runner.run_posted(job, chat)
        return live

    def check(
        self,
        owner: str,
        question: str,
        parameters: ChatParameters,
        files: Sequence[ReadFile] = (),
    ) -> None:
        """Raise what `ask` would raise before it stores anything."""
        self._service(owner)
        _checked(question)
        check_sight(parts_of(files)[0], parameters.model, self._models())

    def edit(
        self,
        owner: str,
        conversation: Conversation,
        message: Message,
        question: str,
        parameters: ChatParameters,
        *,
        caller: str = "page",
        zone: str = "",
    ) -> LiveAnswer:
        """Ask `message` in other words from the same place: a branch beside the old question.

        What was attached to it stays attached.
        """
        parts = without_looks(with_text(message.said(), _checked(question)), "search")
        search = self._search(owner, parameters, question)
        if lookup_in(parts) is None and search is not None:
            parts = (*parts, search)
        turn = Turn("user", parts)
        spender = Spender(owner, caller)
        return self._begin(spender, conversation, turn, message.parent_id, parameters, zone=zone)

    def regenerate(
        self,
        owner: str,
        conversation: Conversation,
        answer: Message,
        parameters: ChatParameters,
        *,
        look_again: bool = False,
        caller: str = "page",
        zone: str = "",
    ) -> LiveAnswer:
        """Answer the same question again; the earlier answer stays as another version.

        What was found on the web for it is there already. Where a look brought nothing, or nobody
        knows whether it was made, it is made again on a person's word, `look_again`, alone.
        """
        spender, parent_id = Spender(owner, caller), answer.parent_id
        asked = self._store.messages.get(owner, parent_id) if parent_id is not None else None
        look = lookup_in(asked.parts) if asked is not None else None
        if look is not None:
            look = replace(look, state="wanted") if look_again and look.state != "found" else None
        elif asked is not None and asked.role == "user":
            look = self._search(owner, parameters, asked.content)
        return self._begin(spender, conversation, None, parent_id, parameters, look=look, zone=zone)

    def resume(
        self,
        owner: str,
        conversation: Conversation,
        answer: Message,
        parameters: ChatParameters,
        *,
        caller: str = "page",
    ) -> LiveAnswer:
        """Go on where `answer` was cut: a new version that starts with the text that is there."""
        spender = Spender(owner, caller)
        return self._begin(spender, conversation, None, answer.parent_id, parameters, answer)

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
        elif self._store.running_answers.request_stop(owner, message_id):
            self.relay.stop(message_id)

    def close(self) -> None:
        """End every answer of this process as interrupted, with what came so far stored."""
        self.relay.close()
        self._runner.close()

    def end_late(self) -> None:
        """End what was asked while the loop was being closed: its readers wait for nobody."""
        self._runner.end_late()

    # -- what the ways of asking share -------------------------------------------------------------

    def _begin(
        self,
        spender: Spender,
        conversation: Conversation,
        question: Turn | None,
        parent_id: str | None,
        parameters: ChatParameters,
        beginning: Message | None = None,
        look: LookupPart | None = None,
        attached: Sequence[Blob] = (),
        zone: str = "",
    ) -> LiveAnswer:
        owner, service = spender.owner, self._service(spender.owner)
        model = self._models().facts(parameters.model)
        turns = turns_before(self._store, owner, conversation, parent_id)
        turns += [Turn(one.role, one.said()) for one in [beginning] if one is not None]
        turns += [question] if question is not None else []
        asked = next((turn for turn in reversed(turns) if turn.role == "user"), None)
        check_sight(asked.content if asked is not None else (), parameters.model, self._models())
        if look is None and question is not None and (new := lookup_in(question.content)):
            look = new if new.state == "wanted" else None
        # A continued answer goes on in words alone.
        box = self._tools.for_answer(service, parameters) if beginning is None else None
        read = counted(turns, with_steps=box is not None)
        read += [box.read()] if box is not None else []
        held = self._spending.for_answer(
            spender, service.provider, parameters, read, brought=most_brought(look)
        )
        check_room(turns, held, model)
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
            attached=attached,
            reservation=held,
        )
        if beginning is not None:  # what that lacks, this lacks
            lacking = unread_facts(unread_events(beginning.error_facts))
            answer = replace(answer, error_facts=lacking)
        if question is not None and not conversation.title:
            self._name(owner, conversation.id, question)
        live = LiveAnswer(answer, owner, has_studio_tools=box is not None)

        async def context(with_reasoning: bool) -> list[Turn]:
            stored = await asyncio.to_thread(
                stored_turns,
                self._store,
                owner,
                conversation,
                live,
                with_reasoning=with_reasoning,
                with_steps=box is not None,
            )
            return shown_to(stored, model)

        is_first = conversation.head_id is None
        wants_title = is_first and not conversation.title_is_manual
        job = AnswerJob(live, parameters, service.client, context, held, wants_title=wants_title)
        if box is not None:
            is_imported = conversation.origin == "import"
            job.tools = box.loop(
                live, service, spender, held, turns, zone=zone, is_imported=is_imported
            )
        if look is not None and answer.parent_id is not None:
            job.look = looking(self.looks, live, service, spender, answer.parent_id, look)
        self._runner.run(job)
        return live

    def _search(self, owner: str, parameters: ChatParameters, words: str) -> LookupPart | None:
        """Return the search that is made first; only DeepSeek has that."""
        is_wanted = parameters.search and self._service(owner).client.server.speaks_deepseek
        return LookupPart("search", words) if is_wanted else None

    def _name(self, owner: str, conversation_id: str, question: Turn) -> None:
        title = shortened(question.text)
        try:
            self._store.conversations.rename(owner, conversation_id, title, manual=False)
        except AppError as error:  # the answer is begun, and held back for: it goes on without
            logger.warning("Conversation %s has no title yet: %s", conversation_id, error)


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
