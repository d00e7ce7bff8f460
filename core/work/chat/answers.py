"""Chat answers that outlive the page that asked: started, watched and stopped from any thread.

A question and its answer's row are stored before anything is sent, however it was asked.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from core.models.chat import ChatParameters, Conversation, Message, Turn
from core.models.chat_options import NO_OPTIONS, ChatOptions
from core.models.money.ledger import Spender
from core.models.parts import Blob, LookupPart, lookup_in, with_text
from core.storage.store import Store
from core.work.attachments.extraction import ReadFile, parts_of
from core.work.chat.asking.kept import Asked, begin
from core.work.chat.asking.means import Means, checked
from core.work.chat.asking.posting import begin_posted
from core.work.chat.asking.steps import begins_with
from core.work.chat.between.relay import AnswerRelay
from core.work.chat.live_answer import LiveAnswer
from core.work.chat.models import ChatModels
from core.work.chat.registry import AnswerRegistry
from core.work.chat.runner import AnswerRunner
from core.work.chat.service import ChatService
from core.work.chat.timings import AnswerTimings
from core.work.chat.titles import Titles
from core.work.loop import LoopThread
from core.work.money.spending import Spending
from core.work.tools.studio_tools import StudioTools
from core.work.web.looks import Looks, question_with_look, without_looks


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
        self._titles = Titles(store, spending)
        self.looks = Looks(store, spending, timings)
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
        self._means = Means(
            store=store,
            process_id=process_id,
            service=service,
            models=models,
            spending=spending,
            looks=self.looks,
            tools=StudioTools(store, spending, self.looks),
            runner=self._runner,
            timings=timings,
        )
        self.relay = AnswerRelay(store.notifications, self._live, self._runner.cancel)

    def start(self) -> None:
        """Begin to save what grows. Call once, when the store is there."""
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

    def ask_first(
        self,
        owner: str,
        question: str,
        parameters: ChatParameters,
        *,
        system_prompt: str = "",
        files: Sequence[ReadFile] = (),
        caller: str = "page",
        zone: str = "",
    ) -> LiveAnswer:
        """Begin a conversation with a question and start its answer: one transaction for all.

        Raises what `ask` raises; no conversation is there then.
        """
        conversation = self._store.conversations.draft(
            owner, system_prompt=system_prompt, parameters=parameters
        )
        spender = Spender(owner, caller)
        return self._ask(
            spender, conversation, question, parameters, files=files, zone=zone, is_new=True
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
        is_new: bool = False,
    ) -> LiveAnswer:
        look = look or self._means.search(spender.owner, parameters, question)
        parts = with_text((), checked(question))
        if look is not None:
            parts = question_with_look(question, look)
        attached, blobs = parts_of(files)
        turn = Turn("user", (*parts, *attached))
        parent = parent_id if parent_id is not None else conversation.head_id
        return begin(
            self._means,
            Asked(
                spender,
                conversation,
                parameters,
                parent,
                question=turn,
                attached=blobs,
                zone=zone,
                is_new=is_new,
            ),
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
        spender = Spender(owner, caller, "http")
        return begin_posted(self._means, spender, turns, parameters, options, attached)

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
        parts = without_looks(with_text(message.said(), checked(question)), "search")
        search = self._means.search(owner, parameters, question)
        if lookup_in(parts) is None and search is not None:
            parts = (*parts, search)
        turn = Turn("user", parts)
        spender, parent_id = Spender(owner, caller), message.parent_id
        asked = Asked(spender, conversation, parameters, parent_id, question=turn, zone=zone)
        return begin(self._means, asked)

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
        question = self._store.messages.get(owner, parent_id) if parent_id is not None else None
        look = lookup_in(question.parts) if question is not None else None
        if look is not None:
            look = replace(look, state="wanted") if look_again and look.state != "found" else None
        elif question is not None and question.role == "user":
            look = self._means.search(owner, parameters, question.content)
        asked = Asked(spender, conversation, parameters, parent_id, look=look, zone=zone)
        return begin(self._means, asked)

    def resume(
        self,
        owner: str,
        conversation: Conversation,
        answer: Message,
        parameters: ChatParameters,
        *,
        caller: str = "page",
    ) -> LiveAnswer:
        """Go on where `answer` was cut: a new version that starts with what is there of it."""
        spender = Spender(owner, caller)
        beginning, parent_id = begins_with(answer), answer.parent_id
        asked = Asked(spender, conversation, parameters, parent_id, beginning=beginning)
        return begin(self._means, asked)

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
